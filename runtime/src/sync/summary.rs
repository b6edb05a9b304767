//! [`Summary`]: what a copy holds.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{Reader, Writer};
use crate::doc::DocVersion;
use crate::error::Result;

const TAG: [u8; 4] = *b"HLsm";

/// A summary of what a copy of a store holds: a few bytes for each device that ever wrote.
///
/// Made by [`Store::summary`](crate::Store::summary); the default is that of a copy that has
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Empty in the summary of a copy that has nothing.
    pub(super) store: String,
    pub(super) documents: BTreeMap<String, DocVersion>,
    /// The documents among them that the copy has given up: of what it lacks, it needs all.
    pub(super) pruned: BTreeSet<String>,
}

impl Summary {
    /// Returns the bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(TAG);
        writer.bytes(self.store.as_bytes());
        writer.number(self.documents.len() as u64);
        for (name, version) in &self.documents {
            writer.bytes(name.as_bytes());
            writer.number(version.deletions);
            writer.number(version.clocks.len() as u64);
            for (&client, &clock) in &version.clocks {
                writer.number(client);
                writer.number(clock.into());
            }
        }
        if !self.pruned.is_empty() {
            writer.number(self.pruned.len() as u64);
            self.pruned.iter().for_each(|name| writer.bytes(name.as_bytes()));
        }
        writer.finish()
    }

    /// Parses the summary in bytes that were received.
    ///
    /// # Errors
    ///
    /// [`InvalidUpdate`](crate::ErrorKind::InvalidUpdate) if the bytes are not a summary, or are
    /// damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, TAG, "summary")?;
        let store = reader.text()?;
        let mut documents = BTreeMap::new();
        for _ in 0..reader.count(24)? {
            let name = reader.text()?;
            let deletions = reader.number()?;
            let mut clocks = BTreeMap::new();
            for _ in 0..reader.count(16)? {
                // A clock beyond what a document can hold says only that they have more than we.
                let client = reader.number()? & ((1 << 53) - 1);
                clocks.insert(client, u32::try_from(reader.number()?).unwrap_or(u32::MAX));
            }
            documents.insert(name, DocVersion { clocks, deletions });
        }
        let mut pruned = BTreeSet::new();
        if !reader.is_at_end() {
            for _ in 0..reader.count(8)? {
                pruned.insert(reader.text()?);
            }
        }
        reader.end()?;
        Ok(Self { store, documents, pruned })
    }
}

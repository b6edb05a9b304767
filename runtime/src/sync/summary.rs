//! [`Summary`]: what a copy holds.

use std::collections::BTreeMap;

use super::frame::{Reader, Writer};
use crate::doc::DocVersion;
use crate::engine::Held;
use crate::error::Result;
use crate::row::ItemId;

const TAG: [u8; 4] = *b"HLsm";

/// A summary of what a copy of a store holds: a few bytes for each device that ever wrote.
///
/// Made by [`Store::summary`](crate::Store::summary); the default is that of a copy that has
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Empty in the summary of a copy that has nothing.
    pub(super) store: String,
    pub(super) held: Held,
}

/// How many moments of a document a summary may name.
const MAX_MARKS: usize = 64;

/// How many damaged items a summary may name.
const MAX_DAMAGED: usize = 1_024;

impl Summary {
    /// Returns the bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(TAG);
        writer.bytes(self.store.as_bytes());
        let Held { versions, pruned, marks, waiting, damaged } = &self.held;
        writer.number(versions.len() as u64);
        for (name, version) in versions {
            writer.bytes(name.as_bytes());
            writer.hash(version.deletions);
            writer.number(version.clocks.len() as u64);
            for (&client, &clock) in &version.clocks {
                writer.number(client);
                writer.number(clock.into());
            }
        }
        writer.number(pruned.len() as u64);
        pruned.iter().for_each(|name| writer.bytes(name.as_bytes()));
        writer.number(marks.len() as u64);
        for (name, marks) in marks {
            writer.bytes(name.as_bytes());
            writer.number(marks.len() as u64);
            marks.iter().for_each(|mark| writer.hash(*mark));
        }
        writer.number(waiting.len() as u64);
        waiting.iter().for_each(|hash| writer.hash(*hash));
        writer.number(damaged.len() as u64);
        for (name, items) in damaged {
            writer.bytes(name.as_bytes());
            writer.number(items.len() as u64);
            for id in items {
                writer.number(id.client);
                writer.number(id.clock.into());
            }
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
        let mut held = Held::default();
        for _ in 0..reader.count(10)? {
            let name = reader.text()?;
            let deletions = reader.hash()?;
            let mut clocks = BTreeMap::new();
            for _ in 0..reader.count(2)? {
                // A clock beyond what a document can hold says only that they have more than we.
                let client = reader.number()? & ((1 << 53) - 1);
                clocks.insert(client, u32::try_from(reader.number()?).unwrap_or(u32::MAX));
            }
            held.versions.insert(name, DocVersion { clocks, deletions });
        }
        for _ in 0..reader.count(1)? {
            held.pruned.insert(reader.text()?);
        }
        for _ in 0..reader.count(2)? {
            let name = reader.text()?;
            let mut marks = Vec::new();
            for _ in 0..reader.count(8)? {
                marks.push(reader.hash()?);
            }
            // Each is looked for in the journal.
            marks.truncate(MAX_MARKS);
            held.marks.insert(name, marks);
        }
        for _ in 0..reader.count(8)? {
            held.waiting.insert(reader.hash()?);
        }
        let mut left = MAX_DAMAGED;
        for _ in 0..reader.count(2)? {
            let name = reader.text()?;
            let mut items = Vec::new();
            for _ in 0..reader.count(2)? {
                let (client, clock) = (reader.number()?, reader.number()?);
                // An item that no document can hold is not here.
                if let Ok(clock) = u32::try_from(clock)
                    && left > 0
                {
                    items.push(ItemId { client, clock });
                    left -= 1;
                }
            }
            held.damaged.insert(name, items);
        }
        reader.end()?;
        Ok(Self { store, held })
    }
}

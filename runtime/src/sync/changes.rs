//! [`Changes`]: what another copy lacks.

use super::frame::{Reader, Writer};
use crate::error::{Error, ErrorKind, Result};

const TAG: [u8; 4] = *b"HLch";

/// The length up to which a compressed update may decompress, per byte of it, so that few bytes cannot
/// fill the memory. An update that would be more is sent as it is.
const MAX_EXPANSION: usize = 64;

/// The changes that another copy lacks, ready to send.
///
/// Made by [`Store::changes_since`](crate::Store::changes_since), applied by
/// [`Store::apply`](crate::Store::apply). They may be applied late, twice, and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub(super) store: String,
    /// For each document its name and an update.
    pub(super) documents: Vec<(String, Vec<u8>)>,
}

impl Changes {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Returns the bytes to send, compressed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(TAG);
        writer.bytes(self.store.as_bytes());
        writer.number(self.documents.len() as u64);
        for (name, update) in &self.documents {
            writer.bytes(name.as_bytes());
            writer.number(update.len() as u64);
            let compressed = lz4_flex::block::compress(update);
            let is_sent = compressed.len() < update.len()
                && update.len() <= MAX_EXPANSION.saturating_mul(compressed.len());
            writer.bytes(if is_sent { &compressed } else { update });
        }
        writer.finish()
    }

    /// Parses the changes in bytes that were received.
    ///
    /// # Errors
    ///
    /// [`InvalidUpdate`](ErrorKind::InvalidUpdate) if the bytes are not changes, or are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, TAG, "changes")?;
        let store = reader.text()?;
        let mut documents = Vec::new();
        for _ in 0..reader.count(3)? {
            let name = reader.text()?;
            let len = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
            let compressed = reader.bytes()?;
            let refused = || Error::new(ErrorKind::InvalidUpdate, "the changes do not decompress");
            if len == compressed.len() {
                documents.push((name, compressed.to_vec()));
                continue;
            }
            if len > MAX_EXPANSION.saturating_mul(compressed.len()) {
                return Err(refused());
            }
            let update = lz4_flex::block::decompress(compressed, len);
            documents.push((name, update.map_err(|error| refused().because(error))?));
        }
        reader.end()?;
        Ok(Self { store, documents })
    }
}

//! What a commit adds to the head document.

use crate::disk::{Commit, HEAD_DOCUMENT};
use crate::engine::loaded::LogState;
use crate::error::Result;
use crate::row::{Content, ItemId};

/// An entry of the head document as it is now; without content it is gone.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) entry: Option<(ItemId, Content)>,
}

/// Log records of the head document and the entries they change: stored in one commit with
/// whatever else there is.
#[derive(Debug, Default)]
pub(in crate::engine) struct HeadChanges {
    pub(super) records: Vec<Vec<u8>>,
    pub(super) entries: Vec<Changed>,
}

impl HeadChanges {
    /// Writes it behind a log that ends at `last`.
    pub(in crate::engine) fn write(&self, commit: &Commit, last: u64) -> Result<()> {
        for (sequence, record) in (last + 1..).zip(&self.records) {
            commit.append_log(HEAD_DOCUMENT, sequence, record)?;
        }
        for Changed { group, name, entry } in &self.entries {
            let mut group = commit.entries(HEAD_DOCUMENT, group)?;
            match entry {
                Some((id, content)) => group.put(name, *id, content)?,
                None => group.remove(name)?,
            }
        }
        Ok(())
    }

    /// Adds its records to the state of the log.
    pub(in crate::engine) fn count(&self, log: &mut LogState) {
        for record in &self.records {
            log.grow(log.last + 1, record.len() as u64);
        }
    }
}

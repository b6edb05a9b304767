//! The table of lost edits: local to this copy, and kept until the app has decided on each.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::commit::Commit;
use super::failure::guarded;
use super::seal::{seal, unseal};
use super::view::View;
use crate::error::Result;

const LOST_EDITS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("lost_edits");

impl Commit {
    /// Keeps a lost edit.
    pub(crate) fn put_lost(&self, key: &str, value: &[u8]) -> Result<()> {
        guarded(|| {
            let mut table = self.txn().open_table(LOST_EDITS)?;
            table.insert(key, seal(key.as_bytes(), value).as_slice())?;
            Ok(())
        })
    }

    /// Whether a lost edit is kept.
    pub(crate) fn has_lost(&self, key: &str) -> Result<bool> {
        guarded(|| Ok(self.txn().open_table(LOST_EDITS)?.get(key)?.is_some()))
    }

    /// Forgets a lost edit; tells whether it was kept.
    pub(crate) fn remove_lost(&self, key: &str) -> Result<bool> {
        guarded(|| Ok(self.txn().open_table(LOST_EDITS)?.remove(key)?.is_some()))
    }

    /// How many lost edits are kept.
    pub(crate) fn count_lost(&self) -> Result<u64> {
        guarded(|| Ok(self.txn().open_table(LOST_EDITS)?.len()?))
    }

    /// The lost edits that are kept, by key; without those that are damaged.
    pub(crate) fn lost(&self) -> Result<Vec<(String, Vec<u8>)>> {
        guarded(|| {
            let table = self.txn().open_table(LOST_EDITS)?;
            let mut lost = Vec::new();
            for item in table.iter()? {
                let (key, value) = item?;
                let (key, value) = (key.value(), value.value());
                // A damaged one comes first, and so is the first to go.
                let value = unseal(key.as_bytes(), value).unwrap_or_default().to_vec();
                lost.push((key.to_owned(), value));
            }
            Ok(lost)
        })
    }
}

impl View {
    /// Whether a lost edit is kept.
    pub(crate) fn has_lost(&self, key: &str) -> Result<bool> {
        guarded(|| match self.open(LOST_EDITS)? {
            Some(table) => Ok(table.get(key)?.is_some()),
            None => Ok(false),
        })
    }

    /// The lost edits that are kept, by key.
    pub(crate) fn lost(&self) -> Result<Vec<(String, Vec<u8>)>> {
        guarded(|| {
            let mut lost = Vec::new();
            let Some(table) = self.open(LOST_EDITS)? else { return Ok(lost) };
            for item in table.range::<&str>(..)? {
                let (key, value) = item?;
                let value = unseal(key.value().as_bytes(), value.value())?.to_vec();
                lost.push((key.value().to_owned(), value));
            }
            Ok(lost)
        })
    }
}

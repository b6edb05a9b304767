//! Room for rows on their way from one epoch to the next: in no store, and gone when it is dropped.

use std::ops::Bound;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Database, Durability, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};

use super::failure::{Failure, corrupt, guarded, io};
use crate::error::Result;

/// How much of it stays in memory, in bytes.
const CACHE_BYTES: usize = 32 << 20;

/// Tables of bytes by bytes, on disk as far as they do not fit into memory.
pub(crate) struct Scratch {
    // Before the database, which closes with the last who uses it.
    txn: Option<WriteTransaction>,
    _database: Database,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(txn) = self.txn.take() {
            // A failure here loses nothing: the transaction was not going to be kept.
            let _ = txn.abort();
        }
    }
}

type Bytes<'n> = TableDefinition<'n, &'static [u8], &'static [u8]>;

impl Scratch {
    /// In a temporary file.
    pub(crate) fn on_disk() -> Result<Self> {
        let file = tempfile::tempfile().map_err(io)?;
        guarded(|| {
            let backend = FileBackend::new(file)?;
            Ok(Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend)?)
        })
        .and_then(Self::begin)
    }

    /// For few rows.
    pub(crate) fn in_memory() -> Result<Self> {
        guarded(|| Ok(Database::builder().create_with_backend(InMemoryBackend::new())?))
            .and_then(Self::begin)
    }

    fn begin(database: Database) -> Result<Self> {
        let txn = guarded(|| {
            let mut txn = database.begin_write()?;
            txn.set_durability(Durability::None)?;
            Ok(txn)
        })?;
        Ok(Self { txn: Some(txn), _database: database })
    }

    fn txn(&self) -> Result<&WriteTransaction, Failure> {
        self.txn.as_ref().ok_or_else(|| Failure(corrupt("the scratch file is closed")))
    }

    pub(crate) fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        guarded(|| {
            let table = self.txn()?.open_table(Bytes::new(table))?;
            let value = table.get(key)?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    pub(crate) fn put(&self, table: &str, key: &[u8], value: &[u8]) -> Result<()> {
        guarded(|| {
            self.txn()?.open_table(Bytes::new(table))?.insert(key, value)?;
            Ok(())
        })
    }

    pub(crate) fn remove(&self, table: &str, key: &[u8]) -> Result<()> {
        guarded(|| {
            self.txn()?.open_table(Bytes::new(table))?.remove(key)?;
            Ok(())
        })
    }

    pub(crate) fn len(&self, table: &str) -> Result<u64> {
        guarded(|| Ok(self.txn()?.open_table(Bytes::new(table))?.len()?))
    }

    /// Up to `most` entries after a key, or from the start.
    pub(crate) fn after(
        &self,
        table: &str,
        key: Option<&[u8]>,
        most: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        guarded(|| {
            let table = self.txn()?.open_table(Bytes::new(table))?;
            let from = key.map_or(Bound::Unbounded, Bound::Excluded);
            let range = table.range::<&[u8]>((from, Bound::Unbounded))?;
            let mut entries = Vec::new();
            for item in range.take(most) {
                let (key, value) = item?;
                entries.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(entries)
        })
    }
}

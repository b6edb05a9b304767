//! One write transaction of the file.

use std::io;

use redb::{Database, Durability, ReadableTable, WriteTransaction};

use super::backend::Backend;
use super::failure::{Failure, Try, guarded, io as io_error};
use super::names;
use crate::error::Result;

/// An open write transaction; dropped without [`finish`](Self::finish), it leaves nothing.
pub(crate) struct Commit {
    txn: WriteTransaction,
    /// How many of the newest commits the journals of documents keep.
    pub(super) journal_commits: u64,
    backend: Backend,
}

impl Commit {
    pub(super) fn begin(
        database: &Database,
        durable: bool,
        journal_commits: u64,
        backend: Backend,
    ) -> Try<Self> {
        let mut txn = database.begin_write()?;
        txn.set_durability(if durable { Durability::Immediate } else { Durability::None })?;
        Ok(Self { txn, journal_commits, backend })
    }

    pub(super) fn finish(self) -> Try<()> {
        Ok(self.txn.commit()?)
    }

    pub(super) fn abort(self) {
        // A failure here loses nothing: the transaction was not going to be kept.
        let _ = self.txn.abort();
    }

    /// Ends a large transaction early if the storage has refused a part of it, since the rest of it would be
    /// kept in memory. The error is that of the storage in the end.
    pub(super) fn refuse_if_refused(&self) -> Try<()> {
        match self.backend.has_refused() {
            true => Err(Failure(io_error(io::Error::other("an earlier write was refused")))),
            false => Ok(()),
        }
    }

    pub(super) fn txn(&self) -> &WriteTransaction {
        &self.txn
    }

    /// Sets a fact about the file. One that stays the same is not written.
    pub(crate) fn set_meta(&self, name: &str, value: &[u8]) -> Result<()> {
        guarded(|| {
            let mut facts = self.txn.open_table(names::META)?;
            if facts.get(name)?.is_none_or(|known| known.value() != value) {
                facts.insert(name, value)?;
            }
            Ok(())
        })
    }

    /// Forgets the indexes of a document.
    pub(crate) fn clear_indexes(&self, document: &str) -> Result<()> {
        self.delete_tables(|name| names::is_index_of(document, name))
    }

    /// Forgets a document.
    pub(crate) fn clear_document(&self, document: &str) -> Result<()> {
        self.delete_tables(|name| names::is_of_document(document, name))
    }

    pub(super) fn delete_tables(&self, is_meant: impl Fn(&str) -> bool) -> Result<()> {
        guarded(|| {
            let tables: Vec<_> = self.txn.list_tables()?.collect();
            for table in tables {
                if is_meant(redb::TableHandle::name(&table)) {
                    self.txn.delete_table(table)?;
                }
            }
            Ok(())
        })
    }

    /// Copies everything that `from` has, meta facts included.
    pub(crate) fn copy_from(&self, from: &super::View) -> Result<()> {
        from.copy_into(&self.txn)
    }
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").finish_non_exhaustive()
    }
}

//! The file while redb has it open.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{CompactionError, Database, ReadTransaction, StorageBackend, TableError};

use super::backend::Backend;
use super::bookkeeping::{damaged_pages, is_damaged};
use super::commit::Commit;
use super::failure::{Failure, Try, corrupt, database_error, guarded, io as io_error};
use super::file::StorageOptions;
use super::{FORMAT, names};
use crate::error::{Error, ErrorKind, Result};

/// An open redb database and the storage under it.
pub(super) struct Live {
    /// There until it is dropped.
    database: Option<Database>,
    pub(super) backend: Backend,
    journal_commits: u64,
    /// Whether the backend holds commits back that are not durable yet.
    pub(super) unflushed: AtomicBool,
    /// Whether the file was seen to be of the current format, which it stays as long as it is open.
    is_current: AtomicBool,
    /// Whether redb's own tables are damaged, and cannot be made again, so that it must make no commit.
    is_beyond_writing: bool,
    /// Held by each view of the database.
    views: Arc<()>,
}

impl Live {
    pub(super) fn of_file(
        file: &File,
        is_read_only: bool,
        options: &StorageOptions,
    ) -> Result<Self> {
        let backend = || {
            let file = file.try_clone().map_err(io_error)?;
            let backend = FileBackend::new(file).map_err(database_error)?;
            let hook = options.hook.clone();
            let backend = match is_read_only {
                true => Backend::read_only(backend, hook),
                false => Backend::held(backend, hook),
            };
            backend.map_err(io_error)
        };
        Self::readable(backend, options, &[])
    }

    /// Opens anew the storage that another one was opened over, as of `header`, with damaged pages of these tables
    /// emptied.
    pub(super) fn after(
        before: &Backend,
        options: &StorageOptions,
        header: Option<&[u8]>,
        tables_to_empty: &[String],
    ) -> Result<Self> {
        let backend = || before.successor(header.map(<[u8]>::to_vec)).map_err(io_error);
        Self::readable(backend, options, tables_to_empty)
    }

    fn readable(
        backend: impl Fn() -> Result<Backend>,
        options: &StorageOptions,
        tables_to_empty: &[String],
    ) -> Result<Self> {
        let first = backend()?;
        first.empty_damaged_pages_of(tables_to_empty);
        match Self::open(first.clone(), options) {
            // Tables of the store are damaged as well. What can be read of them is read.
            Err(error) if error.kind() == ErrorKind::Corrupt && first.has_damaged_own_tables() => {
                drop(first);
                let backend = backend()?;
                backend.mend_nothing();
                let mut live = Self::open(backend, options)?;
                live.is_beyond_writing = true;
                Ok(live)
            }
            opened => opened,
        }
    }

    pub(super) fn open(backend: Backend, options: &StorageOptions) -> Result<Self> {
        let repaired = Arc::new(AtomicBool::new(false));
        let noticed = repaired.clone();
        let database = guarded(|| {
            let database = Database::builder()
                .set_cache_size(options.cache_bytes)
                .set_repair_callback(move |_| {
                    noticed.store(true, Ordering::Relaxed);
                })
                .create_with_backend(backend.clone())?;
            Ok(database)
        })?;
        if repaired.load(Ordering::Relaxed) {
            // Kept, so that the next open need not repair again. Where it cannot be written, the
            // store can still be read.
            let _ = backend.release();
        }
        Ok(Self {
            database: Some(database),
            backend,
            journal_commits: options.journal_commits,
            unflushed: AtomicBool::new(false),
            is_current: AtomicBool::new(false),
            is_beyond_writing: false,
            views: Arc::default(),
        })
    }

    /// The format of the file; a new one is of the current format.
    pub(super) fn format(&self, txn: &ReadTransaction) -> Try<u64> {
        if self.is_current.load(Ordering::Relaxed) {
            return Ok(FORMAT);
        }
        let meta = match txn.open_table(names::META) {
            Ok(meta) => meta,
            Err(TableError::TableDoesNotExist(_)) => return Ok(FORMAT),
            Err(error) => return Err(error.into()),
        };
        let format = meta.get(names::FORMAT)?;
        let format = format.and_then(|format| format.value().try_into().ok());
        let format = format.map_or(FORMAT, u64::from_le_bytes);
        self.is_current.store(format == FORMAT, Ordering::Relaxed);
        Ok(format)
    }

    /// Makes one commit; `begin` is called once `work` has written all of it.
    pub(super) fn commit<T>(
        &self,
        durable: bool,
        work: impl FnOnce(&Commit) -> Result<Option<T>>,
        begin: impl FnOnce() -> Result<()>,
    ) -> Result<Option<T>> {
        self.refuse_beyond_writing()?;
        let database = self.database()?;
        guarded(|| {
            let backend = self.backend.clone();
            let commit = Commit::begin(database, durable, self.journal_commits, backend)?;
            match work(&commit) {
                Ok(None) => {
                    commit.abort();
                    Ok(None)
                }
                Ok(value) => {
                    begin().map_err(Failure)?;
                    commit.finish().map(|()| value)
                }
                Err(error) => {
                    commit.abort();
                    Err(Failure(error))
                }
            }
        })
    }

    /// redb writes everything to the backend, which cannot fail while that holds it back; then the
    /// backend writes it to the file, as often as it takes.
    pub(super) fn flush(&self) -> Result<()> {
        if self.unflushed.load(Ordering::Relaxed) {
            self.commit(true, |_| Ok(Some(())), || Ok(()))?;
            self.backend.release().map_err(io_error)?;
            self.unflushed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Moves what is at the end of the file into its holes, and cuts it off behind them. Each step is a
    /// commit of redb's own, so that the file is whole at any moment. Gives by how many bytes it got
    /// shorter; nothing if a reader still needs the file as it is.
    pub(super) fn compact(&mut self) -> Result<Option<u64>> {
        self.refuse_beyond_writing()?;
        self.backend.release().map_err(io_error)?;
        // redb would move damaged pages, and follow what they say.
        if is_damaged(&self.backend).map_err(io_error)? {
            return Err(Error::new(ErrorKind::Corrupt, "a damaged file cannot be compacted").help(
                "nothing was changed; `check` says what is damaged: write over it, or let another device's \
                 changes heal it, make damaged indexes anew with `rebuild_indexes`, and call `compact` again",
            ));
        }
        let before = self.backend.len().map_err(io_error)?;
        let Some(database) = self.database.as_mut() else {
            return Err(corrupt("the file is closed"));
        };
        let is_done = guarded(|| match database.compact() {
            Ok(_) => Ok(true),
            Err(CompactionError::Storage(error)) => Err(error.into()),
            // There are no savepoints, so that it can only be a reader.
            Err(_) => Ok(false),
        })?;
        let after = self.backend.len().map_err(io_error)?;
        Ok(is_done.then(|| before.saturating_sub(after)))
    }

    /// Returns what each view of the database holds.
    pub(super) fn views(&self) -> Arc<()> {
        self.views.clone()
    }

    /// Whether a view of the database is left.
    pub(super) fn is_read(&self) -> bool {
        Arc::strong_count(&self.views) > 1
    }

    /// Whether redb goes on after an error.
    pub(super) fn is_usable(&self) -> bool {
        self.database().is_ok_and(|database| {
            guarded(|| {
                database.begin_write()?.abort()?;
                Ok(())
            })
            .is_ok()
        })
    }

    /// Returns the damage of redb's own tables, in a sentence.
    pub(super) fn damage_of_own_tables(&self) -> Option<&'static str> {
        if self.is_beyond_writing {
            return Some(
                "the list of pages that are in use is damaged, as other parts are, so that the file can only \
                 be read",
            );
        }
        self.backend.has_damaged_own_tables().then_some(
            "the list of pages that are in use was damaged; it was made again from the tables, and nothing \
             is lost",
        )
    }

    /// Whether pages of these tables are damaged in the file.
    pub(super) fn has_damaged_pages(&self, tables: &[String]) -> Result<bool> {
        Ok(!damaged_pages(&self.backend, tables).map_err(io_error)?.is_empty())
    }

    fn refuse_beyond_writing(&self) -> Result<()> {
        if !self.is_beyond_writing {
            return Ok(());
        }
        Err(corrupt("the file is damaged in several places, so that it can only be read"))
    }

    pub(super) fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or_else(|| corrupt("the file is closed"))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // On a damaged file redb may panic when it is closed, too. What was committed is kept.
        let database = self.database.take();
        let makes_no_commit = self.is_beyond_writing && cfg!(panic = "unwind");
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _database = database;
            if makes_no_commit {
                // redb ends with a commit, unless it is closed by a panic. This one calls no hook.
                resume_unwind(Box::new(()));
            }
        }));
    }
}

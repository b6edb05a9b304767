//! The repair of a damaged file before redb reads it (see `bookkeeping.rs`).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend;

use super::Backend;
use crate::disk::bookkeeping::{empty_damaged_pages, header_without_damaged_tables};

#[derive(Default)]
pub(super) struct Mending {
    is_done: AtomicBool,
    are_own_tables_damaged: AtomicBool,
    /// The tables of which damaged pages are emptied.
    tables_to_empty: Mutex<Vec<String>>,
}

impl Backend {
    /// Has redb see everything as it is in the file. It must make no commit then.
    pub(in crate::disk) fn mend_nothing(&self) {
        self.0.mending.is_done.store(true, Ordering::Relaxed);
    }

    /// Has redb see empty pages in place of damaged ones of these tables.
    pub(in crate::disk) fn empty_damaged_pages_of(&self, tables: &[String]) {
        let to_empty = &self.0.mending.tables_to_empty;
        *to_empty.lock().unwrap_or_else(PoisonError::into_inner) = tables.to_vec();
    }

    /// Whether redb's own tables are damaged in the file. redb does not see those.
    pub(in crate::disk) fn has_damaged_own_tables(&self) -> bool {
        self.0.mending.are_own_tables_damaged.load(Ordering::Relaxed)
    }

    /// Mends what redb is about to read. It has locked the file.
    pub(super) fn mend(&self) -> io::Result<()> {
        let mending = &self.0.mending;
        if mending.is_done.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let tables = mending.tables_to_empty.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !tables.is_empty() {
            empty_damaged_pages(self, &tables)?;
        }
        if let Some(header) = header_without_damaged_tables(self)? {
            self.write(0, &header)?;
            mending.are_own_tables_damaged.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

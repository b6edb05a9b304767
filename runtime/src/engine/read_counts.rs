//! How much queries have read, so that tests can hold them to it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Rows and index entries that queries have read since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct ReadCounts {
    rows: AtomicU64,
    entries: AtomicU64,
}

impl ReadCounts {
    pub(crate) fn add(&self, rows: u64, entries: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    /// Rows, then entries.
    pub(crate) fn read(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.entries.load(Ordering::Relaxed))
    }
}

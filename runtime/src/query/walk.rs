//! Ways through a table: its rows, an index, or a list of keys.

use crate::disk::{IndexEntries, Rows};
use crate::error::{Error, Result};

/// A way through a table that has been entered.
pub(crate) enum Walk {
    Rows(Rows),
    Index(IndexEntries),
    Keys(std::vec::IntoIter<Vec<u8>>),
}

/// What comes next on the way.
pub(crate) enum Step<R> {
    /// A row, or why it is none.
    Row(Vec<u8>, Result<R>),
    /// The same, found through an index.
    Entry(Vec<u8>, Result<R>),
    /// What a transaction has written anew.
    Skipped,
    /// The storage failed.
    Failed(Error),
    End,
}

impl Walk {
    /// The next key, without its row.
    pub(crate) fn key(&mut self, is_back: bool) -> Option<Result<Vec<u8>>> {
        match self {
            Self::Rows(rows) => rows.step_with(is_back, |key, _| key.to_vec()),
            Self::Index(entries) => entries.next_key(is_back),
            Self::Keys(keys) => keys.next().map(Ok),
        }
    }
}

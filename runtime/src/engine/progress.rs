//! Reports of long work and of damaged files, beside their results.

use std::fmt;

/// A report of long work, or of something wrong that does not stop the work; shown with `Display`.
///
/// Given to the closure of [`Builder::on_progress`](crate::Builder::on_progress).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Rows of a table that this code declares anew are read out of the document.
    Rebuild {
        /// The table.
        table: String,
        /// Rows so far.
        done: u64,
    },
    /// A file that an earlier version of heirloom has written is brought to the current format.
    Upgrade {
        /// Parts of the history so far.
        done: u64,
        /// Parts of the history.
        total: u64,
    },
    /// Defaults are written out, by `backfill_defaults`.
    Backfill {
        /// The table.
        table: String,
        /// Rows looked at so far.
        done: u64,
        /// Rows in the table.
        total: u64,
    },
    /// Rows of an earlier epoch, or of an earlier generation, are converted.
    Migrate {
        /// The table, by its name in the epoch that the rows come from.
        table: String,
        /// The epoch that they go to.
        epoch: u32,
        /// Rows so far.
        done: u64,
        /// Rows in the table.
        total: u64,
    },
    /// Changes of another device are applied.
    Merge {
        /// Rows and entries so far.
        done: u64,
        /// Rows and entries that the changes touch.
        total: u64,
    },
    /// An index is built, a piece at a time.
    Index {
        /// The table.
        table: String,
        /// The stored names of the fields that the index orders rows by.
        fields: String,
        /// Rows of this piece.
        rows: u64,
        /// Whether it was the last, and queries use the index from now on.
        complete: bool,
    },
    /// Something is wrong that does not stop the work: a part of the document cannot be read (the
    /// rest was loaded, and the changes of a device that has the part fill it in), or upkeep in the
    /// background failed (it is tried again).
    Problem {
        /// The problem, in words.
        what: String,
    },
}

/// How many rows pass between two reports.
pub(crate) const REPORT_EVERY_ROWS: u64 = 10_000;

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rebuild { table, done } => write!(f, "rebuilding table `{table}`: {done} rows"),
            Self::Upgrade { done, total } => {
                write!(f, "upgrading the file: {done} of {total} parts of its history")
            }
            Self::Backfill { table, done, total } => {
                write!(f, "writing defaults of table `{table}`: {done} of {total} rows")
            }
            Self::Migrate { table, epoch, done, total } => {
                write!(f, "migrating table `{table}` to epoch {epoch}: {done} of {total} rows")
            }
            Self::Merge { done, total } => write!(f, "merging: {done} of {total} changes"),
            Self::Index { table, fields, rows, complete } => {
                let state = if *complete { "complete" } else { "going on" };
                write!(f, "indexing table `{table}` by {fields}: {rows} rows more, {state}")
            }
            Self::Problem { what } => write!(f, "problem: {what}"),
        }
    }
}

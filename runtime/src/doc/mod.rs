//! The only module that names yrs: documents of root maps, written, merged and compared.

mod document;
mod entry;
mod history;
mod merge;
mod plain;
mod version;
mod waiting;

pub(crate) use document::{BOOKKEEPING, Document, Op, Root, Writes};
pub(crate) use entry::Entry;
pub(crate) use history::History;
pub(crate) use merge::{ChangedKeys, Merged, Removed};
pub(crate) use plain::update_of;
pub(crate) use version::DocVersion;

use std::fmt;

/// Bytes that are no update, or that yrs cannot integrate.
#[derive(Debug)]
pub(crate) struct BadUpdate(String);

impl fmt::Display for BadUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadUpdate {}

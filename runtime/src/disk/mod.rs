//! The only module that names redb: the file, its tables, and one commit at a time.

mod backend;
mod commit;
mod counts;
mod device;
mod failure;
mod fetched;
mod file;
mod index;
mod index_facts;
mod mark;
mod names;
mod record;
mod rows;
mod scratch;
mod view;

pub use backend::{StorageHook, StorageOp};
pub(crate) use commit::{Commit, RowsMut};
pub(crate) use fetched::{Fetched, Keys};
pub(crate) use file::{Disk, Location, StorageOptions};
pub(crate) use index::{IndexChange, IndexEntries, IndexEntry, Span};
pub(crate) use index_facts::{IndexFact, IndexFacts};
pub(crate) use mark::Mark;
pub(crate) use names::{HEAD_DOCUMENT, index as index_name};
pub(crate) use record::{Record, RecordKind};
pub(crate) use rows::{Rows, StoredRow};
pub(crate) use scratch::Scratch;
pub(crate) use view::{Entries, Meta, Stored, View, ViewNames};

/// The file format this code writes, and the newest it reads.
pub(crate) const FORMAT: u64 = 1;

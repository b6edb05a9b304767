//! The only module that names redb: the file, its tables, and one commit at a time.

mod backend;
mod blocks;
mod bookkeeping;
mod commit;
mod copy;
mod damaged_blocks;
mod dead;
mod device;
mod document;
mod failure;
mod fetched;
mod file;
mod format_1;
mod index;
mod index_blocks;
mod index_entries;
mod index_facts;
mod journal;
mod keys;
mod live;
mod lost;
mod mark;
mod meta;
mod names;
mod paths;
mod rekey;
mod row_writer;
mod rows;
mod scratch;
mod seal;
mod staged;
mod totals;
mod trees;
mod view;

pub use backend::{StorageHook, StorageOp};
pub(crate) use commit::Commit;
pub(crate) use damaged_blocks::DamagedBlock;
pub(crate) use document::StoredDocument;
pub(crate) use fetched::{Fetched, Keys};
pub(crate) use file::{Access, Disk, Location, StorageOptions};
pub(crate) use format_1::OldRows;
pub(crate) use index::{IndexChange, IndexEntry, Span, after_prefix};
pub(crate) use index_blocks::index_tables;
pub(crate) use index_entries::{EntryChunk, IndexEntries};
pub(crate) use index_facts::{IndexFact, IndexFacts};
pub(crate) use mark::Mark;
pub(crate) use meta::Meta;
pub(crate) use names::{FORMAT as FORMAT_FACT, HEAD_DOCUMENT, index as index_name};
pub(crate) use rows::{Rows, StoredRow};
pub(crate) use scratch::Scratch;
pub(crate) use staged::{EntryChange, Shown, StagedDocument};
pub use totals::Totals;
pub(crate) use view::{View, ViewNames};

/// The file format this code writes, and the newest it reads.
pub(crate) const FORMAT: u64 = 2;

//! The handles a user holds: typed tables, entries, transactions and snapshots of an open store.

mod builder;
mod codec;
mod entry;
mod handle;
mod invalid;
mod kv;
mod observe;
mod overlay;
mod overlay_rows;
mod read;
mod rows;
mod snapshot;
mod status;
mod table;
mod trait_store;
mod transaction;

pub use builder::{Builder, Durability};
pub use entry::{Entry, EntryMaker};
pub use handle::{Attach, GroupOf, Handle, TableOf};
pub use invalid::InvalidRow;
pub use kv::Kv;
pub use observe::{EntryChange, KvChanges, RowChange, TableChanges};
pub use rows::Rows;
pub use snapshot::Snapshot;
pub use status::Status;
pub use table::Table;
pub use trait_store::Store;
pub use transaction::Transaction;

pub(crate) use overlay::write_back;

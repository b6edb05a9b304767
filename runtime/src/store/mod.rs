//! The handles a user holds: typed tables, entries, transactions and snapshots of an open store.

mod asking;
mod builder;
mod codec;
mod conflicts;
mod derived;
mod entry;
mod handle;
mod invalid;
mod kv;
mod link;
mod migration;
mod observe;
mod overlay;
mod overlay_rows;
mod query;
mod read;
mod rows;
mod snapshot;
mod status;
mod table;
mod trait_store;
mod transaction;
mod watch;

pub use builder::{Builder, Durability};
pub use conflicts::Conflict;
pub use derived::Derived;
pub use entry::{Entry, EntryMaker};
pub use handle::{Attach, GroupOf, Handle, TableOf};
pub use invalid::InvalidRow;
pub use kv::Kv;
pub use link::{GroupLink, NoLink, TableLink};
pub use migration::{Before, Migration, run_migrate};
pub use observe::{EntryChange, KvChanges, RowChange, TableChanges};
pub use query::{AsOf, Committed, Query, QueryRows, Within};
pub use rows::Rows;
pub use snapshot::Snapshot;
pub use status::Status;
pub use table::Table;
pub use trait_store::Store;
pub use transaction::Transaction;
pub use watch::{Deltas, Watch};

pub(crate) use overlay::write_back;

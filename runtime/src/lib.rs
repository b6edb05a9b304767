//! A typed, local-first database for Rust apps.
#![doc(test(attr(allow(dead_code))))]

#[doc(hidden)]
pub mod __private;
mod disk;
mod doc;
mod engine;
mod error;
mod evolve;
mod row;
mod schema;
mod store;
pub mod sync;

#[doc(inline)]
pub use disk::Origin;
#[doc(inline)]
pub use engine::{ChangeKind, CheckReport, Progress, Subscription};
#[doc(inline)]
pub use error::{Error, ErrorKind, Result};
#[doc(inline)]
pub use row::{Group, Id, Key, KeyError, ParseIdError, Record, Row};
#[doc(inline)]
pub use store::{
    Builder, Durability, Entry, EntryChange, GroupOf, InvalidRow, Kv, KvChanges, RowChange, Rows,
    Snapshot, Store, Table, TableChanges, TableOf, Transaction,
};

pub use heirloom_macros::{Key, Kv, Store, Table};

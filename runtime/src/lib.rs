//! A typed, local-first database for Rust apps, whose data outlives every version of the app.
//!
//! Derive a store from plain structs; open it; read and write rows. Rows are kept in one file on
//! each device and read at the speed of an embedded database. Any two copies of a store merge.
//! Structs gain fields for years, and rows of any age go on being read, by code of any age.
//!
//! ```
//! use heirloom::{Id, Kv, Store, Table};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
//! #[table(name = "tasks")]
//! struct Task {
//!     id: Id<Task>,
//!     title: String,
//!     // Rows written before this field existed read as `false`.
//!     #[evolve(default)]
//!     done: bool,
//! }
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
//! #[kv(name = "settings")]
//! struct Settings {
//!     #[evolve(default = "light")]
//!     theme: String,
//! }
//!
//! #[derive(Store)]
//! #[store(name = "todo")]
//! struct Todo {
//!     tasks: Table<Task>,
//!     settings: Kv<Settings>,
//! }
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("todo.redb");
//! let app = Todo::open(&path)?;
//! let task = Task { id: Id::new(), title: "water the plants".into(), done: false };
//! app.tasks.insert(&task)?;
//! app.tasks.update(&task.id, |task| task.done = true)?;
//! assert!(app.tasks.get(&task.id)?.unwrap().done);
//! assert_eq!(app.settings.theme.get()?, "light");
//! # Ok::<(), heirloom::Error>(())
//! ```
//!
//! # Where to look
//!
//! - The derives: [`Store`](macro@Store), [`Table`](macro@Table), [`Kv`](macro@Kv),
//!   [`Key`](macro@Key), [`Fields`](macro@Fields).
//! - Reading and writing: [`Table`](struct@Table), [`Entry`], [`Store::transaction`], [`Store::snapshot`].
//! - Opening: [`Store::open`], [`Builder`].
//! - Asking for rows: [`Table::filter`], [`Column`], [`Query`].
//! - Being told of changes: [`Table::observe`], [`Entry::observe`].
//! - Lists that stay up to date: [`Query::watch`], [`Store::watch`].
//! - Other devices: [`sync`].
//! - Versions of the schema: [`schema`], [`Store::status`], [`inspect`].
//! - Breaking changes: [`Store::preview_migration`], [`Migration`], [`OnInvalid`], [`Store::quarantine`],
//!   [`Store::open_epoch`], [`Store::prune_epochs`], [`Store::compact_history`].
//! - What can go wrong: [`ErrorKind`], [`Table::invalid`].
//!
//! # Rows are JSON
//!
//! A row is stored as the JSON object that serde makes of its struct. `rename`, `rename_all`,
//! `alias`, `default`, `skip_serializing_if` and `with` are honoured; what would lose data, such as
//! `flatten` or `skip`, is refused at compile time with the reason. In an `Option<Option<T>>` an
//! absent field is `None` and `null` is `Some(None)`. A NaN or an infinity is refused when it is
//! written, since JSON would turn it into `null`.

#![doc(test(attr(allow(dead_code))))]

/// The README's code blocks, compiled and run with the other doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Those of the guides.
#[cfg(doctest)]
#[doc = include_str!("../../docs/changing-your-schema.md")]
struct ChangingYourSchema;

#[cfg(doctest)]
#[doc = include_str!("../../docs/breaking-changes.md")]
struct BreakingChanges;

#[cfg(doctest)]
#[doc = include_str!("../../docs/asking-for-rows.md")]
struct AskingForRows;

#[doc(hidden)]
pub mod __private;
mod disk;
mod doc;
mod engine;
mod epoch;
mod error;
mod evolve;
pub mod inspect;
mod query;
mod recorder;
mod row;
pub mod schema;
mod store;
pub mod sync;

#[doc(inline)]
pub use engine::{ChangeKind, CheckReport, OnInvalid, Origin, Progress, Subscription};
#[doc(inline)]
pub use error::{Error, ErrorKind, Result};
#[doc(inline)]
pub use query::{
    Column, ColumnItem, ColumnOperand, Contains, ContainsColumn, Delta, Expr, FieldPath, Inserted,
    IntoOrder, Leads, Moved, Operand, Optional, OptionalColumn, Order, Ordered, OrderedColumn,
    Removed, Text, TextColumn, Unnamed, Updated,
};
#[doc(inline)]
pub use row::{Group, Id, Key, Record, Row};
#[doc(inline)]
pub use store::{
    AsOf, Builder, Committed, Conflict, Deltas, Durability, Entry, EntryChange, GroupOf,
    HistoryStats, InvalidPreview, InvalidRow, Kv, KvChanges, Migration, Preview, PreviousStore,
    Pruned, PrunedEpoch, Quarantined, Query, QueryRows, RowChange, Rows, Sample, Snapshot, Status,
    Store, Table, TableChanges, TableOf, TablePreview, Transaction, Watch, WatchValue, Within,
};

pub use heirloom_macros::{Fields, Key, Kv, Store, Table};

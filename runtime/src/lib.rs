//! A typed, local-first database for Rust apps, whose data outlives every version of the app.
//!
//! Derive a store from plain structs; open it; read and write rows. Rows are kept in one file on
//! each device and read at the speed of an embedded database. Any two copies of a store merge.
//! Structs gain fields for years, and code of any age reads rows of any age.
//!
//! Do not use it as a server's database for many users, for data larger than a device can hold, or for
//! text that two people edit letter by letter: rows merge as a whole, or field by field.
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
//! # How do I …
//!
//! | … | see |
//! |---|---|
//! | declare tables, keys and settings? | the derives [`Store`](macro@Store), [`Table`](macro@Table), [`Kv`](macro@Kv), [`Key`](macro@Key) |
//! | read and write rows, several of them at once? | [`Table`](struct@Table), [`Entry`], [`Store::transaction`], [`Store::snapshot`] |
//! | open a store, choose what a commit waits for, test without a file? | [`Store::open`], [`Builder`], [`Durability`], [`Store::in_memory`] |
//! | find rows by something other than their key, in an order, fast? | [`query`], [`Column`], [`Query::explain`] |
//! | refer from one row to another, and keep that in order? | [`Ref`], [`Store::dangling`] |
//! | keep a list or a number on the screen up to date? | [`watch`] |
//! | take data out and in as text? | [`transfer`] |
//! | test an app with two devices, or with files of old versions? | [`testing`] |
//! | bring two devices together, and which edit wins if both have edited? | [`sync`] |
//! | add, remove or rename a field without losing data? | [`#[evolve(…)]`](macro@Table#defaults-evolvedefault-), [`schema`] |
//! | make a breaking change, such as another type or another key? | [`migration`] |
//! | refuse rows that break a rule, and find those that do? | `#[check(…)]`, [`Table::violations`], [`Violation`] |
//! | find and repair rows that do not decode? | [`Table::invalid`], [`InvalidRow`], [`Table::repair`] |
//! | know whether another device has a newer version of the app? | [`Store::status`], [`Store::on_newer_schema`], [`Builder::refuse_newer_schema`] |
//! | back a store up, check a file, look into one without its types? | [`Store::backup`], [`Store::check`], [`inspect`] |
//! | distinguish errors? | [`Error`], [`ErrorKind`] |
//!
//! # Rows are JSON
//!
//! A row is stored as the JSON object that serde makes of its struct. serde's `rename`, `rename_all`,
//! `alias`, `default`, `skip_serializing_if` and `with` work; an attribute that would lose data, such
//! as `flatten` or `skip`, is refused at compile time with the reason. In an `Option<Option<T>>` an
//! absent field is `None` and `null` is `Some(None)`. A NaN or an infinity is refused when it is
//! written, since JSON would turn it into `null`.
//!
//! # Crates, features, Rust version
//!
//! An app depends on `heirloom`, `serde` (with `derive`) and `schemars`.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `bigdecimal`, `chrono`, `indexmap`, `jiff`, `rust_decimal`, `semver`, `smol_str`, `time`, `url` | off | the types of that crate in rows: their serde and JSON Schema, and how they compare; see [`Comparable`](trait@Comparable) and the guide `docs/foreign-types.md` |
//! | `collation` | off | `query::Collation`: orders of texts in a language |
//! | `csv` | off | `Table::export_csv` and `Table::import_csv` |
//! | `stream` | off | `futures_core::Stream` for [`watch::Watch`], for any executor |
//!
//! The minimum supported Rust version is 1.95. There is no async runtime, no network and no global
//! state: calls block, reads never wait for writers, and a store is `Send + Sync`.

#![doc(test(attr(allow(dead_code))))]

#[doc(hidden)]
pub mod __private;
mod disk;
mod doc;
mod engine;
mod epoch;
mod error;
mod evolve;
pub mod inspect;
pub mod migration;
pub mod query;
mod recorder;
mod row;
pub mod schema;
mod store;
pub mod sync;
pub mod testing;
pub mod transfer;
pub mod watch;

#[doc(inline)]
pub use engine::Progress;
#[doc(inline)]
pub use error::{Error, ErrorKind, Result};
#[doc(inline)]
pub use query::column::Column;
#[doc(hidden)]
pub use row::BorrowedFrom;
#[doc(inline)]
pub use row::{Comparable, Id, Key, Open, Ref, Row};
#[doc(inline)]
pub use store::{
    Builder, Durability, Entry, InvalidRow, Kv, Query, Snapshot, Store, Table, Transaction,
    Violation,
};

pub use heirloom_macros::{Comparable, Fields, Key, Kv, Store, Table};

/// The examples in the docs of the derives, whose crate cannot depend on this one.
#[cfg(doctest)]
mod derives {
    #[doc = include_str!("../../macros/docs/comparable.md")]
    struct Comparable;
    #[doc = include_str!("../../macros/docs/fields.md")]
    struct Fields;
    #[doc = include_str!("../../macros/docs/key.md")]
    struct Key;
    #[doc = include_str!("../../macros/docs/kv.md")]
    struct Kv;
    #[doc = include_str!("../../macros/docs/store.md")]
    struct Store;
    #[doc = include_str!("../../macros/docs/table.md")]
    struct Table;
}

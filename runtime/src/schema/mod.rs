//! The schema of a store: described as data, fingerprinted, compared, and kept in a history file.
//!
//! Use it in a build script or a test that judges a change before it ships, and in tools that look
//! at files of any age. An app needs none of it to run: the derives and [`Store::open`](crate::Store::open)
//! compare schemas themselves. Nothing here reads or writes a file.
//!
//! ```
//! use heirloom::schema::Class;
//! use heirloom::{Store, Table};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! mod last_year {
//! #   use heirloom::{Store, Table};
//! #   use schemars::JsonSchema;
//! #   use serde::{Deserialize, Serialize};
//!     #[derive(Serialize, Deserialize, JsonSchema, Table)]
//!     #[table(name = "notes")]
//!     pub struct Note { #[key] pub name: String }
//!
//!     #[derive(Store)]
//!     #[store(name = "app")]
//!     pub struct App { pub notes: Table<Note> }
//! }
//!
//! #[derive(Serialize, Deserialize, JsonSchema, Table)]
//! #[table(name = "notes")]
//! struct Note { #[key] name: String, stars: Option<u8> }
//!
//! #[derive(Store)]
//! #[store(name = "app")]
//! struct App { notes: Table<Note> }
//!
//! let diff = last_year::App::schema().diff(&App::schema());
//! let change = &diff.iter().next().unwrap();
//! assert_eq!((change.rule(), change.class()), ("field-added-optional", Class::Additive));
//! ```
//!
//! The traits [`Record`], [`Group`], [`TableOf`] and [`GroupOf`] are implemented by the derives. Code
//! that is generic over rows or stores names them: `R: TableOf<S>` is a row that has a table in the
//! store `S`.

pub(crate) mod describe;
pub(crate) mod descriptor;
pub(crate) mod guard;
pub(crate) mod step;

mod age;
mod canonical;
mod code;
mod described;
mod diff;
mod history;

#[doc(inline)]
pub use crate::row::{Group, Record, UnknownVariant};
#[doc(inline)]
pub use crate::store::{GroupOf, TableOf};
pub(crate) use age::sort;
pub(crate) use code::{Break, Code, Comparison, Standing};
pub use described::{
    FieldDefault, FieldSchema, GroupSchema, IndexSchema, KeySchema, Reserved, Schema, TableSchema,
};
pub use diff::{Change, Class, Diff, Operation, Rule};
pub use history::{History, Version};

//! Exchanging changes with another copy of a store, over any transport.
//!
//! A copy sends a [`Summary`] of what it has; the other answers with the [`Changes`] it lacks; applying
//! them returns what was [`Applied`]. All three are plain values, and the first two travel as bytes.
//! Nothing here opens a socket: send the bytes over HTTP, Bluetooth or a file.
//!
//! ```
//! # use heirloom::{Store, Table};
//! # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
//! # struct Note { #[key] name: String }
//! # #[derive(Store)]
//! # struct App { notes: Table<Note> }
//! use heirloom::sync::{Changes, Summary};
//!
//! let (laptop, phone) = (App::in_memory()?, App::in_memory()?);
//! laptop.notes.insert(&Note { name: "milk".into() })?;
//!
//! let request: Vec<u8> = phone.summary()?.to_bytes();
//! let answer: Vec<u8> = laptop.changes_since(&Summary::from_bytes(&request)?)?.to_bytes();
//! let applied = phone.apply(&Changes::from_bytes(&answer)?)?;
//! assert_eq!(applied.rows(), 1);
//! assert_eq!(phone.notes.len()?, 1);
//! # Ok::<(), heirloom::Error>(())
//! ```
//!
//! # Who wins
//!
//! Applying is idempotent and does not depend on the order: copies that have applied each other's
//! changes hold the same.
//!
//! | two devices, without knowing of each other, | then |
//! |---|---|
//! | write different rows or entries | both writes stay |
//! | write the same row, also different fields of it | one row wins as a whole, the same on every device; the other is a [`LostEdit`] |
//! | write and remove the same row | the write wins, and the row comes back |
//! | insert rows with one value in a unique index | both rows stay; [`Table::conflicts`](crate::Table::conflicts) lists them |
//! | migrate to a new epoch | one migration wins; edits made on the other are carried over |
//!
//! Bytes that are damaged, or that come from another store, are refused before anything changes.

mod applied;
mod changes;
mod exchange;
mod frame;
mod summary;

#[doc(inline)]
pub use crate::store::{Conflict, LostEdit};
pub use applied::Applied;
pub use changes::Changes;
pub(crate) use exchange::{apply, changes_since, summary};
pub use summary::Summary;

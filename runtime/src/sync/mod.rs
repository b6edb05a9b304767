//! Exchanging changes with another copy of a store, by whatever transport.
//!
//! A copy says what it has in a [`Summary`]; the other answers with the [`Changes`] it lacks;
//! applying them tells what was [`Applied`]. All three are plain values, and the first two are
//! bytes on the way.
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

mod applied;
mod changes;
mod exchange;
mod frame;
mod summary;

#[doc(inline)]
pub use crate::store::Conflict;
pub use applied::Applied;
pub use changes::Changes;
pub(crate) use exchange::{apply, changes_since, summary};
pub use summary::Summary;

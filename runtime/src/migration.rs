//! Breaking changes: the `migrate` function, the preview, the quarantine, and old documents.
//!
//! A field that is renamed in the data, retyped or given up, a table that is split, another key: such
//! a change raises the `epoch` of the store and names the struct of the epoch before. Opening a file
//! of an earlier epoch then migrates it, in one commit. Additive changes need none of this: a new
//! field with `#[evolve(default)]` is enough.
//!
//! | to | use |
//! |---|---|
//! | see beforehand what a migration does | [`Store::preview_migration`](crate::Store::preview_migration), which gives a [`Preview`] |
//! | convert what crosses tables | `#[store(migrate = …)]`, which names a function of a [`Migration`] |
//! | say what happens to rows that cannot be converted | [`Builder::on_invalid`](crate::Builder::on_invalid) with an [`OnInvalid`] |
//! | look at rows that were kept aside | [`Store::quarantine`](crate::Store::quarantine), which lists [`Quarantined`] values |
//! | read the rows from before | [`Store::open_epoch`](crate::Store::open_epoch) |
//! | give up old documents | [`Store::prune_epochs`](crate::Store::prune_epochs), which says what was [`Pruned`] |
//! | shed the history of overwritten rows | [`Store::compact_history`](crate::Store::compact_history) |
//!
//! ```
//! # use heirloom::{Store, Table};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! mod v0 {
//! #   use heirloom::{Store, Table};
//! #   use schemars::JsonSchema;
//! #   use serde::{Deserialize, Serialize};
//!     #[derive(Serialize, Deserialize, JsonSchema, Table)]
//!     #[table(name = "notes")]
//!     pub struct Note { #[key] pub id: u32, pub text: String }
//!
//!     #[derive(Store)]
//!     #[store(name = "app")]
//!     pub struct App { pub notes: Table<Note> }
//! }
//!
//! #[derive(Serialize, Deserialize, JsonSchema, Table)]
//! #[table(name = "notes", previous = v0::Note)]
//! struct Note {
//!     #[key]
//!     id: u32,
//!     #[evolve(renamed_from = "text")]
//!     title: String,
//! }
//!
//! #[derive(Store)]
//! #[store(name = "app", epoch = 1, previous = v0::App)]
//! struct App { notes: Table<Note> }
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("app.redb");
//! v0::App::open(&path)?.notes.insert(&v0::Note { id: 7, text: "milk".into() })?;
//!
//! let app = App::open(&path)?;
//! assert_eq!(app.notes.get(&7)?.unwrap().title, "milk");
//! # Ok::<(), heirloom::Error>(())
//! ```

#[doc(inline)]
pub use crate::engine::OnInvalid;
#[doc(inline)]
pub use crate::store::{
    InvalidPreview, Migration, Preview, PreviousStore, Pruned, PrunedEpoch, Quarantined, Sample,
    TablePreview,
};

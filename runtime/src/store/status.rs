//! [`Status`]: how an open store stands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Engine, HistorySize, OldReaders, Subscription, Topic};
use crate::epoch::{EpochStatus, epoch_status};
use crate::error::Result;
use crate::schema::{Standing, Version};

/// The status of an open store, at one moment: the versions of its schema, how this code stands to
/// them, its epoch and its history.
///
/// Made by [`Store::status`](crate::Store::status).
///
/// ```
/// # use heirloom::{Id, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # mod next_year {
/// #     use super::*;
/// #     #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #     #[table(name = "notes")]
/// #     pub struct Note { pub id: Id<Note>, pub text: String, pub pinned: Option<bool> }
/// #     #[derive(Store)]
/// #     #[store(name = "app")]
/// #     pub struct App { pub notes: Table<Note> }
/// # }
/// # #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// # #[table(name = "notes")]
/// # struct Note { id: Id<Note>, text: String }
/// # #[derive(Store)]
/// # #[store(name = "app")]
/// # struct App { notes: Table<Note> }
/// # fn main() -> heirloom::Result<()> {
/// let app = App::in_memory()?;
/// assert!(app.status()?.newer_version().is_none());
///
/// // Another device runs the app of next year, in which a note may be pinned.
/// let other = next_year::App::in_memory()?;
/// app.apply(&other.changes_since(&app.summary()?)?)?;
///
/// let status = app.status()?;
/// let newer = status.newer_version().unwrap();
/// assert!(newer.schema().tables["notes"].fields.contains_key("pinned"));
/// assert_eq!(status.versions().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Status {
    device: Option<u64>,
    own: Version,
    newer: Option<Version>,
    newer_epoch: Option<u32>,
    versions: Vec<Version>,
    epochs: EpochStatus,
    history: HistoryStats,
    is_damaged: bool,
    readers: OldReaders,
}

/// The share of history in the store's document: the traces of overwritten and removed rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryStats {
    size: HistorySize,
}

impl HistoryStats {
    /// Returns the number of rows and entries.
    pub fn live_rows(&self) -> u64 {
        self.size.live_rows
    }

    /// Returns the number of bytes that the document takes in the file.
    pub fn document_bytes(&self) -> u64 {
        self.size.bytes
    }

    /// Returns the number of writes that the document remembers, for each live row. It is 1 in a
    /// fresh document; [`compact_history`](crate::Store::compact_history) brings it back there.
    pub fn items_per_live_row(&self) -> f64 {
        // Both are counts well below 2^52.
        self.size.items as f64 / self.size.live_rows.max(1) as f64
    }
}

/// Versions are shown by their names, without their schemas.
impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("device", &self.device)
            .field("version", &format_args!("{}", self.own))
            .field("newer_version", &self.newer.as_ref().map(Version::to_string))
            .field("epoch", &self.epoch())
            .field("newer_epoch", &self.newer_epoch)
            .field("versions", &self.versions.len())
            .field("generation", &self.epochs.generation)
            .field("uncarried_documents", &self.epochs.pending)
            .field("missing_documents", &self.epochs.missing)
            .field("history", &self.history)
            .field("is_damaged", &self.is_damaged)
            .field("old_snapshots", &self.readers.count)
            .finish()
    }
}

impl Status {
    /// Returns the epoch of the running code.
    pub fn epoch(&self) -> u32 {
        self.own.epoch()
    }

    /// Returns the version of the running code. It is recorded in the store with the first write.
    pub fn version(&self) -> &Version {
        &self.own
    }

    /// Returns the newest version of the same epoch that came after the running code. If there is
    /// one, the app has an update, and another device has it. This code goes on with what it knows,
    /// and keeps the rest.
    pub fn newer_version(&self) -> Option<&Version> {
        self.newer.as_ref()
    }

    /// Returns the newest epoch after that of the running code that another device has reached.
    pub fn newer_epoch(&self) -> Option<u32> {
        self.newer_epoch
    }

    /// Returns how often the epoch was rebuilt to shed its history.
    pub fn generation(&self) -> u32 {
        self.epochs.generation
    }

    /// Returns the number of documents, of earlier epochs or of migrations that another has
    /// replaced, that hold late edits which could not be carried yet, since a part of them has not
    /// arrived.
    pub fn uncarried_documents(&self) -> usize {
        self.epochs.pending
    }

    /// Returns the documents that other devices have migrated into, and that have not arrived here:
    /// this copy goes on with what it has.
    pub fn missing_documents(&self) -> &[String] {
        &self.epochs.missing
    }

    /// Returns how much of the document is history.
    pub fn history(&self) -> HistoryStats {
        self.history
    }

    /// Whether rows or entries are withheld from other devices, since they are damaged in the file.
    ///
    /// A damaged row, or a damaged record of what was written after what, is never given to a peer, nor what the
    /// same device wrote after it. Reading the row finds out, and so does
    /// [`changes_since`](crate::Store::changes_since); [`check`](crate::Store::check) reads the whole file, and
    /// names what is damaged. From then on the [summary](crate::Store::summary) asks other devices for it. It
    /// ends when each of them has come back, or was written over, repaired or removed.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// if app.status()?.is_damaged() {
    ///     for bad in app.notes.invalid()? {
    ///         eprintln!("{}: {}", bad.key(), bad.reason());
    ///     }
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Returns the number of snapshots that show an older state than the last commit, with
    /// iterators that still read from one.
    ///
    /// The file cannot use the space of what they see anew, and grows by all that is written meanwhile;
    /// [`compact`](crate::Store::compact) gives it back once they were dropped.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// let snapshot = app.snapshot()?;
    /// assert_eq!(app.status()?.old_snapshots(), 0);
    /// app.notes.insert(&Note { name: "milk".into() })?;
    /// assert_eq!(app.status()?.old_snapshots(), 1);
    /// drop(snapshot);
    /// assert_eq!(app.status()?.old_snapshots(), 0);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn old_snapshots(&self) -> usize {
        self.readers.count
    }

    /// Returns how long ago the oldest of the [old snapshots](Self::old_snapshots) was outdated by a
    /// commit; `None` if there is none.
    pub fn oldest_snapshot(&self) -> Option<Duration> {
        self.readers.oldest
    }

    /// Returns every version of the schema that code which has written to a copy of the store has
    /// had, the oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Returns the id under which this copy writes. It is made with the first write, and anew for a
    /// copy of the file, or if [`prune_epochs`](crate::Store::prune_epochs) gave up what was
    /// written under it.
    pub fn device(&self) -> Option<u64> {
        self.device
    }
}

pub(super) fn status(engine: &Engine) -> Result<Status> {
    let comparison = engine.comparison()?;
    let newest = |is: fn(&Standing) -> bool| {
        let found = comparison.iter().rev().find(|(_, standing)| is(standing));
        found.map(|(version, _)| version)
    };
    let newer = newest(|standing| matches!(standing, Standing::Newer)).cloned();
    let newer_version =
        newest(|standing| matches!(standing, Standing::NewerEpoch)).map(Version::epoch);
    let epochs = epoch_status(engine).map_err(|error| engine.placed(error))?;
    let newer_epoch = newer_version.max(epochs.newer);
    let history = HistoryStats { size: engine.history_size()? };
    Ok(Status {
        device: engine.device()?,
        own: comparison.own(),
        newer,
        newer_epoch,
        versions: comparison.into_versions(),
        epochs,
        history,
        is_damaged: engine.is_damaged()?,
        readers: engine.old_readers(),
    })
}

pub(super) fn on_newer_schema(
    engine: &Arc<Engine>,
    mut callback: impl FnMut(&Version) + Send + 'static,
) -> Subscription {
    let told = move |_, changes: &[crate::engine::Change]| {
        for change in changes {
            let json = change.json.as_deref();
            if let Some(version) = json.and_then(|json| serde_json::from_str(json).ok()) {
                callback(&version);
            }
        }
    };
    engine.hub.subscribe(Topic::Schema, Box::new(told))
}

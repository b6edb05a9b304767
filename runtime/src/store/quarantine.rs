//! [`Quarantined`]: what could not be carried from one epoch to the next.

use std::fmt;

use super::handle::{Handle, WeakHandle};
use crate::doc::Root;
use crate::engine::Engine;
use crate::epoch::{Kept, accept, dismiss, list};
use crate::error::{Error, ErrorKind, Result};

/// A row or entry that could not be converted, or that was edited on two sides of a migration: both
/// values are kept, and the app decides.
///
/// Listed by [`Store::quarantine`](crate::Store::quarantine). It travels to all devices, and a
/// decision on one of them holds for all.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Note { #[key] name: String }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// # let app = App::in_memory()?;
/// for kept in app.quarantine()? {
///     println!("{kept}");
///     println!("  here: {:?}, there: {}", kept.ours(), kept.theirs());
///     if kept.is_converted() {
///         kept.accept()?;
///     } else {
///         kept.dismiss()?;
///     }
/// }
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Quarantined {
    // A strong one would keep the store open.
    handle: WeakHandle,
    kept: Kept,
    root: Option<Root>,
}

impl fmt::Debug for Quarantined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantined")
            .field("table", &self.table())
            .field("group", &self.group())
            .field("key", &self.key())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Quarantined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.table(), self.group()) {
            (Some(table), _) => write!(f, "table `{table}`, key `{}`: ", self.key())?,
            (None, Some(group)) => write!(f, "group `{group}`, entry `{}`: ", self.key())?,
            (None, None) => write!(f, "`{}`: ", self.key())?,
        }
        f.write_str(self.reason())
    }
}

impl Quarantined {
    /// Returns the table that it belongs to; `None` for an entry of a kv group.
    pub fn table(&self) -> Option<&str> {
        match &self.root {
            Some(Root::Table(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the kv group that it belongs to; `None` for a row.
    pub fn group(&self) -> Option<&str> {
        match &self.root {
            Some(Root::Group(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the text of the row's key, or the stored name of the entry.
    pub fn key(&self) -> &str {
        &self.kept.key.at.key
    }

    /// Returns why it is in quarantine.
    pub fn reason(&self) -> &str {
        self.kept.edit.reason.as_deref().unwrap_or(
            "it was changed in an earlier epoch or by another migration, and has been changed here \
             since",
        )
    }

    /// Returns the epoch it was written in.
    pub fn epoch(&self) -> u32 {
        self.kept.edit.from.epoch
    }

    /// Returns the JSON that is in the store; `None` if there is nothing under the key.
    pub fn ours(&self) -> Option<&str> {
        self.kept.ours.as_deref()
    }

    /// Returns the JSON that was not carried: converted if possible, otherwise as it was written.
    pub fn theirs(&self) -> &str {
        let edit = &self.kept.edit;
        edit.value.as_deref().or(edit.raw.as_deref()).unwrap_or_default()
    }

    /// Whether [`theirs`](Self::theirs) is a row of this epoch, which [`accept`](Self::accept) can
    /// store.
    pub fn is_converted(&self) -> bool {
        self.kept.edit.value.is_some()
    }

    /// Accepts [`theirs`](Self::theirs): stores it in place of [`ours`](Self::ours), on all
    /// devices.
    ///
    /// A row that could not be converted is tried once more, with the conversion as it is now:
    /// alone, through all steps that are still ahead of it. If a `migrate` function is among them,
    /// it runs with that row alone to read; the other rows it makes are stored unless there is an
    /// edited row under their key.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if it still cannot be converted, or a `migrate`
    /// function refuses it; nothing is changed then. The error says why. Store a corrected row with
    /// `put`, and [`dismiss`](Self::dismiss) this one, which always works.
    /// [`NotFound`](crate::ErrorKind::NotFound) if it is not in quarantine any more;
    /// [`Closed`](crate::ErrorKind::Closed) if the store was closed.
    pub fn accept(&self) -> Result<()> {
        self.decide(accept)
    }

    /// Dismisses [`theirs`](Self::theirs), on all devices; [`ours`](Self::ours) stays.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) if it is not in quarantine any more;
    /// [`Closed`](crate::ErrorKind::Closed) if the store was closed.
    pub fn dismiss(&self) -> Result<()> {
        self.decide(dismiss)
    }

    fn decide(&self, decide: fn(&Engine, &Kept) -> Result<()>) -> Result<()> {
        let handle = self.handle.upgrade().ok_or_else(|| {
            Error::new(ErrorKind::Closed, "the store was closed")
                .help("keep the store open while deciding on its quarantine")
        })?;
        let decided = decide(handle.engine(), &self.kept);
        handle.maintain();
        decided.map_err(|error| handle.placed(error))
    }
}

pub(super) fn quarantine(handle: &Handle) -> Result<Vec<Quarantined>> {
    let engine = handle.engine();
    let kept = list(engine).map_err(|error| engine.placed(error))?;
    let quarantined = kept.into_iter().map(|kept| Quarantined {
        handle: handle.downgrade(),
        root: Root::parse(&kept.key.at.root),
        kept,
    });
    Ok(quarantined.collect())
}

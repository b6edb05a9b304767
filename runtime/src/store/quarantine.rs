//! [`Quarantined`]: what could not be carried from one epoch to the next.

use std::fmt;

use super::handle::{Handle, WeakHandle};
use crate::doc::Root;
use crate::engine::Engine;
use crate::epoch::{Kept, accept, dismiss, list};
use crate::error::{Error, ErrorKind, Result};

/// A row or entry that could not be taken over, or that was changed on two sides of a migration:
/// both values are kept, and the app decides.
///
/// Listed by [`Store::quarantine`](crate::Store::quarantine). It travels to all devices, and what one
/// of them decides holds for all.
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
    /// The table that it belongs to; `None` for an entry of a kv group.
    pub fn table(&self) -> Option<&str> {
        match &self.root {
            Some(Root::Table(name)) => Some(name),
            _ => None,
        }
    }

    /// The kv group that it belongs to; `None` for a row.
    pub fn group(&self) -> Option<&str> {
        match &self.root {
            Some(Root::Group(name)) => Some(name),
            _ => None,
        }
    }

    /// The text of the row's key, or the stored name of the entry.
    pub fn key(&self) -> &str {
        &self.kept.key.at.key
    }

    /// Why it is here.
    pub fn reason(&self) -> &str {
        self.kept.edit.reason.as_deref().unwrap_or(
            "it was changed in an earlier epoch or by another migration, and has been changed here \
             since",
        )
    }

    /// The epoch it was written in.
    pub fn epoch(&self) -> u32 {
        self.kept.key.source.epoch
    }

    /// The JSON that stands in the store; `None` where there is nothing under the key.
    pub fn ours(&self) -> Option<&str> {
        self.kept.ours.as_deref()
    }

    /// The JSON that was not carried: as it would be here, or as it was written where it cannot be
    /// converted.
    pub fn theirs(&self) -> &str {
        let edit = &self.kept.edit;
        edit.value.as_deref().or(edit.raw.as_deref()).unwrap_or_default()
    }

    /// Whether [`theirs`](Self::theirs) is a row of this epoch, which [`accept`](Self::accept) can
    /// store.
    pub fn is_converted(&self) -> bool {
        self.kept.edit.value.is_some()
    }

    /// Puts [`theirs`](Self::theirs) in the place of what stands there, on all devices.
    ///
    /// What could not be converted is tried once more, with the conversion as it is now: alone, through
    /// all steps that it has still to go. Where a `migrate` function is among them, it runs with that row
    /// alone to read, and what it makes beside the row is written as for a late edit: where nothing stands,
    /// or what such a function has made and nobody has changed.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) where it still cannot be converted, or a `migrate`
    /// function refuses it; nothing is changed then. The error says why. Store a corrected row with
    /// `put`, and [`dismiss`](Self::dismiss) this one, which always works.
    /// [`NotFound`](crate::ErrorKind::NotFound) where it is not in quarantine any more,
    /// [`Closed`](crate::ErrorKind::Closed) where the store was closed.
    pub fn accept(&self) -> Result<()> {
        self.decide(accept)
    }

    /// Lets go of [`theirs`](Self::theirs), on all devices; what stands in the store stays.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where it is not in quarantine any more,
    /// [`Closed`](crate::ErrorKind::Closed) where the store was closed.
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

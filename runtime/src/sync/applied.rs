//! [`Applied`]: what taking in changes did.

use crate::doc::Root;
use crate::engine::{ChangeKind, MergeOutcome};

/// The effect of applied changes on this copy: how its rows and entries differ from before.
///
/// It does not matter why they differ: by the changes themselves, by a late edit that was carried,
/// or because the store went over to the migration of another device.
#[derive(Debug, Default)]
pub struct Applied {
    outcome: MergeOutcome,
}

impl Applied {
    pub(super) fn new(outcome: MergeOutcome) -> Self {
        Self { outcome }
    }

    /// Whether no row and no entry has changed.
    pub fn is_empty(&self) -> bool {
        self.outcome.changed.is_empty()
    }

    /// Whether a part waits for changes that have not arrived. It is kept, and takes effect when
    /// the rest is applied.
    pub fn is_pending(&self) -> bool {
        self.outcome.pending
    }

    /// Returns the number of rows of this code's tables that changed, each counted once.
    pub fn rows(&self) -> usize {
        self.tables().map(|(_, changes)| changes.len()).sum()
    }

    /// Returns the number of entries of kv groups that changed, each counted once.
    pub fn entries(&self) -> usize {
        self.groups().map(|(_, changes)| changes.len()).sum()
    }

    /// Iterates over the changed tables, each with the key texts of its changed rows.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &[(String, ChangeKind)])> {
        self.outcome.changed.iter().filter_map(|(root, changes)| match root {
            Root::Table(name) => Some((name.as_str(), changes.as_slice())),
            _ => None,
        })
    }

    /// Iterates over the changed kv groups, each with the stored names of its changed entries.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[(String, ChangeKind)])> {
        self.outcome.changed.iter().filter_map(|(root, changes)| match root {
            Root::Group(name) => Some((name.as_str(), changes.as_slice())),
            _ => None,
        })
    }
}

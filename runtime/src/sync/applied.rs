//! [`Applied`]: what taking in changes did.

use crate::doc::Root;
use crate::engine::{ChangeKind, MergeOutcome};

/// What taking in changes did to this copy: how what can be read differs from before.
///
/// That is so in whatever way it came to differ: by the changes themselves, by an edit of old code
/// that was carried over, or since the store went over to the migration of another device.
#[derive(Debug, Default)]
pub struct Applied {
    outcome: MergeOutcome,
}

impl Applied {
    pub(super) fn new(outcome: MergeOutcome) -> Self {
        Self { outcome }
    }

    /// Whether no row and no entry is different now.
    pub fn is_empty(&self) -> bool {
        self.outcome.changed.is_empty()
    }

    /// Whether a part waits for changes that have not arrived. It is kept, and takes effect when
    /// the rest is applied.
    pub fn is_pending(&self) -> bool {
        self.outcome.pending
    }

    /// How many rows of this code's tables changed, each counted once.
    pub fn rows(&self) -> usize {
        self.tables().map(|(_, changes)| changes.len()).sum()
    }

    /// How many entries of kv groups changed, each counted once.
    pub fn entries(&self) -> usize {
        self.groups().map(|(_, changes)| changes.len()).sum()
    }

    /// The changed tables, each with the key texts of its changed rows.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &[(String, ChangeKind)])> {
        self.outcome.changed.iter().filter_map(|(root, changes)| match root {
            Root::Table(name) => Some((name.as_str(), changes.as_slice())),
            _ => None,
        })
    }

    /// The changed kv groups, each with the stored names of its changed entries.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[(String, ChangeKind)])> {
        self.outcome.changed.iter().filter_map(|(root, changes)| match root {
            Root::Group(name) => Some((name.as_str(), changes.as_slice())),
            _ => None,
        })
    }
}

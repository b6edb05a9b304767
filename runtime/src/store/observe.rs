//! What observers are given.

use std::fmt;

use crate::engine::{Change, ChangeKind, Origin};
use crate::row::{Key, Row};

/// The rows of a table that one transaction changed.
pub struct TableChanges<R: Row> {
    origin: Origin,
    changes: Vec<RowChange<R>>,
}

/// A changed row.
pub struct RowChange<R: Row> {
    key: R::Key,
    kind: ChangeKind,
}

impl<R: Row> TableChanges<R> {
    pub(super) fn new(origin: Origin, changes: &[Change]) -> Self {
        let changes = changes.iter().filter_map(|change| {
            let key = R::Key::from_text(&change.key).ok()?;
            Some(RowChange { key, kind: change.kind })
        });
        Self { origin, changes: changes.collect() }
    }

    /// Returns whether this copy made the transaction, or merged it from another.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Iterates over the changed rows, each once.
    pub fn iter(&self) -> std::slice::Iter<'_, RowChange<R>> {
        self.changes.iter()
    }

    /// Returns the number of changed rows.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether no row changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<'c, R: Row> IntoIterator for &'c TableChanges<R> {
    type Item = &'c RowChange<R>;
    type IntoIter = std::slice::Iter<'c, RowChange<R>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<R: Row> fmt::Debug for TableChanges<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableChanges")
            .field("table", &R::TABLE)
            .field("origin", &self.origin)
            .field("changes", &self.changes)
            .finish()
    }
}

impl<R: Row> RowChange<R> {
    /// Returns the row's key.
    pub fn key(&self) -> &R::Key {
        &self.key
    }

    /// Returns whether the row was inserted, updated or removed.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }
}

impl<R: Row> fmt::Debug for RowChange<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.key.to_text())
    }
}

/// The entries of a kv group that one transaction changed.
#[derive(Debug)]
pub struct KvChanges {
    origin: Origin,
    changes: Vec<EntryChange>,
}

/// A changed entry.
#[derive(Debug)]
pub struct EntryChange {
    name: String,
    kind: ChangeKind,
}

impl KvChanges {
    pub(super) fn new(origin: Origin, changes: &[Change]) -> Self {
        let changes = changes
            .iter()
            .map(|change| EntryChange { name: change.key.clone(), kind: change.kind });
        Self { origin, changes: changes.collect() }
    }

    /// Returns whether this copy made the transaction, or merged it from another.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Iterates over the changed entries, each once.
    pub fn iter(&self) -> std::slice::Iter<'_, EntryChange> {
        self.changes.iter()
    }
}

impl EntryChange {
    /// Returns the stored name of the entry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the entry was set, set again, or reset to its default: `Inserted`,
    /// `Updated`, `Removed`.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }
}

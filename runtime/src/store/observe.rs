//! The changes that observers are given.

use std::fmt;
use std::sync::Arc;

use super::read::typed_row;
use crate::disk::View;
use crate::engine::{Change, ChangeKind, Engine, Origin, Views};
use crate::error::Result;
use crate::row::{Key, Row};
use crate::schema::descriptor::TableIdx;

/// The rows of a table that one transaction changed.
pub struct TableChanges<R: Row> {
    origin: Origin,
    changes: Vec<RowChange<R>>,
}

/// A changed row.
pub struct RowChange<R: Row> {
    key: R::Key,
    kind: ChangeKind,
    rows: Arc<ChangedRows>,
}

/// The views that changed rows are read from.
pub(super) struct ChangedRows {
    pub(super) engine: Arc<Engine>,
    pub(super) table_idx: TableIdx,
    pub(super) views: Views,
}

impl ChangedRows {
    fn read<R: Row>(&self, view: &View, key: &R::Key) -> Result<Option<R>> {
        let read = || {
            self.engine.read_counts.add(1, 0);
            let stored = view.row(self.table_idx, key.to_bytes().as_slice())?;
            stored.map(|stored| typed_row(key, &stored)).transpose()
        };
        read().map_err(|error| self.engine.placed(error.at_table(R::TABLE)))
    }
}

impl<R: Row> TableChanges<R> {
    pub(super) fn new(origin: Origin, changes: &[Change], rows: ChangedRows) -> Self {
        let rows = Arc::new(rows);
        let changes = changes.iter().filter_map(|change| {
            let key = R::Key::from_text(&change.key).ok()?;
            Some(RowChange { key, kind: change.kind, rows: rows.clone() })
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

    /// Returns the row as it was before the transaction; `None` if there was none.
    ///
    /// The row is read and decoded when this is called, which costs as much as
    /// [`Table::get`](crate::Table::get).
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] name: String, cents: i64 }
    /// # #[derive(Store)]
    /// # struct App { accounts: Table<Account> }
    /// # let app = App::in_memory()?;
    /// # app.accounts.insert(&Account { name: "giro".into(), cents: 100 })?;
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let _subscription = app.accounts.observe(move |changes| {
    ///     for change in changes.iter() {
    ///         if let (Ok(Some(before)), Ok(Some(after))) = (change.before(), change.after()) {
    ///             let _ = tell.send(after.cents - before.cents);
    ///         }
    ///     }
    /// })?;
    /// app.accounts.update("giro", |account| account.cents -= 30)?;
    /// assert_eq!(told.try_recv(), Ok(-30));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the row does not decode;
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it is damaged;
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    pub fn before(&self) -> Result<Option<R>> {
        if self.kind == ChangeKind::Inserted {
            return Ok(None);
        }
        self.rows.read(&self.rows.views.before, &self.key)
    }

    /// Returns the row as the transaction left it; `None` if it was removed. Commits that came after
    /// do not show.
    ///
    /// The row is read and decoded when this is called, as by [`before`](Self::before).
    ///
    /// # Errors
    ///
    /// The errors of [`before`](Self::before).
    pub fn after(&self) -> Result<Option<R>> {
        if self.kind == ChangeKind::Removed {
            return Ok(None);
        }
        self.rows.read(&self.rows.views.after, &self.key)
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

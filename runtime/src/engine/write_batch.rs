//! [`WriteBatch`]: the writes of a transaction, before any of it is written.

use std::collections::BTreeMap;

use crate::schema::descriptor::{GroupIdx, TableIdx};

/// The new state of one row or entry, without room to spare: a transaction may have many.
#[derive(Debug, Clone)]
pub(crate) struct RowOp {
    /// The key's text, which names the entry in the document.
    pub(crate) key: Box<str>,
    /// The JSON to store; `None` removes.
    pub(crate) json: Option<Box<str>>,
    /// Whether there was one before the transaction.
    pub(crate) existed: bool,
    /// Whether fields of a row were changed that was there before, and nothing else was done to it.
    pub(crate) is_edit: bool,
    /// The references of the row: the number of each, and the bytes of a key.
    pub(crate) refers_to: Box<[(usize, Vec<u8>)]>,
}

impl RowOp {
    pub(crate) fn new(
        key: impl Into<Box<str>>,
        json: Option<Box<str>>,
        existed: bool,
        is_edit: bool,
        refers_to: Vec<(usize, Vec<u8>)>,
    ) -> Self {
        Self { key: key.into(), json, existed, is_edit, refers_to: refers_to.into() }
    }
}

/// Rows of one table, by key bytes.
pub(crate) type RowOps = BTreeMap<Box<[u8]>, RowOp>;

/// The rows and entries that a transaction changes, each once, in its last state.
#[derive(Debug, Default)]
pub(crate) struct WriteBatch {
    /// By table, then by key bytes, so that the file is written in its own order.
    pub(crate) tables: BTreeMap<TableIdx, RowOps>,
    /// By group, then by stored name.
    pub(crate) groups: BTreeMap<GroupIdx, BTreeMap<Box<str>, RowOp>>,
    /// Rows to remove whose key text does not parse as the table's key type.
    pub(crate) strays: Vec<(TableIdx, String)>,
    /// The time of the transaction, in milliseconds since 1970.
    pub(crate) now: i64,
    /// Whether rows come with their times, as imported ones do.
    pub(crate) has_times: bool,
}

impl WriteBatch {
    /// A transaction at this time.
    pub(super) fn at(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    /// Returns the write of the transaction to a row so far.
    pub(crate) fn row(&self, table_idx: TableIdx, key: &[u8]) -> Option<&RowOp> {
        self.tables.get(&table_idx)?.get(key)
    }

    /// The greatest key of the rows of a table that the transaction has changed so far.
    pub(crate) fn greatest_key(&self, table_idx: TableIdx) -> Option<&[u8]> {
        self.tables.get(&table_idx)?.last_key_value().map(|(key, _)| &**key)
    }

    /// Returns the write of the transaction to an entry so far.
    pub(crate) fn entry(&self, group_idx: GroupIdx, name: &str) -> Option<&RowOp> {
        self.groups.get(&group_idx)?.get(name)
    }

    pub(crate) fn set_row(&mut self, table_idx: TableIdx, key: Box<[u8]>, op: RowOp) {
        self.tables.entry(table_idx).or_default().insert(key, op);
    }

    pub(crate) fn set_entry(&mut self, group_idx: GroupIdx, op: RowOp) {
        self.groups.entry(group_idx).or_default().insert(op.key.clone(), op);
    }

    /// Forgets what came and went within the transaction.
    pub(super) fn finish(&mut self) {
        let changes = |op: &RowOp| op.json.is_some() || op.existed;
        for rows in self.tables.values_mut() {
            rows.retain(|_, op| changes(op));
        }
        for entries in self.groups.values_mut() {
            entries.retain(|_, op| changes(op));
        }
        self.tables.retain(|_, rows| !rows.is_empty());
        self.groups.retain(|_, entries| !entries.is_empty());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.groups.is_empty() && self.strays.is_empty()
    }
}

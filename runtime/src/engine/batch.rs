//! What a transaction wants to write, before any of it is written.

use std::collections::BTreeMap;

/// The new state of one row or entry.
#[derive(Debug, Clone)]
pub(crate) struct RowOp {
    /// The key's text, which names the entry in the document.
    pub(crate) key: String,
    /// The JSON to store; `None` removes.
    pub(crate) json: Option<String>,
    /// Whether there was one before the transaction.
    pub(crate) existed: bool,
}

/// The rows and entries that a transaction changes, each once, in its last state.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// By table slot, then by key bytes, so that the file is written in its own order.
    pub(crate) tables: BTreeMap<usize, BTreeMap<Vec<u8>, RowOp>>,
    /// By group slot, then by stored name.
    pub(crate) groups: BTreeMap<usize, BTreeMap<String, RowOp>>,
    /// Rows to remove whose key is none of the table's type: slot and key text.
    pub(crate) strays: Vec<(usize, String)>,
}

impl Batch {
    /// What the transaction has done to a row so far.
    pub(crate) fn row(&self, slot: usize, key: &[u8]) -> Option<&RowOp> {
        self.tables.get(&slot)?.get(key)
    }

    /// What the transaction has done to an entry so far.
    pub(crate) fn entry(&self, slot: usize, name: &str) -> Option<&RowOp> {
        self.groups.get(&slot)?.get(name)
    }

    pub(crate) fn set_row(&mut self, slot: usize, key: Vec<u8>, op: RowOp) {
        self.tables.entry(slot).or_default().insert(key, op);
    }

    pub(crate) fn set_entry(&mut self, slot: usize, op: RowOp) {
        self.groups.entry(slot).or_default().insert(op.key.clone(), op);
    }

    /// Forgets what came and went within the transaction.
    pub(super) fn settle(&mut self) {
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

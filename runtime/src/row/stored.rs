//! The content under a key, in the document and in the file alike.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a write: its client and that client's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(u64, u32)", into = "(u64, u32)")]
pub(crate) struct ItemId {
    pub(crate) client: u64,
    pub(crate) clock: u32,
}

impl From<(u64, u32)> for ItemId {
    fn from((client, clock): (u64, u32)) -> Self {
        Self { client, clock }
    }
}

impl From<ItemId> for (u64, u32) {
    fn from(id: ItemId) -> Self {
        (id.client, id.clock)
    }
}

/// An entry of a document: the name of its root map, and its key there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub(crate) struct EntryRef {
    pub(crate) root: String,
    pub(crate) key: String,
}

impl EntryRef {
    pub(crate) fn new(root: impl Into<String>, key: impl Into<String>) -> Self {
        Self { root: root.into(), key: key.into() }
    }
}

impl From<(String, String)> for EntryRef {
    fn from((root, key): (String, String)) -> Self {
        Self { root, key }
    }
}

impl From<EntryRef> for (String, String) {
    fn from(entry: EntryRef) -> Self {
        (entry.root, entry.key)
    }
}

/// The value of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// JSON text, which is what we write.
    Text(Arc<str>),
    /// Something that another program put there, shown as JSON.
    Foreign(String),
}

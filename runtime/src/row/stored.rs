//! What stands under a key, in the document and in the file alike.

use std::sync::Arc;

/// The identity of a write in a document: who made it, and as that device's how manyth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId {
    pub(crate) client: u64,
    pub(crate) clock: u32,
}

/// The value of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// JSON text, which is what we write.
    Text(Arc<str>),
    /// Something that another program put there, shown as JSON.
    Foreign(String),
}

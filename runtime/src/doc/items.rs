//! A document as its rules see it: items that belong to keys of root maps, and where they are kept.
//!
//! An item is one write under one key. Of a key, only the *tip* matters, the rightmost item: what it
//! holds is what readers see, unless it is dead. Of every other item only its place is kept.

use std::ops::Range;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::unseen::Unseen;
use crate::error::Result;
use crate::row::{Content, ItemId};

/// How an item hangs on to its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Dead, and of an unknown key.
    Gone,
    /// The first item of its key.
    First { root: Arc<str>, key: Arc<str> },
    /// After `origin`, in the tree that begins with the item `first`.
    After { origin: ItemId, first: ItemId },
    /// A part of a nested type, which only other programs write: kept as it came.
    Nested,
}

/// Items of one client whose clocks follow each other: one item, or a run of dead ones of one key, each
/// after the one before, or a part of a nested type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemRun {
    /// The clock of the first one.
    pub(crate) start: u32,
    pub(crate) len: u32,
    /// The place of the first one.
    pub(crate) place: Place,
}

/// The rightmost item of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) id: ItemId,
    pub(crate) is_live: bool,
}

/// The content of a live item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// JSON text, which is what heirloom writes.
    Text(Arc<str>),
    /// Anything else: the kind of its content and its bytes, as they stand in an update, and the JSON that
    /// shows it.
    Other { kind: u8, bytes: Vec<u8>, json: String },
}

/// The need of an update that waits behind several gaps: it is tried with each item that comes. No
/// client has this id.
pub(crate) const ANY_ITEM: ItemId = ItemId { client: u64::MAX, clock: 0 };

/// An update that waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// An item that it needs and that is not here. Before that is, it need not be tried again.
    pub(crate) needs: ItemId,
    /// The hash of its bytes.
    pub(crate) hash: u64,
}

impl Waiting {
    /// The update of these bytes, which needs an item.
    pub(crate) fn of(update: &[u8], needs: ItemId) -> Self {
        Self { needs, hash: XxHash3_64::oneshot(update) }
    }
}

/// The content under a key of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: ItemId,
    pub(crate) content: Content,
}

impl From<(ItemId, Value)> for Entry {
    fn from((id, value): (ItemId, Value)) -> Self {
        let content = match value {
            Value::Text(json) => Content::Text(json),
            Value::Other { json, .. } => Content::Foreign(json),
        };
        Self { id, content }
    }
}

/// A cell that stands: a field of a row that was written by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The part of the row that it is about.
    pub(crate) path: String,
    pub(crate) id: ItemId,
    /// Its JSON; nothing if it takes the field out.
    pub(crate) json: Arc<str>,
}

/// Clocks of one client, in ascending order, that neither overlap nor touch.
pub(crate) type ClockRanges = Vec<Range<u32>>;

/// A function that is called with the first item, the length and the record of a part of a nested
/// type.
pub(crate) type VisitNested<'v> = &'v mut dyn FnMut(ItemId, u32, &[u8]) -> Result<()>;

/// A document, to be read.
pub(crate) trait ReadItems {
    /// Every client with items, ascending, and how many clocks of it are here.
    fn clients(&self) -> Result<Vec<(u64, u32)>>;

    /// How many clocks of a client are here.
    fn clock(&self, client: u64) -> Result<u32>;

    /// The run that an item belongs to, which must be here.
    fn run(&self, id: ItemId) -> Result<ItemRun>;

    /// Calls `visit` with the run that an item belongs to and all later ones of its client.
    fn runs_from(&self, id: ItemId, visit: &mut dyn FnMut(ItemRun) -> Result<()>) -> Result<()>;

    /// Whether an item is dead.
    fn is_dead(&self, id: ItemId) -> Result<bool>;

    /// The clocks of a client in a range that are not dead; the range ends at its clock at most.
    fn live_in(&self, client: u64, clocks: Range<u32>) -> Result<ClockRanges>;

    /// All that is dead, by client, ascending.
    fn deletions(&self) -> Result<Vec<(u64, ClockRanges)>>;

    /// The rightmost item of a key; `None` for a key that never held anything.
    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>>;

    /// Returns the value under a key of the document itself.
    fn value(&self, root: &str, key: &str) -> Result<Option<(ItemId, Value)>>;

    /// The record of a part of a nested type, as it was appended, by the first item of its run.
    fn nested(&self, id: ItemId) -> Result<Vec<u8>>;

    /// Calls `visit` with every part of nested types.
    fn each_nested(&self, visit: VisitNested<'_>) -> Result<()>;

    /// Whether updates wait for others.
    fn has_waiting(&self) -> Result<bool>;

    /// The updates that wait for others.
    fn waiting(&self) -> Result<Vec<Waiting>>;

    /// Those of them that need an item of a client below a clock.
    fn waiting_for(&self, client: u64, clock: u32) -> Result<Vec<Waiting>>;

    /// An update that waits; `None` if it cannot be read.
    fn waiting_update(&self, hash: u64) -> Result<Option<Vec<u8>>>;

    /// Whether edits are unseen under any key.
    fn has_unseen(&self) -> Result<bool>;

    /// Returns the edits that met under a key.
    fn unseen(&self, root: &str, key: &str) -> Result<Unseen>;

    /// Whether a root, that of a table, has ever held cells.
    fn has_cells(&self, root: &str) -> Result<bool>;

    /// The cells of a row that stand, by their paths.
    fn cells(&self, root: &str, key: &str) -> Result<Vec<Cell>>;

    /// From which clock on the items of clients are not known though they were, since a block of them is
    /// damaged. Their keys hold what they held, and what is dead is known.
    fn damaged_ends(&self) -> Vec<(u64, u32)> {
        Vec::new()
    }

    /// The paths of the cells of a row where edits met.
    fn unseen_cells(&self, root: &str, key: &str) -> Result<Vec<String>>;
}

/// A document, to be changed.
pub(crate) trait WriteItems: ReadItems {
    /// Adds the next run of a client: it starts at the client's clock.
    fn append(&mut self, client: u64, run: ItemRun) -> Result<()>;

    /// Adds the next run of a client, a part of a nested type: its record is kept as it is.
    fn append_nested(&mut self, client: u64, start: u32, len: u32, record: &[u8]) -> Result<()>;

    /// Marks items as dead that are here; some may be already.
    fn kill(&mut self, client: u64, clocks: Range<u32>) -> Result<()>;

    /// A live item becomes the tip of a key.
    fn put(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()>;

    /// [`put`](Self::put) of a JSON text.
    fn put_text(&mut self, root: &str, key: &str, id: ItemId, json: &str) -> Result<()> {
        self.put(root, key, id, Value::Text(Arc::from(json)))
    }

    /// A dead item is the tip of a key, which holds nothing any more.
    fn clear(&mut self, root: &str, key: &str, id: ItemId) -> Result<()>;

    /// Shows the item under a key differently, without making it another item.
    fn show(&mut self, root: &str, key: &str, json: String) -> Result<()>;

    /// A live item is the tip of a key of a table, and readers see a text in its place: it, or a late edit, with
    /// cells over it.
    fn put_below(
        &mut self,
        root: &str,
        key: &str,
        item: (ItemId, Value),
        shown: (ItemId, &str),
    ) -> Result<()>;

    /// Whether the content of an item that is here is damaged, and is to be taken from another copy.
    fn is_damaged(&self, id: ItemId) -> bool {
        let _ = id;
        false
    }

    /// Puts the content of a live item in place again.
    fn heal(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()> {
        self.put(root, key, id, value)
    }

    /// Keeps an update that waits for an item; `false` if it waits already, or there is no room for more.
    fn wait(&mut self, update: &[u8], needs: ItemId) -> Result<bool>;

    /// Forgets an update that waited.
    fn release(&mut self, waiting: Waiting) -> Result<()>;

    /// Keeps what is known of a key where edits met.
    fn set_unseen(&mut self, root: &str, key: &str, unseen: Unseen) -> Result<()>;
}

//! Updates written block by block, with the encoding of yrs.

use yrs::block::{
    BLOCK_GC_REF_NUMBER, BLOCK_ITEM_ANY_REF_NUMBER, BLOCK_ITEM_DELETED_REF_NUMBER,
    BLOCK_SKIP_REF_NUMBER, HAS_ORIGIN, HAS_PARENT_SUB,
};
use yrs::encoding::write::Write;

use super::items::{ClockRanges, Value};
use super::wire::TEXT;
use crate::row::ItemId;

/// The place of an item, as the item says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position<'a> {
    After(ItemId),
    First { root: &'a str, key: &'a str },
}

/// The blocks of one client, to be written.
pub(super) struct Blocks {
    client: u64,
    start: u32,
    count: u32,
    // Not an encoder of yrs, which begins with a kilobyte: there may be very many clients.
    bytes: Vec<u8>,
}

impl Blocks {
    /// No blocks yet of a client, from a clock on.
    pub(super) fn new(client: u64, start: u32) -> Self {
        Self { client, start, count: 0, bytes: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Dead items of which nothing is known.
    pub(super) fn put_gone(&mut self, len: u32) {
        self.count += 1;
        self.bytes.write_u8(BLOCK_GC_REF_NUMBER);
        self.bytes.write_var(len);
    }

    /// Items that are left out.
    pub(super) fn put_skip(&mut self, len: u32) {
        self.count += 1;
        self.bytes.write_u8(BLOCK_SKIP_REF_NUMBER);
        self.bytes.write_var(len);
    }

    /// Dead items, each after the one before.
    pub(super) fn put_deleted(&mut self, position: Position<'_>, len: u32) {
        self.put_position(BLOCK_ITEM_DELETED_REF_NUMBER, position);
        self.bytes.write_var(len);
    }

    pub(super) fn put_value(&mut self, position: Position<'_>, value: &Value) {
        match value {
            Value::Text(text) => {
                self.put_position(BLOCK_ITEM_ANY_REF_NUMBER, position);
                self.bytes.write_var(1u32);
                self.bytes.write_u8(TEXT);
                self.bytes.write_string(text);
            }
            Value::Other { kind, bytes, .. } => {
                self.put_position(*kind, position);
                if *kind == BLOCK_ITEM_ANY_REF_NUMBER {
                    self.bytes.write_var(1u32);
                }
                self.bytes.write_all(bytes);
            }
        }
    }

    fn put_position(&mut self, kind: u8, position: Position<'_>) {
        self.count += 1;
        match position {
            Position::After(origin) => {
                // yrs marks a key here, too, though it does not write it.
                self.bytes.write_u8(kind | HAS_ORIGIN | HAS_PARENT_SUB);
                self.bytes.write_var(origin.client);
                self.bytes.write_var(origin.clock);
            }
            Position::First { root, key } => {
                self.bytes.write_u8(kind | HAS_PARENT_SUB);
                self.bytes.write_var(IN_ROOT);
                self.bytes.write_string(root);
                self.bytes.write_string(key);
            }
        }
    }

    /// Blocks as they stand in another update.
    pub(super) fn put_all(&mut self, blocks: u32, bytes: &[u8]) {
        self.count += blocks;
        self.bytes.write_all(bytes);
    }
}

/// The number that says that an item is in a root type.
const IN_ROOT: u32 = 1;

/// The update of the blocks of clients, which come from the highest client down, and of deletions.
pub(super) fn update_of(clients: Vec<Blocks>, deletions: &[(u64, ClockRanges)]) -> Vec<u8> {
    let mut update = Vec::new();
    update.write_var(clients.len());
    for blocks in clients {
        update.write_var(blocks.count);
        update.write_var(blocks.client);
        update.write_var(blocks.start);
        update.write_all(&blocks.bytes);
    }
    let deletions = deletions.iter().filter(|(_, ranges)| !ranges.is_empty());
    update.write_var(deletions.clone().count());
    for (client, ranges) in deletions {
        update.write_var(*client);
        update.write_var(ranges.len());
        for range in ranges {
            update.write_var(range.start);
            update.write_var(range.end.saturating_sub(range.start));
        }
    }
    update
}

//! The JSON that shows a nested type under a key.
//!
//! A small document of yrs is made of what hangs on the item. yrs recurses into nested types and
//! takes it for granted that neighbours have one parent, so that both are checked first.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use yrs::block::{BLOCK_ITEM_DOC_REF_NUMBER, BLOCK_ITEM_TYPE_REF_NUMBER};
use yrs::types::{
    TYPE_REFS_ARRAY, TYPE_REFS_MAP, TYPE_REFS_TEXT, TYPE_REFS_XML_ELEMENT, TYPE_REFS_XML_FRAGMENT,
    TYPE_REFS_XML_TEXT, ToJson,
};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Map, Options, ReadTxn, Transact, Update};

use super::block::{Block, Body, Parent};
use super::incoming::Incoming;
use super::items::{ClockRanges, Value, WriteItems};
use super::nested;
use super::outgoing::{Blocks, Position, update_of};
use super::values::{MAX_SHOWN, NOT_SHOWN};
use crate::error::Result;
use crate::row::ItemId;

/// How deep what is shown may nest.
const MAX_DEPTH: u32 = 64;

/// The clocks that yrs can compute with.
const CLOCKS: u32 = 1 << 31;

/// Of as many items what hangs on them is in memory at a time.
const AT_A_TIME: usize = 16;

/// An item under a key that holds a nested type.
pub(super) struct Holder {
    pub(super) id: ItemId,
    pub(super) root: Arc<str>,
    pub(super) key: Arc<str>,
    /// Its content.
    pub(super) bytes: Vec<u8>,
}

/// The parts of the nested type of an item.
#[derive(Default)]
struct Parts {
    blocks: BTreeMap<ItemId, (u32, Vec<u8>)>,
    size: usize,
}

/// Shows anew what hangs on items.
pub(super) fn show<W: WriteItems + ?Sized>(items: &mut W, holders: &[Holder]) -> Result<()> {
    for some in holders.chunks(AT_A_TIME) {
        let mut parts: BTreeMap<ItemId, Parts> =
            some.iter().map(|holder| (holder.id, Parts::default())).collect();
        items.each_nested(&mut |id, len, record| {
            let parts = nested::holder_in(record).and_then(|holder| parts.get_mut(&holder));
            if let Some(parts) = parts {
                let block = nested::block_in(record)?;
                parts.size = parts.size.saturating_add(block.len());
                if parts.size <= MAX_SHOWN {
                    parts.blocks.insert(id, (len, block.to_vec()));
                }
            }
            Ok(())
        })?;
        for holder in some {
            let Some(parts) = parts.remove(&holder.id) else { continue };
            let json = json_of(items, holder, &parts)?;
            let json = json.unwrap_or_else(|| NOT_SHOWN.to_owned());
            items.show(&holder.root, &holder.key, json)?;
        }
    }
    Ok(())
}

/// `None` if it is too large or too deep, or holds what cannot be shown.
fn json_of<W: WriteItems + ?Sized>(
    items: &W,
    holder: &Holder,
    parts: &Parts,
) -> Result<Option<String>> {
    let ends = parts.blocks.iter().map(|(id, (len, _))| id.clock.saturating_add(*len));
    if parts.size > MAX_SHOWN || ends.chain([holder.id.clock]).any(|end| end >= CLOCKS) {
        return Ok(None);
    }
    let all = assembled(holder, parts, &[], &|_| true);
    let mut check = Check { holder: holder.id, slots: BTreeMap::new(), types: BTreeMap::new() };
    let all = Incoming::read(&all)?;
    let mut walk = all.walk(all.sections.iter().map(|_| 0).collect());
    let mut is_shown = is_shown_type(&holder.bytes);
    walk.each(&mut |client, block| {
        is_shown &= check.block(client, block);
        Ok(())
    })?;
    if !is_shown {
        return Ok(None);
    }
    let placed: BTreeSet<ItemId> = check.slots.keys().copied().collect();
    let mut dead: BTreeMap<u64, ClockRanges> = BTreeMap::new();
    for (id, (len, _)) in parts.blocks.iter().filter(|(id, _)| placed.contains(id)) {
        let end = id.clock.saturating_add(*len);
        let mut at = id.clock;
        for live in items.live_in(id.client, id.clock..end)? {
            dead.entry(id.client).or_default().push(at..live.start);
            at = live.end;
        }
        dead.entry(id.client).or_default().push(at..end);
    }
    for ranges in dead.values_mut() {
        ranges.retain(|range| !range.is_empty());
    }
    let dead: Vec<_> = dead.into_iter().collect();
    let update = assembled(holder, parts, &dead, &|id| placed.contains(&id));
    // Its order and depth were checked, but what yrs makes of it is its own matter.
    Ok(catch_unwind(AssertUnwindSafe(|| read_json(&update))).unwrap_or(None))
}

/// An update of the item and of what hangs on it, with nothing in place of what is not kept.
fn assembled(
    holder: &Holder,
    parts: &Parts,
    dead: &[(u64, ClockRanges)],
    is_kept: &dyn Fn(ItemId) -> bool,
) -> Vec<u8> {
    let mut sections: BTreeMap<u64, (Blocks, u32)> = BTreeMap::new();
    let mut put = |id: ItemId, len: u32, write: &dyn Fn(&mut Blocks)| {
        let (blocks, next) =
            sections.entry(id.client).or_insert_with(|| (Blocks::new(id.client, 0), 0));
        if id.clock > *next {
            blocks.put_gone(id.clock.saturating_sub(*next));
        }
        write(blocks);
        *next = id.clock.saturating_add(len);
    };
    let put_holder = |blocks: &mut Blocks| {
        let value = Value::Other {
            kind: BLOCK_ITEM_TYPE_REF_NUMBER,
            bytes: holder.bytes.clone(),
            json: String::new(),
        };
        blocks.put_value(Position::First { root: ROOT, key: KEY }, &value);
    };
    let mut is_put = false;
    for (id, (len, block)) in &parts.blocks {
        if !is_put && *id > holder.id {
            put(holder.id, 1, &put_holder);
            is_put = true;
        }
        if is_kept(*id) {
            put(*id, *len, &|blocks| blocks.put_all(1, block));
        }
    }
    if !is_put {
        put(holder.id, 1, &put_holder);
    }
    update_of(sections.into_values().map(|(blocks, _)| blocks).collect(), dead)
}

const ROOT: &str = "root";
const KEY: &str = "key";

/// The places of parts in nested types.
struct Check {
    holder: ItemId,
    /// By the first item of a block: the end of the block, and where it is.
    slots: BTreeMap<ItemId, (u32, Slot)>,
    /// The nested types among them, and how deep they are.
    types: BTreeMap<ItemId, u32>,
}

/// A key of a nested type, or the sequence in it.
#[derive(Clone, PartialEq, Eq)]
struct Slot {
    parent: ItemId,
    key: Option<Arc<str>>,
}

impl Check {
    /// Notes where a block is, if it is anywhere; `false` if the whole cannot be shown.
    fn block(&mut self, client: u64, block: &Block<'_>) -> bool {
        let id = ItemId { client, clock: block.start };
        if id == self.holder {
            self.types.insert(id, 0);
            return true;
        }
        let Some(slot) = self.slot(block) else { return true };
        let depth = self.types.get(&slot.parent).map_or(0, |depth| depth.saturating_add(1));
        let is_shown = match block.body {
            Body::Value { kind: BLOCK_ITEM_TYPE_REF_NUMBER, last } => {
                self.types.insert(id, depth);
                is_shown_type(last)
            }
            Body::Value { kind, .. } => kind != BLOCK_ITEM_DOC_REF_NUMBER,
            _ => true,
        };
        self.slots.insert(id, (block.end(), slot));
        is_shown && depth <= MAX_DEPTH
    }

    fn slot(&self, block: &Block<'_>) -> Option<Slot> {
        match (block.origin, block.right, block.parent) {
            (None, None, Parent::Nested { parent, key }) => {
                self.types.get(&parent)?;
                Some(Slot { parent, key: key.map(Arc::from) })
            }
            (Some(one), Some(other), _) => {
                let slot = self.slot_of(one)?;
                (slot == self.slot_of(other)?).then(|| slot.clone())
            }
            (Some(neighbour), None, _) | (None, Some(neighbour), _) => {
                self.slot_of(neighbour).cloned()
            }
            _ => None,
        }
    }

    fn slot_of(&self, id: ItemId) -> Option<&Slot> {
        let (start, (end, slot)) = self.slots.range(..=id).next_back()?;
        (start.client == id.client && id.clock < *end).then_some(slot)
    }
}

/// Whether a nested type is one that has a JSON form and links to nothing else.
fn is_shown_type(bytes: &[u8]) -> bool {
    matches!(
        bytes.first(),
        Some(
            &(TYPE_REFS_ARRAY
                | TYPE_REFS_MAP
                | TYPE_REFS_TEXT
                | TYPE_REFS_XML_ELEMENT
                | TYPE_REFS_XML_FRAGMENT
                | TYPE_REFS_XML_TEXT)
        )
    )
}

fn read_json(update: &[u8]) -> Option<String> {
    let doc = Doc::with_options(Options { skip_gc: true, ..Options::default() });
    let update = Update::decode_v1(update).ok()?;
    doc.transact_mut().apply_update(update).ok()?;
    let txn = doc.transact();
    let value = txn.get_map(ROOT)?.get(&txn, KEY)?;
    serde_json::to_string(&value.to_json(&txn)).ok()
}

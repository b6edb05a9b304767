//! Local transactions, written into a document.

use std::sync::Arc;

use super::items::{ItemRun, Place, Tip, Value, WriteItems};
use super::rules::{Rule, says};
use crate::error::{Error, ErrorKind, Result};
use crate::row::ItemId;

/// A change of an entry by a local transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryOp<'a> {
    pub(crate) root: &'a str,
    pub(crate) key: &'a str,
    /// The new JSON text; `None` removes.
    pub(crate) value: Option<&'a str>,
}

/// Writes a local transaction as `client`. Each key occurs once at most; a removal of nothing writes
/// nothing.
///
/// # Errors
///
/// If the client has no clocks left, and those of `items`.
pub(crate) fn write<'a, W: WriteItems + ?Sized>(
    items: &mut W,
    client: u64,
    ops: impl Iterator<Item = EntryOp<'a>>,
) -> Result<()> {
    let mut clock = items.clock(client)?;
    let mut last_root: Arc<str> = Arc::from("");
    for EntryOp { root, key, value } in ops {
        let tip = items.tip(root, key)?;
        let Some(value) = value else {
            if let Some(Tip { id, is_live: true }) = tip {
                kill_one(items, id)?;
                items.clear(root, key, id)?;
            }
            continue;
        };
        let place = match tip {
            // Also after what is removed: what would come after nothing could lose against it.
            Some(tip) if tip.is_live || says(Rule::AfterRemoved, true) => {
                Place::After { origin: tip.id, first: first_of(items, tip.id)? }
            }
            _ => {
                if *last_root != *root {
                    last_root = Arc::from(root);
                }
                Place::First { root: Arc::clone(&last_root), key: Arc::from(key) }
            }
        };
        let next = clock.checked_add(1).ok_or_else(no_clocks_left)?;
        items.append(client, ItemRun { start: clock, len: 1, place })?;
        if let Some(Tip { id, is_live: true }) = tip {
            kill_one(items, id)?;
        }
        items.put(root, key, ItemId { client, clock }, Value::Text(Arc::from(value)))?;
        clock = next;
    }
    Ok(())
}

/// Marks an item as dead.
pub(super) fn kill_one<W: WriteItems + ?Sized>(items: &mut W, id: ItemId) -> Result<()> {
    items.kill(id.client, id.clock..id.clock.saturating_add(1))
}

/// The first item of the tree that an item is in.
pub(super) fn first_of<W: WriteItems + ?Sized>(items: &W, id: ItemId) -> Result<ItemId> {
    let run = items.run(id)?;
    Ok(run_first(&run, id.client))
}

/// The first item of the tree that a run is in.
pub(super) fn run_first(run: &ItemRun, client: u64) -> ItemId {
    match run.place {
        Place::After { first, .. } => first,
        _ => ItemId { client, clock: run.start },
    }
}

fn no_clocks_left() -> Error {
    Error::new(ErrorKind::Storage, "the device has written as often as its id allows")
        .help("open a copy of the file, which writes under a new id")
}

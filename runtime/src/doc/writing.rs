//! Local transactions, written into a document.

use std::sync::Arc;

use super::items::{ItemRun, Place, Tip, Value, WriteItems};
use super::rules::{Rule, says};
use super::unseen::{is_watched, mark, seen_by_write};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{CellWrite, ItemId};

/// A change of an entry by a local transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryOp<'a> {
    pub(crate) root: &'a str,
    pub(crate) key: &'a str,
    pub(crate) write: EntryWrite<'a>,
}

/// The write of an entry by a local transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryWrite<'a> {
    Put(&'a str),
    Remove,
    /// Writes these fields of a row, and the row whole if it does not stand as JSON text.
    Edit {
        cells: &'a [CellWrite],
        row: &'a str,
        /// The item and the text of the late edit that readers see in place of the row. If there is none, this
        /// is written first.
        late: Option<(ItemId, &'a str)>,
    },
}

impl<'a> EntryWrite<'a> {
    /// Writes a JSON text; `None` removes.
    pub(crate) fn of(json: Option<&'a str>) -> Self {
        json.map_or(Self::Remove, Self::Put)
    }
}

/// Writes a local transaction as `client`. Each key occurs once at most; a removal of nothing writes
/// nothing.
///
/// Its author has seen every edit under the keys that it writes; those that lost are marked so.
///
/// # Errors
///
/// If the client has no clocks left, and those of `items`.
pub(crate) fn write<'a, W: WriteItems + ?Sized>(
    items: &mut W,
    client: u64,
    ops: impl Iterator<Item = EntryOp<'a>>,
) -> Result<()> {
    let mut writing = Writing {
        clock: items.clock(client)?,
        client,
        last_root: Arc::from(""),
        last_cells: None,
        has_unseen: items.has_unseen()?,
        seen: Vec::new(),
    };
    for EntryOp { root, key, write } in ops {
        match write {
            EntryWrite::Put(row) => writing.write_row(items, root, key, Some(row))?,
            EntryWrite::Remove => writing.write_row(items, root, key, None)?,
            EntryWrite::Edit { cells, row, late } => match (items.value(root, key)?, late) {
                (Some((id, Value::Text(base))), late) => {
                    writing.edit_row(items, root, key, (id, &base, late), cells)?;
                }
                // Others who edit a field of it write the same below theirs.
                (None, Some((_, late))) => {
                    let id = writing.append(items, root, key)?;
                    writing.edit_row(items, root, key, (id, &Arc::from(late), None), cells)?;
                }
                _ => writing.write_row(items, root, key, Some(row))?,
            },
        }
    }
    for (root, edits) in std::mem::take(&mut writing.seen) {
        mark(items, client, &root, &edits)?;
    }
    Ok(())
}

/// Writes a value under a key, after what stands there or stood there last.
pub(super) fn put_after_tip<W: WriteItems + ?Sized>(
    items: &mut W,
    client: u64,
    root: &str,
    key: &str,
    value: &str,
) -> Result<ItemId> {
    let (has_unseen, seen) = (false, Vec::new());
    let (clock, last_root, last_cells) = (items.clock(client)?, Arc::from(root), None);
    Writing { clock, client, last_root, last_cells, has_unseen, seen }.put(items, root, key, value)
}

/// Adds an item to a key that never held anything, and kills it at once.
pub(super) fn add_dead<W: WriteItems + ?Sized>(
    items: &mut W,
    client: u64,
    root: &str,
    key: &str,
) -> Result<()> {
    let id = ItemId { client, clock: items.clock(client)? };
    id.clock.checked_add(1).ok_or_else(no_clocks_left)?;
    let place = Place::First { root: Arc::from(root), key: Arc::from(key) };
    items.append(client, ItemRun { start: id.clock, len: 1, place })?;
    kill_one(items, id)?;
    items.clear(root, key, id)
}

/// A local transaction on its way.
pub(super) struct Writing {
    pub(super) client: u64,
    /// The clock of the next item.
    clock: u32,
    /// The root that came last, since most items are of the same.
    last_root: Arc<str>,
    /// The root of rows that came last, and that of its cells if there are any.
    pub(super) last_cells: Option<(String, Option<Arc<str>>)>,
    /// Whether edits are unseen under any key.
    pub(super) has_unseen: bool,
    /// The edits that are to be marked as seen, by root.
    pub(super) seen: Vec<(Arc<str>, Vec<ItemId>)>,
}

impl Writing {
    pub(super) fn put<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
        value: &str,
    ) -> Result<ItemId> {
        let id = self.append(items, root, key)?;
        items.put_text(root, key, id, value)?;
        Ok(id)
    }

    /// Adds an item to a key, after what stands there or stood there last.
    pub(super) fn append<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
    ) -> Result<ItemId> {
        self.see(items, root, key, says(Rule::EditsMark, true))?;
        let tip = items.tip(root, key)?;
        let place = match tip {
            // Also after what is removed: what would come after nothing could lose against it.
            Some(tip) if tip.is_live || says(Rule::AfterRemoved, true) => {
                Place::After { origin: tip.id, first: first_of(items, tip.id)? }
            }
            _ => {
                if *self.last_root != *root {
                    self.last_root = Arc::from(root);
                }
                Place::First { root: Arc::clone(&self.last_root), key: Arc::from(key) }
            }
        };
        let id = ItemId { client: self.client, clock: self.clock };
        let next = self.clock.checked_add(1).ok_or_else(no_clocks_left)?;
        items.append(self.client, ItemRun { start: id.clock, len: 1, place })?;
        if let Some(Tip { id, is_live: true }) = tip {
            kill_one(items, id)?;
        }
        self.clock = next;
        Ok(id)
    }

    pub(super) fn remove<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
    ) -> Result<()> {
        self.see(items, root, key, true)?;
        if let Some(Tip { id, is_live: true }) = items.tip(root, key)? {
            kill_one(items, id)?;
            items.clear(root, key, id)?;
        }
        Ok(())
    }

    /// Takes note of the unseen edits under a key that is written; `marks` whether they are to be marked.
    pub(super) fn see<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
        marks: bool,
    ) -> Result<()> {
        if !self.has_unseen || !is_watched(root) {
            return Ok(());
        }
        let edits = seen_by_write(items, root, key)?;
        if marks && says(Rule::WritesMark, true) && !edits.is_empty() {
            self.seen.push((Arc::from(root), edits));
        }
        Ok(())
    }
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

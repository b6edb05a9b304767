//! The items of a document.

use std::collections::BTreeSet;
use std::ops::{Bound, Range};

use redb::ReadableTable;

use super::dead_items::Bitmaps;
use super::{StoredDocument, damaged_items, damaged_root, no_item, read_block};
use crate::disk::blocks::{Block, PackedPlace, PackedRun};
use crate::disk::dead;
use crate::disk::failure::{Failure, Try, guarded};
use crate::disk::keys;
use crate::doc::Unseen;
use crate::doc::cells::cells_of;
use crate::doc::items::{Cell, ClockRanges, ItemRun, Place, ReadItems, Tip, Value, Waiting};
use crate::error::{ErrorKind, Result};
use crate::row::{ItemId, cell_key, split_cell_key};

impl StoredDocument {
    /// The stored block of a client with the greatest start up to a clock.
    pub(in crate::disk) fn block_up_to(&self, client: u64, clock: u32) -> Try<Option<Block>> {
        let mut tables = self.newest_first()?;
        let mut table = tables.next();
        let mut clock = clock;
        while let Some(blocks) = table {
            // The known items of a client end before its first damaged block.
            if let Some(start) = self.damaged_from(client) {
                let Some(before) = start.checked_sub(1) else { return Ok(None) };
                clock = clock.min(before);
            }
            match self.block_in(blocks, client, clock) {
                Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {}
                Ok(None) => table = tables.next(),
                block => return block,
            }
        }
        Ok(None)
    }

    /// The block with the greatest start up to a clock in one of the tables. If it is damaged, that is
    /// remembered.
    pub(in crate::disk) fn block_in<T>(
        &self,
        blocks: &T,
        client: u64,
        clock: u32,
    ) -> Try<Option<Block>>
    where
        T: ReadableTable<&'static [u8], &'static [u8]>,
    {
        let (from, to) =
            (keys::of_item(keys::BLOCK, client, 0), keys::of_item(keys::BLOCK, client, clock));
        let mut range = blocks.range::<&[u8]>(from.as_slice()..=to.as_slice())?;
        let Some((key, value)) = range.next_back().transpose()? else { return Ok(None) };
        let block = read_block(key.value(), value.value());
        if block.is_err() {
            let (_, start) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
            self.view.blocks.add(&self.name, client, start);
        }
        block.map(Some)
    }

    /// Looks at the last block of a client in each table, so that it is known if one of them is damaged.
    pub(crate) fn look_at_last_blocks(&self, client: u64) -> Result<()> {
        guarded(|| {
            for table in self.newest_first()? {
                match self.block_in(table, client, u32::MAX) {
                    Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {}
                    block => drop(block?),
                }
            }
            Ok(())
        })
    }

    /// The clock from which on the items of a client are not known, since a block of them is damaged.
    pub(in crate::disk) fn damaged_from(&self, client: u64) -> Option<u32> {
        self.view.blocks.start(&self.name, client)
    }

    pub(in crate::disk) fn unpacked(&self, run: PackedRun) -> Try<ItemRun> {
        let PackedRun { start, len, place } = run;
        let place = match place {
            PackedPlace::Gone => Place::Gone,
            PackedPlace::Nested => Place::Nested,
            PackedPlace::After { origin, first } => Place::After { origin, first },
            PackedPlace::First { root, key } => {
                let root = self.root_name(root)?.ok_or_else(damaged_root)?;
                let key = keys::unpack(&root, &key).ok_or_else(damaged_root)?;
                Place::First { root, key: key.into() }
            }
        };
        Ok(ItemRun { start, len, place })
    }
}

impl ReadItems for StoredDocument {
    fn clients(&self) -> Result<Vec<(u64, u32)>> {
        guarded(|| {
            let mut found = BTreeSet::new();
            for table in self.newest_first()? {
                let mut after = vec![keys::BLOCK];
                let end = [keys::BLOCK + 1];
                loop {
                    let after_and_end =
                        (Bound::Excluded(after.as_slice()), Bound::Excluded(end.as_slice()));
                    let next = table.range::<&[u8]>(after_and_end)?.next().transpose()?;
                    let Some((key, _)) = next else { break };
                    let (client, _) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
                    found.insert(client);
                    after = keys::of_item(keys::BLOCK, client, u32::MAX).to_vec();
                }
            }
            let mut clients = Vec::with_capacity(found.len());
            for client in found {
                if let Some(block) = self.block_up_to(client, u32::MAX)? {
                    clients.push((client, block.end));
                }
            }
            Ok(clients)
        })
    }

    fn clock(&self, client: u64) -> Result<u32> {
        guarded(|| Ok(self.block_up_to(client, u32::MAX)?.map_or(0, |block| block.end)))
    }

    fn run(&self, id: ItemId) -> Result<ItemRun> {
        guarded(|| {
            let block = self.block_up_to(id.client, id.clock)?;
            let block = block.filter(|block| id.clock < block.end);
            let block = block.ok_or_else(|| match self.damaged_from(id.client) {
                Some(start) => damaged_items(id.client, start),
                None => no_item(),
            })?;
            self.unpacked(block.run_at(id.clock)?)
        })
    }

    fn damaged_ends(&self) -> Vec<(u64, u32)> {
        let blocks = self.view.damaged_blocks().into_iter();
        let own = blocks.filter(|(document, ..)| *document == self.name);
        own.map(|(_, client, start)| (client, start)).collect()
    }

    fn runs_from(&self, id: ItemId, visit: &mut dyn FnMut(ItemRun) -> Result<()>) -> Result<()> {
        let mut block = guarded(|| self.block_up_to(id.client, id.clock))?;
        while let Some(found) = block {
            for run in found.runs() {
                let run = guarded(|| self.unpacked(run?))?;
                if u64::from(run.start) + u64::from(run.len) > u64::from(id.clock) {
                    visit(run)?;
                }
            }
            block = guarded(|| {
                let next = self.block_up_to(id.client, found.end)?;
                Ok(next.filter(|next| next.start == found.end))
            })?;
        }
        Ok(())
    }

    fn is_dead(&self, id: ItemId) -> Result<bool> {
        let bitmap = guarded(|| self.bitmap(id.client, id.clock / dead::CLOCKS))?;
        Ok(bitmap.contains(id.clock % dead::CLOCKS))
    }

    fn live_in(&self, client: u64, clocks: Range<u32>) -> Result<ClockRanges> {
        guarded(|| self.live_clocks(client, clocks))
    }

    fn deletions(&self) -> Result<Vec<(u64, ClockRanges)>> {
        guarded(|| self.deletions_with(Bitmaps::Checked))
    }

    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>> {
        guarded(|| {
            let edge = self.edge(root)?;
            if !edge.is_beyond(key) {
                let own = match self.own_id(root, key) {
                    // So that what is damaged can be written over.
                    Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {
                        self.live_item(root, key)?
                    }
                    own => own?,
                };
                if let Some(id) = own {
                    return Ok(Some(Tip { id, is_live: true }));
                }
            }
            if !edge.has_removed {
                return Ok(None);
            }
            Ok(self.removed(root, key)?.map(|id| Tip { id, is_live: false }))
        })
    }

    fn value(&self, root: &str, key: &str) -> Result<Option<(ItemId, Value)>> {
        guarded(|| self.own(root, key))
    }

    fn nested(&self, id: ItemId) -> Result<Vec<u8>> {
        guarded(|| {
            let key = keys::of_item(keys::NESTED, id.client, id.clock);
            self.value_of(&key)?.ok_or_else(no_item)
        })
    }

    fn each_nested(&self, visit: &mut dyn FnMut(ItemId, u32, &[u8]) -> Result<()>) -> Result<()> {
        guarded(|| {
            self.each_value(keys::NESTED, |key, value| {
                let (client, clock) = keys::item_of(key).ok_or_else(damaged_root)?;
                let id = ItemId { client, clock };
                let len = self.run(id).map_err(Failure)?.len;
                visit(id, len, value).map_err(Failure)
            })
        })
    }

    fn has_waiting(&self) -> Result<bool> {
        guarded(|| Ok(self.waits()?.count > 0))
    }

    fn waiting(&self) -> Result<Vec<Waiting>> {
        guarded(|| {
            let (from, to) = ([keys::NEEDED, 0], [keys::NEEDED + 1]);
            self.waiting_in(&from, &to)
        })
    }

    fn waiting_for(&self, client: u64, clock: u32) -> Result<Vec<Waiting>> {
        guarded(|| {
            let [from, to] = [0, clock].map(|clock| keys::of_item(keys::NEEDED, client, clock));
            self.waiting_in(&from, &to)
        })
    }

    fn waiting_update(&self, hash: u64) -> Result<Option<Vec<u8>>> {
        guarded(|| match self.value_of(&keys::numbered(keys::WAITING, hash)) {
            Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => Ok(None),
            update => update,
        })
    }

    fn has_unseen(&self) -> Result<bool> {
        if let Some(has_unseen) = self.has_unseen.get() {
            return Ok(*has_unseen);
        }
        guarded(|| {
            let Some(items) = self.items()? else { return Ok(false) };
            let range = [keys::UNSEEN]..[keys::UNSEEN + 1];
            let mut unseen = items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())?;
            let has_unseen = unseen.next().transpose()?.is_some();
            Ok(*self.has_unseen.get_or_init(|| has_unseen))
        })
    }

    fn unseen(&self, root: &str, key: &str) -> Result<Unseen> {
        guarded(|| {
            let Some(info) = self.root(root)? else { return Ok(Unseen::default()) };
            let at = keys::of_entry(keys::UNSEEN, info.number, &keys::pack(root, key));
            // If it is damaged, an edit of this device is not written again, and nothing else is lost.
            let value = match self.value_of(&at) {
                Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => None,
                value => value?,
            };
            let unseen = value.and_then(|value| serde_json::from_slice(&value).ok());
            Ok(unseen.unwrap_or_default())
        })
    }

    fn has_cells(&self, root: &str) -> Result<bool> {
        let Some(cells) = cells_of(root) else { return Ok(false) };
        guarded(|| Ok(self.root(&cells)?.is_some()))
    }

    fn cells(&self, root: &str, key: &str) -> Result<Vec<Cell>> {
        guarded(|| self.cells_over(root, key))
    }

    fn unseen_cells(&self, root: &str, key: &str) -> Result<Vec<String>> {
        let Some(cells) = cells_of(root) else { return Ok(Vec::new()) };
        guarded(|| {
            let mut paths = Vec::new();
            let (Some(info), Some(items)) = (self.root(&cells)?, self.items()?) else {
                return Ok(paths);
            };
            let from = keys::pack(&cells, &cell_key(key, ""));
            let first = keys::of_entry(keys::UNSEEN, info.number, &from);
            for item in items.range::<&[u8]>(first.as_slice()..)? {
                let (at, _) = item?;
                let Some((_, packed)) =
                    keys::entry_of(at.value()).filter(|_| at.value().starts_with(&first))
                else {
                    break;
                };
                let at = keys::unpack(&cells, packed).ok_or_else(damaged_root)?;
                let path = split_cell_key(&at).filter(|(row, _)| *row == key);
                paths.extend(path.map(|(_, path)| path.to_owned()));
            }
            Ok(paths)
        })
    }
}

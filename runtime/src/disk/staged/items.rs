//! A changed document as its rules see it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};
use std::sync::Arc;

use super::entries::value_of;
use super::{MAX_WAITING, MAX_WAITING_BYTES, Own, StagedDocument, StagedEntry};
use crate::disk::dead::{self, Dead, without};
use crate::disk::document::{chunks_of, covered};
use crate::disk::failure::guarded;
use crate::disk::rows::RowValue;
use crate::doc::cells::{cell_of, cells_of};
use crate::doc::items::{
    Cell, ClockRanges, ItemRun, Place, ReadItems, Tip, Value, Waiting, WriteItems,
};
use crate::doc::{Unseen, deletion_hash, holds_marks};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{ItemId, cell_key, split_cell_key};

impl ReadItems for StagedDocument<'_> {
    fn clients(&self) -> Result<Vec<(u64, u32)>> {
        let mut clients: BTreeMap<u64, u32> = self.base.clients()?.into_iter().collect();
        let ends = self.blocks.keys().filter_map(|client| Some((*client, self.new_end(*client)?)));
        clients.extend(ends.filter(|(_, end)| *end > 0));
        Ok(clients.into_iter().collect())
    }

    fn clock(&self, client: u64) -> Result<u32> {
        if let Some(end) = self.new_end(client) {
            return Ok(end);
        }
        if let Some(clock) = self.clocks.borrow().get(&client) {
            return Ok(*clock);
        }
        let clock = self.base.clock(client)?;
        self.clocks.borrow_mut().insert(client, clock);
        Ok(clock)
    }

    fn run(&self, id: ItemId) -> Result<ItemRun> {
        match guarded(|| self.new_run(id))? {
            Some(run) => Ok(run),
            None => self.base.run(id),
        }
    }

    fn runs_from(&self, id: ItemId, visit: &mut dyn FnMut(ItemRun) -> Result<()>) -> Result<()> {
        let end = self.clock(id.client)?;
        let mut clock = id.clock;
        while clock < end {
            let run = self.run(ItemId { client: id.client, clock })?;
            clock = run.start.saturating_add(run.len);
            visit(run)?;
        }
        Ok(())
    }

    fn is_dead(&self, id: ItemId) -> Result<bool> {
        let (chunk, bit) = (id.clock / dead::CLOCKS, id.clock % dead::CLOCKS);
        if let Some(map) = self.maps.get(&(id.client, chunk)) {
            return Ok(map.contains(bit));
        }
        Ok(guarded(|| self.bitmap(id.client, chunk))?.contains(bit))
    }

    fn live_in(&self, client: u64, clocks: Range<u32>) -> Result<ClockRanges> {
        let mut live = self.base.live_in(client, clocks.clone())?;
        let chunks = chunks_of(&clocks);
        for ((_, chunk), map) in self.maps.range((client, chunks.start)..(client, chunks.end)) {
            let base = chunk * dead::CLOCKS;
            let mut found = Vec::new();
            map.ranges(0..dead::CLOCKS, true, &mut found);
            let found = found.iter().map(|range| {
                u64::from(base) + u64::from(range.start)..u64::from(base) + u64::from(range.end)
            });
            live = without(&live, found);
        }
        let full = self.full.range((client, 0)..(client, chunks.end));
        let full = full.map(|((_, first), count)| covered(*first, &Dead::Full(*count)));
        Ok(without(&live, full))
    }

    fn deletions(&self) -> Result<Vec<(u64, ClockRanges)>> {
        Err(Error::new(
            ErrorKind::Storage,
            "the deletions of a document are read once it is stored",
        ))
    }

    fn damaged_ends(&self) -> Vec<(u64, u32)> {
        self.base.damaged_ends()
    }

    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>> {
        match self.own(root, key) {
            Some(Own::Live(id, _)) => Ok(Some(Tip { id: *id, is_live: true })),
            Some(Own::Dead(id)) => Ok(Some(Tip { id: *id, is_live: false })),
            None => match guarded(|| self.new_mark(root, key))? {
                Some(id) => Ok(Some(Tip { id, is_live: false })),
                None => self.base.tip(root, key),
            },
        }
    }

    fn value(&self, root: &str, key: &str) -> Result<Option<(ItemId, Value)>> {
        match self.own(root, key) {
            Some(Own::Live(id, value)) => Ok(Some((*id, value.clone()))),
            Some(Own::Dead(_)) => Ok(None),
            None => self.base.value(root, key),
        }
    }

    fn nested(&self, id: ItemId) -> Result<Vec<u8>> {
        match self.nested.get(&(id.client, id.clock)) {
            Some((_, block)) => Ok(block.clone()),
            None => self.base.nested(id),
        }
    }

    fn each_nested(&self, visit: &mut dyn FnMut(ItemId, u32, &[u8]) -> Result<()>) -> Result<()> {
        self.base.each_nested(visit)?;
        for ((client, clock), (len, block)) in &self.nested {
            visit(ItemId { client: *client, clock: *clock }, *len, block)?;
        }
        Ok(())
    }

    fn has_waiting(&self) -> Result<bool> {
        guarded(|| Ok(self.waits()?.count > 0))
    }

    fn waiting(&self) -> Result<Vec<Waiting>> {
        let before = self.base.waiting()?.into_iter();
        let left = before.filter(|waiting| !self.released.contains(waiting));
        Ok(left.chain(self.added.values().map(|(waiting, _)| *waiting)).collect())
    }

    fn waiting_for(&self, client: u64, clock: u32) -> Result<Vec<Waiting>> {
        let before = self.base.waiting_for(client, clock)?.into_iter();
        let left = before.filter(|waiting| !self.released.contains(waiting));
        let added = self.added.values().map(|(waiting, _)| *waiting);
        let added =
            added.filter(|waiting| waiting.needs.client == client && waiting.needs.clock < clock);
        Ok(left.chain(added).collect())
    }

    fn waiting_update(&self, hash: u64) -> Result<Option<Vec<u8>>> {
        match self.added.get(&hash) {
            Some((_, update)) => Ok(Some(update.clone())),
            None => self.base.waiting_update(hash),
        }
    }

    fn has_unseen(&self) -> Result<bool> {
        if !self.unseen.is_empty() {
            return Ok(true);
        }
        if let Some(known) = self.has_unseen.get() {
            return Ok(*known);
        }
        let has_unseen = self.base.has_unseen()?;
        Ok(*self.has_unseen.get_or_init(|| has_unseen))
    }

    fn unseen(&self, root: &str, key: &str) -> Result<Unseen> {
        if !self.unseen.is_empty()
            && let Some(unseen) = self.unseen.get(&(root.into(), key.into()))
        {
            return Ok(unseen.clone());
        }
        if self.has_unseen()? { self.base.unseen(root, key) } else { Ok(Unseen::default()) }
    }

    fn has_cells(&self, root: &str) -> Result<bool> {
        let Some(cells) = cells_of(root) else { return Ok(false) };
        Ok(self.cell_keys.contains_key(cells.as_str())
            || self.roots.contains_key(cells.as_str())
            || self.base.has_cells(root)?)
    }

    fn cells(&self, root: &str, key: &str) -> Result<Vec<Cell>> {
        let mut cells = self.base.cells(root, key)?;
        let Some(cells_root) = cells_of(root) else { return Ok(cells) };
        let Some(keys) = self.cell_keys.get(cells_root.as_str()) else { return Ok(cells) };
        let first = cell_key(key, "");
        let range = (Bound::Included(first.as_str()), Bound::Unbounded);
        for at in keys.range::<str, _>(range).take_while(|at| at.starts_with(&first)) {
            cells.retain(|cell| {
                first.len() + cell.path.len() != at.len() || !at.ends_with(&cell.path)
            });
            if let Some(Own::Live(id, value)) = self.own(&cells_root, at) {
                cells.extend(cell_of(key, at, *id, value));
            }
        }
        cells.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(cells)
    }

    fn unseen_cells(&self, root: &str, key: &str) -> Result<Vec<String>> {
        let mut paths: BTreeSet<String> = self.base.unseen_cells(root, key)?.into_iter().collect();
        let Some(cells_root) = cells_of(root) else { return Ok(Vec::new()) };
        let first: (Arc<str>, Arc<str>) = (cells_root.into(), cell_key(key, "").into());
        for ((of, at), unseen) in self.unseen.range(first.clone()..) {
            let path = split_cell_key(at).filter(|(row, _)| *of == first.0 && *row == key);
            let Some((_, path)) = path else { break };
            if unseen.is_empty() {
                paths.remove(path);
            } else {
                paths.insert(path.to_owned());
            }
        }
        Ok(paths.into_iter().collect())
    }
}

impl WriteItems for StagedDocument<'_> {
    fn append(&mut self, client: u64, run: ItemRun) -> Result<()> {
        guarded(|| self.add_run(client, run))
    }

    fn append_nested(&mut self, client: u64, start: u32, len: u32, block: &[u8]) -> Result<()> {
        self.nested.insert((client, start), (len, block.to_vec()));
        guarded(|| self.add_run(client, ItemRun { start, len, place: Place::Nested }))
    }

    fn kill(&mut self, client: u64, clocks: Range<u32>) -> Result<()> {
        let killed = if clocks.len() == 1 {
            // Mostly it is one, and then one look-up tells.
            let (chunk, bit) = (clocks.start / dead::CLOCKS, clocks.start % dead::CLOCKS);
            match self.maps.get(&(client, chunk)) {
                Some(map) if map.contains(bit) => return Ok(()),
                Some(_) => {}
                None => {
                    let map = guarded(|| self.bitmap(client, chunk))?;
                    if map.contains(bit) {
                        return Ok(());
                    }
                    self.maps.insert((client, chunk), map);
                }
            }
            vec![clocks.clone()]
        } else {
            self.live_in(client, clocks.clone())?
        };
        for range in killed {
            let hash = deletion_hash(client, range.clone());
            self.state.deletions = self.state.deletions.wrapping_add(hash);
            match self.removed.last_mut() {
                Some((last, known)) if *last == client && known.end == range.start => {
                    known.end = range.end;
                }
                _ => self.removed.push((client, range)),
            }
        }
        guarded(|| self.kill_all(client, clocks))
    }

    fn put(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()> {
        if self.rows.is_some() {
            return guarded(|| self.write_at_once(root, key, id, Some(value_of(&value))));
        }
        self.stage(root, key, StagedEntry { own: Own::Live(id, value), is_shown_anew: false });
        Ok(())
    }

    fn put_text(&mut self, root: &str, key: &str, id: ItemId, json: &str) -> Result<()> {
        if self.rows.is_some() {
            return guarded(|| self.write_at_once(root, key, id, Some(RowValue::Text(json))));
        }
        self.put(root, key, id, Value::Text(Arc::from(json)))
    }

    fn is_damaged(&self, id: ItemId) -> bool {
        self.damaged.contains(&id)
    }

    fn heal(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()> {
        self.stage(root, key, StagedEntry { own: Own::Live(id, value), is_shown_anew: true });
        Ok(())
    }

    fn clear(&mut self, root: &str, key: &str, id: ItemId) -> Result<()> {
        if self.rows.is_some() {
            return guarded(|| self.write_at_once(root, key, id, None));
        }
        let is_mark = holds_marks(root)
            && self.own(root, key).is_none()
            && self.tip(root, key)?.is_none_or(|tip| !tip.is_live);
        if is_mark {
            return guarded(|| self.write_mark(root, key, id));
        }
        self.stage(root, key, StagedEntry { own: Own::Dead(id), is_shown_anew: false });
        Ok(())
    }

    fn show(&mut self, root: &str, key: &str, json: String) -> Result<()> {
        if let Some((id, Value::Other { kind, bytes, .. })) = self.value(root, key)? {
            let own = Own::Live(id, Value::Other { kind, bytes, json });
            self.stage(root, key, StagedEntry { own, is_shown_anew: true });
        }
        Ok(())
    }

    fn put_below(
        &mut self,
        root: &str,
        key: &str,
        (id, value): (ItemId, Value),
        shown: (ItemId, &str),
    ) -> Result<()> {
        if self.rows.is_some() {
            return guarded(|| self.write_below(root, key, (id, &value), shown));
        }
        // Rows are put together at the end, since keys may be written several times.
        self.stage(root, key, StagedEntry { own: Own::Live(id, value), is_shown_anew: false });
        Ok(())
    }

    fn wait(&mut self, update: &[u8], needs: ItemId) -> Result<bool> {
        guarded(|| {
            let waiting = Waiting::of(update, needs);
            let mut waits = self.waits()?;
            waits.add(update.len() as u64);
            let has_room = waits.count <= MAX_WAITING && waits.bytes <= MAX_WAITING_BYTES;
            if !has_room || self.added.contains_key(&waiting.hash) || self.waits_already(waiting)? {
                return Ok(false);
            }
            self.waits = OnceCell::from(waits);
            self.added.insert(waiting.hash, (waiting, update.to_vec()));
            Ok(true)
        })
    }

    fn release(&mut self, waiting: Waiting) -> Result<()> {
        guarded(|| {
            let mut waits = self.waits()?;
            let is_added =
                self.added.get(&waiting.hash).is_some_and(|(added, _)| *added == waiting);
            let len = if is_added {
                let (_, update) = self.added.remove(&waiting.hash).unzip();
                update.map(|update| update.len() as u64)
            } else {
                let len = self.base.waiting_len(waiting)?;
                len.filter(|_| self.released.insert(waiting)).map(u64::from)
            };
            waits.take(len);
            self.waits = OnceCell::from(waits);
            Ok(())
        })
    }

    fn set_unseen(&mut self, root: &str, key: &str, unseen: Unseen) -> Result<()> {
        self.unseen.insert((root.into(), key.into()), unseen);
        Ok(())
    }
}

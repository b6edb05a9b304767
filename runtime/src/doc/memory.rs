//! A document kept in memory, for tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::cells::{cell_of, cells_of};
use super::incoming::joined;
use super::items::{
    Cell, ClockRanges, ItemRun, Place, ReadItems, Tip, Value, VisitNested, Waiting, WriteItems,
};
use super::unseen::Unseen;
use crate::error::Result;
use crate::row::{ItemId, cell_key, split_cell_key};

type EntryKey = (Arc<str>, Arc<str>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Memory {
    pub(super) runs: BTreeMap<(u64, u32), ItemRun>,
    pub(super) clocks: BTreeMap<u64, u32>,
    dead: BTreeMap<u64, ClockRanges>,
    pub(super) entries: BTreeMap<EntryKey, (ItemId, Value)>,
    pub(super) removed: BTreeMap<EntryKey, ItemId>,
    nested: BTreeMap<(u64, u32), Vec<u8>>,
    waiting: BTreeMap<Waiting, Vec<u8>>,
    unseen: BTreeMap<EntryKey, Unseen>,
    /// As many updates may wait.
    pub(super) max_waiting: usize,
    /// How many updates that wait were read.
    pub(super) waiting_reads: ReadCount,
}

/// A count that makes no two documents differ.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadCount(pub(super) std::cell::Cell<u32>);

impl PartialEq for ReadCount {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            runs: BTreeMap::new(),
            clocks: BTreeMap::new(),
            dead: BTreeMap::new(),
            entries: BTreeMap::new(),
            removed: BTreeMap::new(),
            nested: BTreeMap::new(),
            waiting: BTreeMap::new(),
            unseen: BTreeMap::new(),
            max_waiting: usize::MAX,
            waiting_reads: ReadCount::default(),
        }
    }
}

fn entry_key(root: &str, key: &str) -> EntryKey {
    (Arc::from(root), Arc::from(key))
}

impl Memory {
    /// The document alone: without the updates that wait, and without what is known of edits that met.
    pub(super) fn without_waiting(&self) -> Self {
        let (waiting, unseen) = (BTreeMap::new(), BTreeMap::new());
        Self { waiting, unseen, ..self.clone() }
    }

    pub(super) fn has_nested(&self) -> bool {
        !self.nested.is_empty()
    }

    pub(super) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }
}

impl ReadItems for Memory {
    fn clients(&self) -> Result<Vec<(u64, u32)>> {
        Ok(self.clocks.iter().map(|(client, clock)| (*client, *clock)).collect())
    }

    fn clock(&self, client: u64) -> Result<u32> {
        Ok(self.clocks.get(&client).copied().unwrap_or(0))
    }

    fn run(&self, id: ItemId) -> Result<ItemRun> {
        let found = self.runs.range(..=(id.client, id.clock)).next_back();
        let (&(client, _), run) = found.expect("a run");
        assert!(client == id.client && id.clock - run.start < run.len, "{id:?} is not here");
        Ok(run.clone())
    }

    fn runs_from(&self, id: ItemId, visit: &mut dyn FnMut(ItemRun) -> Result<()>) -> Result<()> {
        let first = self.run(id)?.start;
        let runs = self.runs.range((id.client, first)..=(id.client, u32::MAX));
        runs.map(|(_, run)| run.clone()).try_for_each(visit)
    }

    fn is_dead(&self, id: ItemId) -> Result<bool> {
        let mut ranges = self.dead.get(&id.client).into_iter().flatten();
        Ok(ranges.any(|range| range.contains(&id.clock)))
    }

    fn live_in(&self, client: u64, clocks: Range<u32>) -> Result<ClockRanges> {
        assert!(clocks.is_empty() || clocks.end <= self.clock(client)?);
        let mut live = Vec::new();
        let mut at = clocks.start;
        for dead in self.dead.get(&client).into_iter().flatten() {
            live.push(at..dead.start.min(clocks.end));
            at = at.max(dead.end);
        }
        live.push(at..clocks.end);
        Ok(joined(live))
    }

    fn deletions(&self) -> Result<Vec<(u64, ClockRanges)>> {
        Ok(self.dead.iter().map(|(client, ranges)| (*client, ranges.clone())).collect())
    }

    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>> {
        let key = entry_key(root, key);
        if let Some((id, _)) = self.entries.get(&key) {
            return Ok(Some(Tip { id: *id, is_live: true }));
        }
        Ok(self.removed.get(&key).map(|id| Tip { id: *id, is_live: false }))
    }

    fn value(&self, root: &str, key: &str) -> Result<Option<(ItemId, Value)>> {
        Ok(self.entries.get(&entry_key(root, key)).cloned())
    }

    fn nested(&self, id: ItemId) -> Result<Vec<u8>> {
        Ok(self.nested[&(id.client, id.clock)].clone())
    }

    fn each_nested(&self, visit: VisitNested<'_>) -> Result<()> {
        self.nested.iter().try_for_each(|(at, block)| {
            visit(ItemId { client: at.0, clock: at.1 }, self.runs[at].len, block)
        })
    }

    fn has_waiting(&self) -> Result<bool> {
        Ok(!self.waiting.is_empty())
    }

    fn waiting(&self) -> Result<Vec<Waiting>> {
        Ok(self.waiting.keys().copied().collect())
    }

    fn waiting_for(&self, client: u64, clock: u32) -> Result<Vec<Waiting>> {
        let is_here =
            |waiting: &&Waiting| waiting.needs.client == client && waiting.needs.clock < clock;
        Ok(self.waiting.keys().filter(is_here).copied().collect())
    }

    fn waiting_update(&self, hash: u64) -> Result<Option<Vec<u8>>> {
        self.waiting_reads.0.update(|reads| reads + 1);
        let mut waiting = self.waiting.iter();
        Ok(waiting.find(|(at, _)| at.hash == hash).map(|(_, update)| update.clone()))
    }

    fn has_unseen(&self) -> Result<bool> {
        Ok(!self.unseen.is_empty())
    }

    fn unseen(&self, root: &str, key: &str) -> Result<Unseen> {
        Ok(self.unseen.get(&entry_key(root, key)).cloned().unwrap_or_default())
    }

    fn has_cells(&self, root: &str) -> Result<bool> {
        let Some(cells) = cells_of(root) else { return Ok(false) };
        let mut keys = self.entries.keys().chain(self.removed.keys());
        Ok(keys.any(|(of, _)| **of == *cells))
    }

    fn cells(&self, root: &str, key: &str) -> Result<Vec<Cell>> {
        let Some(cells) = cells_of(root) else { return Ok(Vec::new()) };
        let first = entry_key(&cells, &cell_key(key, ""));
        let of_root = self.entries.range(first..).take_while(|((of, _), _)| **of == *cells);
        let found = of_root.filter_map(|((_, at), (id, value))| cell_of(key, at, *id, value));
        Ok(found.collect())
    }

    fn unseen_cells(&self, root: &str, key: &str) -> Result<Vec<String>> {
        let Some(cells) = cells_of(root) else { return Ok(Vec::new()) };
        let of_root = self.unseen.keys().filter(|(of, _)| **of == *cells);
        let paths = of_root.filter_map(|(_, at)| split_cell_key(at).filter(|(row, _)| *row == key));
        Ok(paths.map(|(_, path)| path.to_owned()).collect())
    }
}

impl WriteItems for Memory {
    fn append(&mut self, client: u64, run: ItemRun) -> Result<()> {
        let clock = self.clocks.entry(client).or_default();
        assert_eq!(*clock, run.start);
        assert!(run.len > 0);
        *clock += run.len;
        self.runs.insert((client, run.start), run);
        Ok(())
    }

    fn append_nested(&mut self, client: u64, start: u32, len: u32, block: &[u8]) -> Result<()> {
        self.append(client, ItemRun { start, len, place: Place::Nested })?;
        self.nested.insert((client, start), block.to_vec());
        Ok(())
    }

    fn kill(&mut self, client: u64, clocks: Range<u32>) -> Result<()> {
        assert!(clocks.start < clocks.end && clocks.end <= self.clock(client)?);
        let dead = self.dead.entry(client).or_default();
        dead.push(clocks);
        *dead = joined(std::mem::take(dead));
        Ok(())
    }

    fn put(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()> {
        assert!(!self.is_dead(id)?);
        let key = entry_key(root, key);
        self.removed.remove(&key);
        self.entries.insert(key, (id, value));
        Ok(())
    }

    fn clear(&mut self, root: &str, key: &str, id: ItemId) -> Result<()> {
        assert!(self.is_dead(id)?);
        let key = entry_key(root, key);
        self.entries.remove(&key);
        self.removed.insert(key, id);
        Ok(())
    }

    fn show(&mut self, root: &str, key: &str, json: String) -> Result<()> {
        if let Some((_, Value::Other { json: shown, .. })) =
            self.entries.get_mut(&entry_key(root, key))
        {
            *shown = json;
        }
        Ok(())
    }

    fn put_below(
        &mut self,
        root: &str,
        key: &str,
        (id, value): (ItemId, Value),
        _shown: (ItemId, &str),
    ) -> Result<()> {
        self.put(root, key, id, value)
    }

    fn wait(&mut self, update: &[u8], needs: ItemId) -> Result<bool> {
        let waiting = Waiting::of(update, needs);
        if self.waiting.len() >= self.max_waiting || self.waiting.contains_key(&waiting) {
            return Ok(false);
        }
        assert!(needs.clock >= self.clock(needs.client)?, "it waits for what is here");
        self.waiting.insert(waiting, update.to_vec());
        Ok(true)
    }

    fn release(&mut self, waiting: Waiting) -> Result<()> {
        self.waiting.remove(&waiting).expect("it waits");
        Ok(())
    }

    fn set_unseen(&mut self, root: &str, key: &str, unseen: Unseen) -> Result<()> {
        let at = entry_key(root, key);
        if unseen.is_empty() {
            self.unseen.remove(&at);
        } else {
            self.unseen.insert(at, unseen);
        }
        Ok(())
    }
}

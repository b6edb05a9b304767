//! A change of a document inside a commit: kept in memory over what the file has, and written at the end.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use redb::{ReadableTable, Table, TableDefinition};

use super::blocks::{Block, PackedPlace, PackedRun};
use super::commit::Commit;
use super::dead::{self, Bitmap, Dead};
use super::document::{
    DocumentState, RootInfo, StoredDocument, chunks_of, covered, write_id, write_root,
};
use super::failure::{Failure, Try, corrupt, guarded};
use super::journal::{ItemRange, JournalRecord, KEPT_MERGES, joined};
use super::keys;
use super::names;
use super::row_writer::RowWriter;
use super::rows::{RowValue, encode_row};
use super::seal::seal;
use crate::doc::items::{ClockRanges, ItemRun, Place, ReadItems, Tip, Value, WriteItems};
use crate::doc::{DocVersion, Entry, Unseen, deletion_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId, KeyForm};

/// From so many whole bitmaps on, one entry stands for them.
const MIN_FULL_CHUNKS: u32 = 8;

/// How many bytes of updates may wait, and how many of them.
const MAX_WAITING_BYTES: usize = 64 << 20;
const MAX_WAITING: usize = 10_000;

/// What a key of the document itself holds now.
#[derive(Debug, Clone)]
enum Own {
    Live(ItemId, Value),
    Dead(ItemId),
}

#[derive(Debug, Clone)]
struct StagedEntry {
    own: Own,
    /// Whether it shows otherwise than before though it is the same item.
    is_shown_anew: bool,
}

/// A change of what readers see under a key, or of the document's own entry.
#[derive(Debug)]
pub(crate) struct EntryChange {
    pub(crate) root: Arc<str>,
    pub(crate) key: Arc<str>,
    /// The bytes of the key of a row, where the table has it under bytes.
    pub(crate) bytes: Option<Vec<u8>>,
    /// Whether readers saw anything before.
    pub(crate) existed: bool,
    /// Whether readers see something else now.
    pub(crate) is_visible: bool,
    /// What readers see now.
    pub(crate) now: Option<(ItemId, Content)>,
    /// What the document's own entry held that is removed now.
    pub(crate) removed: Option<Content>,
}

/// A late edit that is to show under a key: its item and its JSON.
pub(crate) type Shown = (ItemId, String);

/// A change of a document inside a commit.
pub(crate) struct StagedDocument<'c> {
    base: &'c StoredDocument,
    commit: &'c Commit,
    items: Table<'c, &'static [u8], &'static [u8]>,
    /// How the rows of tables are kept that nothing was written to yet.
    declared: Arc<[(String, KeyForm)]>,
    roots: HashMap<Arc<str>, Arc<RootInfo>>,
    new_roots: Vec<Arc<str>>,
    state: DocumentState,
    /// The new blocks of each client; the first one may have stood in the file with fewer items.
    blocks: HashMap<u64, Vec<Block>>,
    clocks: RefCell<HashMap<u64, u32>>,
    maps: BTreeMap<(u64, u32), Bitmap>,
    /// Whole bitmaps that are full now, by client and first one: how many.
    full: BTreeMap<(u64, u32), u32>,
    nested: BTreeMap<(u64, u32), (u32, Vec<u8>)>,
    added: Vec<(u64, Vec<u8>)>,
    released: BTreeSet<u64>,
    unseen: BTreeMap<(Arc<str>, Arc<str>), Unseen>,
    /// Whether edits are unseen under any key in the file, once it was asked.
    has_unseen: OnceCell<bool>,
    /// What was removed, for the journal.
    removed: Vec<ItemRange>,
    /// The clocks that clients had before.
    before: HashMap<u64, u32>,
    /// Whether this is a merge, after which another copy may hold the same.
    is_merge: bool,
    /// The items whose content is to be taken from another copy.
    damaged: BTreeSet<ItemId>,
    entries: HashMap<Arc<str>, HashMap<Arc<str>, StagedEntry>>,
    late: BTreeMap<EntryRef, Shown>,
    /// What hides or shows again under keys that nothing was written to.
    reviewed: BTreeSet<EntryRef>,
    /// Writes rows at once; `None` where keys may be written several times.
    rows: Option<RowWriter<'c>>,
}

impl std::fmt::Debug for StagedDocument<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedDocument").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Commit {
    /// A document to be changed: each key any number of times.
    pub(crate) fn document<'c>(
        &'c self,
        base: &'c StoredDocument,
        declared: Arc<[(String, KeyForm)]>,
    ) -> Result<StagedDocument<'c>> {
        StagedDocument::new(self, base, declared, None)
    }

    /// A document to be changed: each key once, and rows in the order of their bytes, which are written
    /// at once.
    pub(crate) fn document_once<'c>(
        &'c self,
        base: &'c StoredDocument,
        declared: Arc<[(String, KeyForm)]>,
    ) -> Result<StagedDocument<'c>> {
        StagedDocument::new(self, base, declared, Some(RowWriter::new(self, base.name())))
    }
}

impl<'c> StagedDocument<'c> {
    fn new(
        commit: &'c Commit,
        base: &'c StoredDocument,
        declared: Arc<[(String, KeyForm)]>,
        rows: Option<RowWriter<'c>>,
    ) -> Result<Self> {
        let name = names::items(base.name());
        let items = guarded(|| Ok(commit.txn().open_table(TableDefinition::new(&name))?))?;
        Ok(Self {
            base,
            commit,
            items,
            declared,
            roots: HashMap::new(),
            new_roots: Vec::new(),
            state: base.state()?,
            blocks: HashMap::new(),
            clocks: RefCell::default(),
            maps: BTreeMap::new(),
            full: BTreeMap::new(),
            nested: BTreeMap::new(),
            added: Vec::new(),
            released: BTreeSet::new(),
            unseen: BTreeMap::new(),
            has_unseen: OnceCell::new(),
            removed: Vec::new(),
            before: HashMap::new(),
            is_merge: false,
            damaged: BTreeSet::new(),
            entries: HashMap::new(),
            late: BTreeMap::new(),
            reviewed: BTreeSet::new(),
            rows,
        })
    }

    /// The number and the form of a root, which is made where there is none.
    fn root(&mut self, name: &str) -> Try<Arc<RootInfo>> {
        if let Some(root) = self.roots.get(name) {
            return Ok(root.clone());
        }
        let root = match self.base.root(name)? {
            Some(root) => root,
            None => {
                let made = u32::try_from(self.new_roots.len()).unwrap_or(u32::MAX);
                let number = self.base.root_count()?.checked_add(made).ok_or_else(too_many)?;
                self.new_roots.push(name.into());
                let declared = self.declared.iter().find(|(root, _)| root == name);
                Arc::new(RootInfo { number, form: declared.map(|(_, form)| form.clone()) })
            }
        };
        self.roots.insert(name.into(), root.clone());
        Ok(root)
    }

    fn packed(&mut self, run: ItemRun) -> Try<PackedRun> {
        let ItemRun { start, len, place } = run;
        let place = match place {
            Place::Gone => PackedPlace::Gone,
            Place::Nested => PackedPlace::Nested,
            Place::After { origin, first } => PackedPlace::After { origin, first },
            Place::First { root, key } => {
                let number = self.root(&root)?.number;
                PackedPlace::First { root: number, key: keys::pack(&root, &key) }
            }
        };
        Ok(PackedRun { start, len, place })
    }

    fn add_run(&mut self, client: u64, run: ItemRun) -> Try<()> {
        let end = run.start.checked_add(run.len).ok_or_else(too_many)?;
        let run = self.packed(run)?;
        if !self.blocks.contains_key(&client) {
            let last = self.base.block_up_to(client, u32::MAX)?;
            let at = last.as_ref().map_or(0, |block| block.end);
            if run.start != at {
                return Err(Failure(corrupt("an item does not follow the one before it")));
            }
            self.before.insert(client, at);
            let block = last.filter(Block::has_room);
            let block = block.unwrap_or_else(|| Block::new(client, at));
            self.blocks.insert(client, vec![block]);
        }
        let Some(blocks) = self.blocks.get_mut(&client) else { return Ok(()) };
        if blocks.last().is_none_or(|block| !block.has_room()) {
            blocks.push(Block::new(client, run.start));
        }
        if let Some(block) = blocks.last_mut() {
            block.push(&run);
        }
        self.clocks.borrow_mut().insert(client, end);
        Ok(())
    }

    fn new_run(&self, id: ItemId) -> Try<Option<ItemRun>> {
        let Some(blocks) = self.blocks.get(&id.client) else { return Ok(None) };
        let after = blocks.partition_point(|block| block.start <= id.clock);
        let Some(block) = after.checked_sub(1).and_then(|index| blocks.get(index)) else {
            return Ok(None);
        };
        if id.clock >= block.end {
            return Err(Failure(corrupt("an item that another one refers to is not here")));
        }
        let PackedRun { start, len, place } = block.run_at(id.clock)?;
        let place = match place {
            PackedPlace::First { root, key } => {
                let known = self.roots.iter().find(|(_, info)| info.number == root);
                let name = match known {
                    Some((name, _)) => Some(name.clone()),
                    None => self.base.root_name(root)?,
                };
                let name = name.ok_or_else(super::document::damaged_root)?;
                let key = keys::unpack(&name, &key).ok_or_else(super::document::damaged_root)?;
                Place::First { root: name, key: key.into() }
            }
            place => return self.base.unpacked(PackedRun { start, len, place }).map(Some),
        };
        Ok(Some(ItemRun { start, len, place }))
    }

    /// The bitmap of some clocks, as it is now.
    fn bitmap(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        if let Some(map) = self.maps.get(&(client, chunk)) {
            return Ok(map.clone());
        }
        let before = self.full.range((client, 0)..=(client, chunk)).next_back();
        if before.is_some_and(|((_, first), count)| chunk - first < *count) {
            return Ok(Bitmap::full());
        }
        self.base.bitmap(client, chunk)
    }

    fn kill_in(&mut self, client: u64, chunk: u32, bits: Range<u32>) -> Try<()> {
        if !self.maps.contains_key(&(client, chunk)) {
            let map = self.bitmap(client, chunk)?;
            self.maps.insert((client, chunk), map);
        }
        if let Some(map) = self.maps.get_mut(&(client, chunk)) {
            map.set(bits);
        }
        Ok(())
    }

    fn kill_all(&mut self, client: u64, clocks: Range<u32>) -> Try<()> {
        let chunks = chunks_of(&clocks);
        let base = |chunk: u32| u64::from(chunk) * u64::from(dead::CLOCKS);
        let is_whole = |chunk: u32| {
            base(chunk) >= u64::from(clocks.start) && base(chunk + 1) <= u64::from(clocks.end)
        };
        let mut whole = chunks.clone();
        if !whole.is_empty() && !is_whole(whole.start) {
            whole.start += 1;
        }
        if !whole.is_empty() && !is_whole(whole.end - 1) {
            whole.end -= 1;
        }
        if whole.is_empty() || whole.end - whole.start < MIN_FULL_CHUNKS {
            whole = chunks.end..chunks.end;
        }
        if !whole.is_empty() {
            let within: Vec<_> = self
                .maps
                .range((client, whole.start)..(client, whole.end))
                .map(|(at, _)| *at)
                .collect();
            within.iter().for_each(|at| drop(self.maps.remove(at)));
            self.full.insert((client, whole.start), whole.end - whole.start);
        }
        for chunk in (chunks.start..whole.start).chain(whole.end..chunks.end) {
            let at = |clock: u32| {
                let bit = u64::from(clock).saturating_sub(base(chunk));
                u32::try_from(bit).unwrap_or(u32::MAX).min(dead::CLOCKS)
            };
            self.kill_in(client, chunk, at(clocks.start)..at(clocks.end))?;
        }
        Ok(())
    }

    fn own(&self, root: &str, key: &str) -> Option<&Own> {
        self.entries.get(root)?.get(key).map(|entry| &entry.own)
    }

    fn stage(&mut self, root: &str, key: &str, entry: StagedEntry) {
        if let Some(entries) = self.entries.get_mut(root) {
            if let Some(known) = entries.get_mut(key) {
                *known = entry;
            } else {
                entries.insert(key.into(), entry);
            }
        } else {
            self.entries.insert(root.into(), HashMap::from([(Arc::from(key), entry)]));
        }
    }

    /// Notes that this is a merge: another copy may hold the same afterwards, and what is damaged here.
    pub(crate) fn is_merge(&mut self, damaged: BTreeSet<ItemId>) {
        self.is_merge = true;
        self.damaged = damaged;
    }

    /// The entries of a root, by key.
    pub(crate) fn entries_of(&self, root: &str) -> Result<BTreeMap<String, Entry>> {
        let mut entries = BTreeMap::new();
        self.base.for_each::<Error>(root, |key, entry| {
            entries.insert(key.to_owned(), entry);
            Ok(())
        })?;
        for (key, staged) in self.entries.get(root).into_iter().flatten() {
            match &staged.own {
                Own::Live(id, value) => {
                    entries.insert(key.to_string(), Entry::from((*id, value.clone())));
                }
                Own::Dead(_) => drop(entries.remove(&**key)),
            }
        }
        Ok(entries)
    }

    /// The keys under which readers saw a late edit before.
    pub(crate) fn late(&self) -> Result<Vec<EntryRef>> {
        self.base.late()
    }

    /// The greatest key among the rows of a table that are written at once.
    pub(crate) fn greatest_row(&mut self, root: &str) -> Result<Option<Vec<u8>>> {
        guarded(|| match &mut self.rows {
            Some(rows) => rows.greatest(root),
            None => Ok(None),
        })
    }

    /// Whether there is a row under a key, among those that are written at once.
    pub(crate) fn has_row(&mut self, root: &str, key: &[u8]) -> Result<bool> {
        guarded(|| match &mut self.rows {
            Some(rows) => rows.contains(root, key),
            None => Ok(false),
        })
    }

    /// Has readers see a late edit under a key of a table that has no row there, among those that are
    /// written at once.
    pub(crate) fn show_where_nothing_is(
        &mut self,
        at: &EntryRef,
        id: ItemId,
        json: &str,
    ) -> Result<()> {
        guarded(|| {
            let info = self.root(&at.root)?;
            let (Some(bytes), Some(rows)) =
                (info.form.as_ref().and_then(|form| form.bytes_of(&at.key)), &mut self.rows)
            else {
                return Ok(());
            };
            if rows.contains(&at.root, &bytes)? {
                return Ok(());
            }
            let mut row = Vec::new();
            encode_row(&mut row, &bytes, id, RowValue::Late(json));
            rows.row(&at.root, &bytes, Some(&row))?;
            let under = keys::of_entry(keys::UNDER, info.number, &keys::pack(&at.root, &at.key));
            self.insert(&under, &[])
        })
    }

    /// Has readers see nothing under a key any more where they saw a late edit alone, which its removal
    /// says nothing of to the document: of a change that is written at once.
    pub(crate) fn hide_late(&mut self, root: &str, key: &str) -> Result<()> {
        guarded(|| {
            if !self.base.edge(root)?.has_late {
                return Ok(());
            }
            let is_late = self.base.stored(root, key)?.is_some_and(|row| row.is_late());
            if !is_late || self.base.value(root, key).map_err(Failure)?.is_some() {
                return Ok(());
            }
            let info = self.root(root)?;
            self.remove(&keys::of_entry(keys::UNDER, info.number, &keys::pack(root, key)))?;
            let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
            match (&mut self.rows, bytes) {
                (Some(rows), Some(bytes)) => rows.row(root, &bytes, None),
                (Some(rows), None) => rows.text(root, key, None),
                (None, _) => Ok(()),
            }
        })
    }

    /// What it holds now.
    pub(crate) fn version(&self) -> Result<DocVersion> {
        let clocks = self.clients()?.into_iter().collect();
        Ok(DocVersion { clocks, deletions: self.state.deletions })
    }

    /// Has it have had this many commits once this one is made.
    pub(crate) fn set_commits(&mut self, commits: u64) {
        self.state.commits = commits.saturating_sub(1);
    }

    /// Calls `visit` with the root and the key of everything that is staged and holds something.
    pub(crate) fn each_staged(
        &self,
        visit: &mut dyn FnMut(&str, &str) -> Result<()>,
    ) -> Result<()> {
        for (root, entries) in &self.entries {
            for (key, staged) in entries {
                if let Own::Live(..) = staged.own {
                    visit(root, key)?;
                }
            }
        }
        Ok(())
    }

    /// How many commits it has had once this one is made.
    pub(crate) fn commits(&self) -> u64 {
        self.state.commits.saturating_add(1)
    }

    /// Has readers see a late edit under a key, or where there is none, the document's own entry.
    pub(crate) fn show_late(&mut self, at: EntryRef, late: Option<Shown>) {
        match late {
            Some(late) => {
                self.late.insert(at, late);
            }
            None => {
                self.late.remove(&at);
                self.reviewed.insert(at);
            }
        }
    }

    /// Writes everything to the file; returns what has changed.
    pub(crate) fn finish(mut self) -> Result<Vec<EntryChange>> {
        let changes = self.write_entries()?;
        guarded(|| {
            if let Some(rows) = &mut self.rows {
                rows.flush()?;
            }
            self.write_items()
        })?;
        Ok(changes)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Try<()> {
        self.insert(key, &seal(key, value))
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) -> Try<()> {
        let before = self.items.insert(key, value)?.map(|before| key.len() + before.value().len());
        self.count(before, Some(key.len() + value.len()));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Try<()> {
        let before = self.items.remove(key)?.map(|before| key.len() + before.value().len());
        self.count(before, None);
        Ok(())
    }

    fn count(&mut self, before: Option<usize>, after: Option<usize>) {
        let bytes = self.state.bytes.saturating_add(after.unwrap_or_default() as u64);
        self.state.bytes = bytes.saturating_sub(before.unwrap_or_default() as u64);
    }

    fn write_items(&mut self) -> Try<()> {
        let mut blocks: Vec<Block> =
            std::mem::take(&mut self.blocks).into_values().flatten().collect();
        blocks.sort_unstable_by_key(|block| (block.client(), block.start));
        for block in blocks.into_iter().filter(|block| block.start < block.end) {
            let key = keys::of_item(keys::BLOCK, block.client(), block.start);
            self.set(&key, &block.encode())?;
        }
        for ((client, first), count) in std::mem::take(&mut self.full) {
            let from = keys::of_item(keys::DEAD, client, first);
            let to = keys::of_item(keys::DEAD, client, first.saturating_add(count - 1));
            self.split_full(client, first, count)?;
            self.forget(&from, &to)?;
            self.set(&from, &Dead::Full(count).encode())?;
        }
        for ((client, chunk), map) in std::mem::take(&mut self.maps) {
            let key = keys::of_item(keys::DEAD, client, chunk);
            // What an entry before it stands for is full already.
            let is_covered = map.is_full() && self.items.get(key.as_slice())?.is_none() && {
                let mut base = None;
                self.base.each_dead(client, chunk..chunk + 1, |first, dead| {
                    base = Some(covered(first, &dead).end);
                    Ok(())
                })?;
                base.is_some_and(|end| end > u64::from(chunk) * u64::from(dead::CLOCKS))
            };
            if !is_covered {
                self.set(&key, &Dead::Map(map).encode())?;
            }
        }
        for ((client, clock), (_, block)) in std::mem::take(&mut self.nested) {
            self.set(&keys::of_item(keys::NESTED, client, clock), &block)?;
        }
        for number in std::mem::take(&mut self.released) {
            self.remove(&keys::numbered(keys::WAITING, number))?;
        }
        for (number, update) in std::mem::take(&mut self.added) {
            self.set(&keys::numbered(keys::WAITING, number), &update)?;
        }
        for ((root, key), unseen) in std::mem::take(&mut self.unseen) {
            let number = self.root(&root)?.number;
            let at = keys::of_entry(keys::UNSEEN, number, &keys::pack(&root, &key));
            if unseen.is_empty() {
                self.remove(&at)?;
            } else {
                let json = serde_json::to_vec(&unseen).map_err(|error| {
                    Failure(
                        Error::new(ErrorKind::Storage, "an edit does not serialize").because(error),
                    )
                })?;
                self.set(&at, &json)?;
            }
        }
        for name in std::mem::take(&mut self.new_roots) {
            let Some(root) = self.roots.get(&name).cloned() else { continue };
            self.set(&keys::of_root(&name), &write_root(&root))?;
            self.set(&keys::of_root_number(root.number), name.as_bytes())?;
        }
        self.state.commits = self.state.commits.saturating_add(1);
        self.write_journal()?;
        let DocumentState { commits, deletions, bytes } = self.state;
        let state = [commits, deletions, bytes].map(u64::to_le_bytes).concat();
        self.items.insert(keys::STATE, seal(keys::STATE, &state).as_slice())?;
        Ok(())
    }

    fn write_journal(&mut self) -> Try<()> {
        let DocumentState { commits, deletions, .. } = self.state;
        let clocks = self.clocks.borrow();
        let inserted = self.before.iter().filter_map(|(client, start)| {
            let end = *clocks.get(client)?;
            Some((*client, *start..end))
        });
        let record = JournalRecord {
            deletions_hash: deletions,
            inserted: joined(inserted.collect()),
            removed: Some(joined(std::mem::take(&mut self.removed))),
        };
        drop(clocks);
        self.set(&keys::numbered(keys::JOURNAL, commits), &record.encode())?;
        if self.is_merge {
            self.set(&keys::numbered(keys::MERGE, commits), &deletions.to_le_bytes())?;
            let all = keys::numbered(keys::MERGE, 0)..=keys::numbered(keys::MERGE, u64::MAX);
            let range = (all.start().as_slice(), all.end().as_slice());
            let oldest = {
                let mut merges = self.items.range::<&[u8]>(range.0..=range.1)?;
                merges.nth_back(KEPT_MERGES).transpose()?.map(|(key, _)| key.value().to_vec())
            };
            if let Some(oldest) = oldest {
                self.forget(range.0, &oldest)?;
            }
        }
        // Seldom, since it is another part of the file.
        let kept = self.commit.journal_commits;
        if commits % kept.max(1) == 0 {
            let to = keys::numbered(keys::JOURNAL, commits.saturating_sub(kept));
            self.forget(&keys::numbered(keys::JOURNAL, 0), &to)?;
        }
        Ok(())
    }

    fn forget(&mut self, from: &[u8], to: &[u8]) -> Try<()> {
        let mut bytes = 0;
        self.items.retain_in::<&[u8], _>(from..=to, |key, value| {
            bytes += key.len() + value.len();
            false
        })?;
        self.count(Some(bytes), None);
        Ok(())
    }

    /// What an entry stands for beyond a range that is about to be written, it still says.
    fn split_full(&mut self, client: u64, first: u32, count: u32) -> Try<()> {
        let end = first.saturating_add(count);
        let mut beyond = None;
        self.base.each_dead(client, first..end, |chunk, dead| {
            if let Dead::Full(full) = dead {
                let full_end = chunk.saturating_add(full);
                if full_end > end {
                    beyond = Some(full_end - end);
                }
            }
            Ok(())
        })?;
        match beyond {
            Some(count) => {
                self.set(&keys::of_item(keys::DEAD, client, end), &Dead::Full(count).encode())
            }
            None => Ok(()),
        }
    }

    /// Writes what was staged by key; rows in the order of their bytes, which redb writes fastest.
    fn write_entries(&mut self) -> Result<Vec<EntryChange>> {
        let mut staged: Vec<(Arc<str>, Arc<str>, Option<StagedEntry>)> = Vec::new();
        for (root, entries) in std::mem::take(&mut self.entries) {
            for (key, entry) in entries {
                staged.push((root.clone(), key, Some(entry)));
            }
        }
        let is_staged = |at: &EntryRef| {
            staged
                .iter()
                .any(|(root, key, _)| (&**root, &**key) == (at.root.as_str(), at.key.as_str()))
        };
        let others: BTreeSet<&EntryRef> = self.late.keys().chain(&self.reviewed).collect();
        let others: Vec<_> = if others.is_empty() {
            Vec::new()
        } else if staged.len() < 64 {
            others.into_iter().filter(|at| !is_staged(at)).cloned().collect()
        } else {
            let known: BTreeSet<(&str, &str)> =
                staged.iter().map(|(root, key, _)| (&**root, &**key)).collect();
            let is_new = |at: &&EntryRef| !known.contains(&(at.root.as_str(), at.key.as_str()));
            others.into_iter().filter(is_new).cloned().collect()
        };
        staged.extend(others.into_iter().map(|at| (at.root.into(), at.key.into(), None)));
        let mut changes = Vec::with_capacity(staged.len());
        let mut writer = RowWriter::new(self.commit, self.base.name());
        let mut sorted = Vec::with_capacity(staged.len());
        for (root, key, entry) in staged {
            let info = guarded(|| self.root(&root))?;
            let bytes = info.form.as_ref().and_then(|form| form.bytes_of(&key));
            sorted.push((root, bytes, key, entry));
        }
        sorted.sort_unstable_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
        let mut buffer = Vec::new();
        for (root, bytes, key, entry) in sorted {
            let change =
                guarded(|| self.write_entry(&mut writer, &mut buffer, root, bytes, key, entry))?;
            changes.push(change);
        }
        guarded(|| writer.flush())?;
        Ok(changes)
    }

    fn write_entry(
        &mut self,
        writer: &mut RowWriter<'_>,
        buffer: &mut Vec<u8>,
        root: Arc<str>,
        bytes: Option<Vec<u8>>,
        key: Arc<str>,
        entry: Option<StagedEntry>,
    ) -> Try<EntryChange> {
        let number = self.root(&root)?.number;
        let packed = keys::pack(&root, &key);
        let (under, removed_at) = (
            keys::of_entry(keys::UNDER, number, &packed),
            keys::of_entry(keys::REMOVED, number, &packed),
        );
        let stored = self.base.stored(&root, &key)?;
        let (was, was_late) = match &stored {
            Some(row) => (Some(row.id()), row.is_late()),
            None => (None, false),
        };
        let is_shown_anew = entry.as_ref().is_some_and(|entry| entry.is_shown_anew);
        let is_written = entry.is_some();
        let before = || self.base.value(&root, &key).map_err(Failure);
        let (own, removed) = match entry.map(|entry| entry.own) {
            Some(Own::Live(id, value)) => (Some((id, value)), None),
            Some(Own::Dead(id)) => {
                let removed = match before() {
                    // The value of a damaged row is unknown.
                    Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => None,
                    before => before?,
                };
                self.set(&removed_at, &write_id(id))?;
                (None, removed.map(|removed| Entry::from(removed).content))
            }
            None => (before()?, None),
        };
        if is_written && own.is_some() {
            self.remove(&removed_at)?;
        }
        let at = EntryRef::new(&*root, &*key);
        let late = self.late.remove(&at);
        let row_key = bytes.as_deref().unwrap_or(key.as_bytes());
        let now = match (&late, own) {
            (Some((id, json)), own) => {
                match own {
                    Some((own, value)) => {
                        encode_row(buffer, &under, own, value_of(&value));
                        self.insert(&under, buffer)?;
                    }
                    None => self.insert(&under, &[])?,
                }
                encode_row(buffer, row_key, *id, RowValue::Late(json));
                Some((*id, Content::Text(json.as_str().into())))
            }
            (None, Some((id, value))) => {
                encode_row(buffer, row_key, id, value_of(&value));
                Some((id, Entry::from((id, value)).content))
            }
            (None, None) => None,
        };
        if was_late && late.is_none() {
            self.remove(&under)?;
        }
        let row = now.as_ref().map(|_| buffer.as_slice());
        match &bytes {
            Some(bytes) => writer.row(&root, bytes, row)?,
            None if row.is_none() && was.is_none() => {}
            None => writer.text(&root, &key, row)?,
        }
        let is_visible = was != now.as_ref().map(|(id, _)| *id) || is_shown_anew;
        Ok(EntryChange { existed: was.is_some(), root, key, bytes, is_visible, now, removed })
    }
}

fn value_of(value: &Value) -> RowValue<'_> {
    match value {
        Value::Text(json) => RowValue::Text(json),
        Value::Other { kind, bytes, json } => RowValue::Other { kind: *kind, bytes, json },
    }
}

fn too_many() -> Failure {
    Failure(
        Error::new(ErrorKind::Storage, "a device has written all that a document can hold of it")
            .help("nothing was changed; rebuild the history with `compact_history`"),
    )
}

impl ReadItems for StagedDocument<'_> {
    fn clients(&self) -> Result<Vec<(u64, u32)>> {
        let mut clients: BTreeMap<u64, u32> = self.base.clients()?.into_iter().collect();
        clients.extend(self.clocks.borrow().iter().filter(|(_, clock)| **clock > 0));
        Ok(clients.into_iter().collect())
    }

    fn clock(&self, client: u64) -> Result<u32> {
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

    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>> {
        match self.own(root, key) {
            Some(Own::Live(id, _)) => Ok(Some(Tip { id: *id, is_live: true })),
            Some(Own::Dead(id)) => Ok(Some(Tip { id: *id, is_live: false })),
            None => self.base.tip(root, key),
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

    fn waiting(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        let mut waiting = self.base.waiting()?;
        waiting.extend(self.added.iter().cloned());
        waiting.retain(|(number, _)| !self.released.contains(number));
        Ok(waiting)
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
            if self.is_dead(ItemId { client, clock: clocks.start })? {
                return Ok(());
            }
            vec![clocks.clone()]
        } else {
            self.live_in(client, clocks.clone())?
        };
        for range in &killed {
            let hash = deletion_hash(client, range.clone());
            self.state.deletions = self.state.deletions.wrapping_add(hash);
        }
        self.removed.extend(killed.into_iter().map(|range| (client, range)));
        guarded(|| self.kill_all(client, clocks))
    }

    fn put(&mut self, root: &str, key: &str, id: ItemId, value: Value) -> Result<()> {
        if self.rows.is_some() {
            return guarded(|| self.write_at_once(root, key, Own::Live(id, value)));
        }
        self.stage(root, key, StagedEntry { own: Own::Live(id, value), is_shown_anew: false });
        Ok(())
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
            return guarded(|| self.write_at_once(root, key, Own::Dead(id)));
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

    fn wait(&mut self, update: &[u8]) -> Result<bool> {
        let waiting = self.waiting()?;
        let bytes: usize = waiting.iter().map(|(_, update)| update.len()).sum();
        if waiting.len() >= MAX_WAITING || bytes.saturating_add(update.len()) > MAX_WAITING_BYTES {
            return Ok(false);
        }
        let last =
            waiting.iter().map(|(number, _)| *number).chain(self.released.iter().copied()).max();
        let number = last.map_or(0, |last| last.saturating_add(1));
        self.added.push((number, update.to_vec()));
        Ok(true)
    }

    fn release(&mut self, number: u64) -> Result<()> {
        self.added.retain(|(added, _)| *added != number);
        self.released.insert(number);
        Ok(())
    }

    fn set_unseen(&mut self, root: &str, key: &str, unseen: Unseen) -> Result<()> {
        self.unseen.insert((root.into(), key.into()), unseen);
        Ok(())
    }
}

impl StagedDocument<'_> {
    /// Writes the one change of a key in this commit.
    fn write_at_once(&mut self, root: &str, key: &str, own: Own) -> Try<()> {
        let info = self.root(root)?;
        let (number, edge) = (info.number, self.base.edge(root)?);
        let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
        if edge.has_late || edge.has_removed || matches!(own, Own::Dead(_)) {
            let packed = keys::pack(root, key);
            let removed = keys::of_entry(keys::REMOVED, number, &packed);
            if edge.has_late {
                self.remove(&keys::of_entry(keys::UNDER, number, &packed))?;
            }
            match &own {
                Own::Dead(id) => self.set(&removed, &write_id(*id))?,
                Own::Live(..) if edge.has_removed => self.remove(&removed)?,
                Own::Live(..) => {}
            }
        }
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let mut buffer = std::mem::take(&mut rows.buffer);
        let row = match &own {
            Own::Live(id, value) => {
                let row_key = bytes.as_deref().unwrap_or(key.as_bytes());
                encode_row(&mut buffer, row_key, *id, value_of(value));
                Some(buffer.as_slice())
            }
            Own::Dead(_) => None,
        };
        match &bytes {
            Some(bytes) => rows.row(root, bytes, row)?,
            // A mark never held anything.
            None if row.is_none() && self.base.stored(root, key)?.is_none() => {}
            None => rows.text(root, key, row)?,
        }
        rows.buffer = buffer;
        Ok(())
    }
}

/// What is left of ranges without others, both ascending.
fn without(ranges: &[Range<u32>], holes: impl Iterator<Item = Range<u64>>) -> ClockRanges {
    let mut left = ranges.to_vec();
    for hole in holes {
        let mut next = ClockRanges::with_capacity(left.len() + 1);
        for range in left {
            let end_before = u32::try_from(hole.start).unwrap_or(u32::MAX).min(range.end);
            let start_after = u32::try_from(hole.end).unwrap_or(u32::MAX).max(range.start);
            if end_before >= range.end || start_after <= range.start {
                next.push(range);
                continue;
            }
            if range.start < end_before {
                next.push(range.start..end_before);
            }
            if start_after < range.end {
                next.push(start_after..range.end);
            }
        }
        left = next;
    }
    left
}

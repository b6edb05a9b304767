//! A document as it is kept in the file: its items in a table of their own, and what its keys hold in the
//! tables of rows and entries that readers see.

use std::collections::HashMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use redb::ReadableTable;

use super::blocks::{Block, PackedPlace, PackedRun};
use super::dead::{self, Bitmap, Dead, push_range};
use super::failure::{Failure, Try, corrupt, guarded};
use super::journal::{JournalRecord, NAMED_COMMITS, joined};
use super::keys;
use super::names;
use super::rows::StoredRow;
use super::seal::unseal;
use super::view::{BytesTable, TextTable, View};
use crate::doc::items::{ClockRanges, ItemRun, Place, ReadItems, Tip, Value};
use crate::doc::{DocVersion, Entry, Unseen};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{EntryRef, ItemId, KeyForm};

/// What is known of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootInfo {
    pub(super) number: u32,
    /// How the keys of its rows are written; `None` where as texts.
    pub(super) form: Option<KeyForm>,
}

/// What is counted of a document: its commits, and a hash of its deletions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DocumentState {
    pub(crate) commits: u64,
    pub(crate) deletions: u64,
    /// How many bytes its own table holds.
    pub(crate) bytes: u64,
}

type Opened<T> = Mutex<HashMap<String, Option<Arc<T>>>>;

/// A document in the file, as of one view.
pub(crate) struct StoredDocument {
    view: Arc<View>,
    name: String,
    /// Whether nothing of it is read, since it is filled out of what a file of format 1 has.
    is_to_fill: bool,
    items: OnceLock<Option<BytesTable>>,
    roots: Mutex<HashMap<Arc<str>, Option<Arc<RootInfo>>>>,
    root_names: Mutex<HashMap<u32, Arc<str>>>,
    bytes_tables: Opened<BytesTable>,
    text_tables: Opened<TextTable>,
    edges: Mutex<HashMap<Arc<str>, Arc<Edge>>>,
}

/// What spares look-ups under keys of a root that are new.
#[derive(Debug)]
pub(super) struct Edge {
    /// The greatest key of its rows.
    last: Option<Vec<u8>>,
    /// Whether a key was removed.
    pub(super) has_removed: bool,
    /// Whether readers see a late edit under a key.
    pub(super) has_late: bool,
}

impl std::fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDocument").field("name", &self.name).finish_non_exhaustive()
    }
}

fn locked<T>(cache: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StoredDocument {
    pub(crate) fn new(view: Arc<View>, name: &str) -> Self {
        Self {
            view,
            name: name.to_owned(),
            is_to_fill: false,
            items: OnceLock::new(),
            roots: Mutex::default(),
            root_names: Mutex::default(),
            bytes_tables: Mutex::default(),
            text_tables: Mutex::default(),
            edges: Mutex::default(),
        }
    }

    /// A document of a file of format 1, which is empty until it is filled.
    pub(crate) fn to_fill(view: Arc<View>, name: &str) -> Self {
        Self { is_to_fill: true, ..Self::new(view, name) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    fn open<K: redb::Key + 'static>(
        &self,
        name: &str,
    ) -> Try<Option<redb::ReadOnlyTable<K, &'static [u8]>>> {
        if self.is_to_fill {
            return Ok(None);
        }
        if self.view.is_of_older_format() {
            // Read as if it were empty, it would be written to under clocks that it has given out.
            return Err(Failure(corrupt("a document is read before its file is upgraded")));
        }
        self.view.open(redb::TableDefinition::new(name))
    }

    pub(super) fn items(&self) -> Try<Option<&BytesTable>> {
        if self.items.get().is_none() {
            let name = names::items(&self.name);
            let opened = self.open(&name)?;
            // Another reader may have been faster, with the same table.
            let _ = self.items.set(opened);
        }
        Ok(self.items.get().and_then(Option::as_ref))
    }

    fn bytes_table(&self, name: &str) -> Try<Option<Arc<BytesTable>>> {
        if let Some(table) = locked(&self.bytes_tables).get(name) {
            return Ok(table.clone());
        }
        let table = self.open(name)?.map(Arc::new);
        locked(&self.bytes_tables).insert(name.to_owned(), table.clone());
        Ok(table)
    }

    fn text_table(&self, name: &str) -> Try<Option<Arc<TextTable>>> {
        if let Some(table) = locked(&self.text_tables).get(name) {
            return Ok(table.clone());
        }
        let table = self.open(name)?.map(Arc::new);
        locked(&self.text_tables).insert(name.to_owned(), table.clone());
        Ok(table)
    }

    /// The sealed value under a key of the document's own table.
    fn value_of(&self, key: &[u8]) -> Try<Option<Vec<u8>>> {
        let Some(items) = self.items()? else { return Ok(None) };
        let Some(value) = items.get(key)? else { return Ok(None) };
        Ok(Some(unseal(key, value.value())?.to_vec()))
    }

    /// Calls `visit` with the keys that begin with a byte, and their sealed values.
    pub(super) fn each_value(
        &self,
        first: u8,
        mut visit: impl FnMut(&[u8], &[u8]) -> Try<()>,
    ) -> Try<()> {
        let Some(items) = self.items()? else { return Ok(()) };
        for item in items.range::<&[u8]>([first].as_slice()..[first + 1].as_slice())? {
            let (key, value) = item?;
            visit(key.value(), unseal(key.value(), value.value())?)?;
        }
        Ok(())
    }

    pub(super) fn root(&self, name: &str) -> Try<Option<Arc<RootInfo>>> {
        if let Some(root) = locked(&self.roots).get(name) {
            return Ok(root.clone());
        }
        let root = match self.value_of(&keys::of_root(name))? {
            Some(value) => Some(Arc::new(read_root(&value)?)),
            None => None,
        };
        locked(&self.roots).insert(name.into(), root.clone());
        Ok(root)
    }

    pub(super) fn root_name(&self, number: u32) -> Try<Option<Arc<str>>> {
        if let Some(name) = locked(&self.root_names).get(&number) {
            return Ok(Some(name.clone()));
        }
        let Some(value) = self.value_of(&keys::of_root_number(number))? else { return Ok(None) };
        let name = std::str::from_utf8(&value).map_err(|_| damaged_root())?;
        let name: Arc<str> = name.into();
        locked(&self.root_names).insert(number, name.clone());
        Ok(Some(name))
    }

    /// How many roots there are: their numbers count up.
    pub(super) fn root_count(&self) -> Try<u32> {
        let Some(items) = self.items()? else { return Ok(0) };
        let range = keys::of_root_number(0)..=keys::of_root_number(u32::MAX);
        let range = (range.start().as_slice(), range.end().as_slice());
        let last = items.range::<&[u8]>(range.0..=range.1)?.next_back().transpose()?;
        Ok(last
            .and_then(|(key, _)| keys::entry_of(key.value()).map(|(number, _)| number + 1))
            .unwrap_or(0))
    }

    /// What readers see under a key of a root.
    pub(super) fn stored(&self, root: &str, key: &str) -> Try<Option<StoredRow<'_>>> {
        if let Some(table) = root.strip_prefix("table:")
            && let Some(info) = self.root(root)?
            && let Some(form) = &info.form
            && let Some(bytes) = form.bytes_of(key)
        {
            let Some(rows) = self.bytes_table(&names::rows(&self.name, table))? else {
                return Ok(None);
            };
            let row = rows.get(bytes.as_slice())?;
            return Ok(row.map(|row| StoredRow::new(self.view.format(), &bytes, row)));
        }
        let Some(texts) = self.text_table(&names::texts_of_root(&self.name, root))? else {
            return Ok(None);
        };
        let row = texts.get(key)?;
        Ok(row.map(|row| StoredRow::new(self.view.format(), key.as_bytes(), row)))
    }

    /// The document's own entry under a key where readers see a late edit; `None` where they see none.
    fn under(&self, root: &str, key: &str) -> Try<Option<Option<(ItemId, Value)>>> {
        let (Some(info), Some(items)) = (self.root(root)?, self.items()?) else { return Ok(None) };
        let at = keys::of_entry(keys::UNDER, info.number, &keys::pack(root, key));
        let Some(row) = items.get(at.as_slice())? else { return Ok(None) };
        if row.value().is_empty() {
            return Ok(Some(None));
        }
        let row = StoredRow::new(super::FORMAT, &at, row);
        if row.is_damaged() {
            return Err(damaged_entry(root, key));
        }
        Ok(Some(Some((row.id(), row.value()))))
    }

    fn own_of(&self, root: &str, key: &str, row: &StoredRow<'_>) -> Try<Option<(ItemId, Value)>> {
        if row.is_damaged() {
            // Beneath a damaged late edit, the document's own entry may be whole.
            return self.under(root, key)?.ok_or_else(|| damaged_entry(root, key));
        }
        if row.is_late() {
            return Ok(self.under(root, key)?.flatten());
        }
        Ok(Some((row.id(), row.value())))
    }

    fn own(&self, root: &str, key: &str) -> Try<Option<(ItemId, Value)>> {
        match self.stored(root, key)? {
            Some(row) => self.own_of(root, key, &row),
            None => Ok(None),
        }
    }

    /// The document's own entry under a key.
    pub(crate) fn entry(&self, root: &str, key: &str) -> Result<Option<Entry>> {
        guarded(|| Ok(self.own(root, key)?.map(Entry::from)))
    }

    /// What readers see under a key.
    pub(crate) fn visible(&self, root: &str, key: &str) -> Result<Option<Entry>> {
        guarded(|| {
            let Some(row) = self.stored(root, key)? else { return Ok(None) };
            if row.is_damaged() {
                return Err(damaged_entry(root, key));
            }
            Ok(Some(Entry { id: row.id(), content: row.content() }))
        })
    }

    /// What of it is damaged, one sentence each.
    pub(crate) fn damage(&self) -> Result<Vec<String>> {
        let mut damage = Vec::new();
        guarded(|| {
            let Some(items) = self.items()? else { return Ok(()) };
            for item in items.range::<&[u8]>(..)? {
                let (key, value) = item?;
                let (key, value) = (key.value(), value.value());
                let checked = match key.first() {
                    Some(&keys::UNDER) => Ok(()),
                    Some(&keys::BLOCK) => read_block(key, value)
                        .and_then(|block| block.runs().try_for_each(|run| run.map(drop))),
                    _ => unseal(key, value).map(drop),
                };
                if let Err(Failure(error)) = checked {
                    damage.push(error.what().to_owned());
                }
            }
            Ok(())
        })?;
        if !damage.is_empty() {
            return Ok(damage);
        }
        for root in self.roots()? {
            self.pass_stored::<Error>(&root, &mut |key, row| {
                if row.is_damaged() {
                    damage.push(format!("`{key}` of `{root}`: its checksum does not match"));
                }
                Ok(())
            })?;
        }
        Ok(damage)
    }

    /// Calls `visit` with every entry of a root map that is the document's own.
    pub(crate) fn for_each<E: From<Error>>(
        &self,
        root: &str,
        mut visit: impl FnMut(&str, Entry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.pass_stored(root, &mut |key, row| {
            let own = guarded(|| self.own_of(root, key, row))?;
            own.map_or(Ok(()), |(id, value)| visit(key, Entry::from((id, value))))
        })
    }

    /// Calls `visit` with every row or entry that readers see under a root.
    pub(super) fn pass_stored<E: From<Error>>(
        &self,
        root: &str,
        visit: &mut dyn FnMut(&str, &StoredRow<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let info = guarded(|| self.root(root))?;
        let form = info.as_ref().and_then(|info| info.form.as_ref());
        if let (Some(form), Some(table)) = (form, root.strip_prefix("table:")) {
            let rows = guarded(|| {
                let rows = self.bytes_table(&names::rows(&self.name, table))?;
                Ok(rows.map(|rows| rows.range::<&[u8]>(..)).transpose()?)
            })?;
            for_each_row(self.view.format(), rows, |bytes, row| {
                let key = form.text_of(bytes).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "a row is stored without a key").at_table(table)
                })?;
                visit(&key, row)
            })?;
        }
        let texts = guarded(|| {
            let texts = self.text_table(&names::texts_of_root(&self.name, root))?;
            Ok(texts.map(|texts| texts.range::<&str>(..)).transpose()?)
        })?;
        let Some(mut texts) = texts else { return Ok(()) };
        while let Some((key, row)) = guarded(|| Ok(texts.next().transpose()?))? {
            let row =
                guarded(|| Ok(StoredRow::new(self.view.format(), key.value().as_bytes(), row)))?;
            visit(key.value(), &row)?;
        }
        Ok(())
    }

    /// The names of all roots that have held something.
    pub(crate) fn roots(&self) -> Result<Vec<Arc<str>>> {
        guarded(|| {
            let mut roots = Vec::new();
            self.each_value(keys::ROOT_NAME, |_, name| {
                let name = std::str::from_utf8(name).map_err(|_| damaged_root())?;
                roots.push(name.into());
                Ok(())
            })?;
            Ok(roots)
        })
    }

    /// How the keys of a table's rows are written; `None` where as texts, or where nothing was written.
    pub(crate) fn form_of(&self, root: &str) -> Result<Option<Option<KeyForm>>> {
        guarded(|| Ok(self.root(root)?.map(|info| info.form.clone())))
    }

    /// The keys under which readers see a late edit.
    pub(crate) fn late(&self) -> Result<Vec<EntryRef>> {
        guarded(|| {
            let mut late = Vec::new();
            let Some(items) = self.items()? else { return Ok(late) };
            let range = [keys::UNDER]..[keys::UNDER + 1];
            for item in items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())? {
                let (key, _) = item?;
                let (number, packed) = keys::entry_of(key.value()).ok_or_else(damaged_root)?;
                let root = self.root_name(number)?.ok_or_else(damaged_root)?;
                let key = keys::unpack(&root, packed).ok_or_else(damaged_root)?;
                late.push(EntryRef::new(&*root, key));
            }
            Ok(late)
        })
    }

    pub(crate) fn state(&self) -> Result<DocumentState> {
        guarded(|| {
            let Some(value) = self.value_of(keys::STATE)? else {
                return Ok(DocumentState::default());
            };
            let numbers = value.as_chunks::<8>().0;
            let [commits, deletions, bytes] = numbers else { return Err(damaged_root()) };
            Ok(DocumentState {
                commits: u64::from_le_bytes(*commits),
                deletions: u64::from_le_bytes(*deletions),
                bytes: u64::from_le_bytes(*bytes),
            })
        })
    }

    /// How many clocks of each client are here.
    pub(crate) fn clocks(&self) -> Result<std::collections::BTreeMap<u64, u32>> {
        Ok(self.clients()?.into_iter().collect())
    }

    /// What this copy holds.
    pub(crate) fn version(&self) -> Result<DocVersion> {
        Ok(DocVersion { clocks: self.clocks()?, deletions: self.state()?.deletions })
    }

    /// Hashes of the deletions that it had at some moments: now, after its newest commits, and after its
    /// newest merges, each of which may have been what another copy held, too.
    pub(crate) fn marks(&self) -> Result<Vec<u64>> {
        let mut marks = vec![self.state()?.deletions];
        let mut add = |hash: u64| {
            if !marks.contains(&hash) {
                marks.push(hash);
            }
        };
        guarded(|| {
            self.each_value(keys::MERGE, |_, hash| {
                add(hash.try_into().map(u64::from_le_bytes).map_err(|_| damaged_root())?);
                Ok(())
            })?;
            let Some(items) = self.items()? else { return Ok(()) };
            let range = [keys::JOURNAL]..[keys::JOURNAL + 1];
            let range = items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())?;
            for item in range.rev().take(NAMED_COMMITS) {
                let (key, value) = item?;
                let hash = unseal(key.value(), value.value())?.first_chunk::<8>();
                add(hash.map(|hash| u64::from_le_bytes(*hash)).ok_or_else(damaged_root)?);
            }
            Ok(())
        })?;
        Ok(marks)
    }

    /// The deletions that a copy lacks which had the deletions of one of these hashes once: those since
    /// then, as far as the journal goes, or else all.
    pub(crate) fn deletions_since(&self, marks: &[u64]) -> Result<Vec<(u64, ClockRanges)>> {
        if marks.contains(&self.state()?.deletions) {
            return Ok(Vec::new());
        }
        match guarded(|| self.removed_since(marks))? {
            Some(removed) => Ok(removed),
            None => self.deletions(),
        }
    }

    fn removed_since(&self, marks: &[u64]) -> Try<Option<Vec<(u64, ClockRanges)>>> {
        let Some(items) = self.items()? else { return Ok(None) };
        let range = [keys::JOURNAL]..[keys::JOURNAL + 1];
        let mut removed = Vec::new();
        for item in items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())?.rev() {
            let (key, value) = item?;
            let record = JournalRecord::decode(unseal(key.value(), value.value())?)?;
            if marks.contains(&record.deletions_hash) {
                let mut by_client: Vec<(u64, ClockRanges)> = Vec::new();
                for (client, clocks) in joined(removed) {
                    match by_client.last_mut() {
                        Some((last, ranges)) if *last == client => ranges.push(clocks),
                        _ => by_client.push((client, vec![clocks])),
                    }
                }
                return Ok(Some(by_client));
            }
            let Some(of_commit) = record.removed else { return Ok(None) };
            removed.extend(of_commit);
        }
        Ok(None)
    }

    /// Whether updates wait for others.
    pub(crate) fn has_waiting(&self) -> Result<bool> {
        guarded(|| {
            let Some(items) = self.items()? else { return Ok(false) };
            let range = [keys::WAITING]..[keys::WAITING + 1];
            let mut range = items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())?;
            Ok(range.next().transpose()?.is_some())
        })
    }

    /// The stored block of a client with the greatest start up to a clock.
    pub(super) fn block_up_to(&self, client: u64, clock: u32) -> Try<Option<Block>> {
        let Some(items) = self.items()? else { return Ok(None) };
        let (from, to) =
            (keys::of_item(keys::BLOCK, client, 0), keys::of_item(keys::BLOCK, client, clock));
        let mut range = items.range::<&[u8]>(from.as_slice()..=to.as_slice())?;
        match range.next_back().transpose()? {
            Some((key, value)) => Ok(Some(read_block(key.value(), value.value())?)),
            None => Ok(None),
        }
    }

    /// What stands in the file for the bitmap of some clocks of a client.
    pub(super) fn bitmap(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        let Some(items) = self.items()? else { return Ok(Bitmap::empty()) };
        let (from, to) =
            (keys::of_item(keys::DEAD, client, 0), keys::of_item(keys::DEAD, client, chunk));
        let mut range = items.range::<&[u8]>(from.as_slice()..=to.as_slice())?;
        let Some((key, value)) = range.next_back().transpose()? else {
            return Ok(Bitmap::empty());
        };
        let (_, found) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
        match Dead::decode(unseal(key.value(), value.value())?)? {
            Dead::Map(map) if found == chunk => Ok(map),
            Dead::Full(count) if chunk - found < count => Ok(Bitmap::full()),
            Dead::Map(_) | Dead::Full(_) => Ok(Bitmap::empty()),
        }
    }

    /// Calls `visit` with what stands in the file for bitmaps of a client, from one to another.
    pub(super) fn each_dead(
        &self,
        client: u64,
        chunks: Range<u32>,
        mut visit: impl FnMut(u32, Dead) -> Try<()>,
    ) -> Try<()> {
        let Some(items) = self.items()? else { return Ok(()) };
        let (from, to) = (
            keys::of_item(keys::DEAD, client, 0),
            keys::of_item(keys::DEAD, client, chunks.end.saturating_sub(1)),
        );
        // The entry before the first may stand for it, too.
        let first = keys::of_item(keys::DEAD, client, chunks.start);
        let before = items
            .range::<&[u8]>(from.as_slice()..=first.as_slice())?
            .next_back()
            .transpose()?
            .map_or(first.to_vec(), |(key, _)| key.value().to_vec());
        if chunks.is_empty() {
            return Ok(());
        }
        let bounds = (Bound::Included(before.as_slice()), Bound::Included(to.as_slice()));
        for item in items.range::<&[u8]>(bounds)? {
            let (key, value) = item?;
            let (_, chunk) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
            visit(chunk, Dead::decode(unseal(key.value(), value.value())?)?)?;
        }
        Ok(())
    }

    pub(super) fn unpacked(&self, run: PackedRun) -> Try<ItemRun> {
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

    pub(super) fn edge(&self, root: &str) -> Try<Arc<Edge>> {
        if let Some(edge) = locked(&self.edges).get(root) {
            return Ok(edge.clone());
        }
        let mut edge = Edge { last: None, has_removed: false, has_late: false };
        if let (Some(info), Some(items)) = (self.root(root)?, self.items()?) {
            let has = |first: u8| -> Try<bool> {
                let from = keys::of_entry(first, info.number, &[]);
                // A packed key begins with a small number.
                let to = keys::of_entry(first, info.number, &[u8::MAX]);
                let mut range = items.range::<&[u8]>(from.as_slice()..to.as_slice())?;
                Ok(range.next().transpose()?.is_some())
            };
            (edge.has_removed, edge.has_late) = (has(keys::REMOVED)?, has(keys::UNDER)?);
            if let (Some(_), Some(table)) = (&info.form, root.strip_prefix("table:"))
                && let Some(rows) = self.bytes_table(&names::rows(&self.name, table))?
            {
                edge.last = ReadableTable::last(&*rows)?.map(|(key, _)| key.value().to_vec());
            }
        }
        let edge = Arc::new(edge);
        locked(&self.edges).insert(root.into(), edge.clone());
        Ok(edge)
    }

    /// Whether a key of a table's rows lies beyond all that there are.
    fn is_beyond(&self, root: &str, key: &str, edge: &Edge) -> Try<bool> {
        let Some(info) = self.root(root)? else { return Ok(false) };
        let Some(form) = &info.form else { return Ok(false) };
        let bytes = form.bytes_of(key);
        Ok(bytes.is_some_and(|bytes| edge.last.as_ref().is_none_or(|last| *last < bytes)))
    }

    /// The item that is alive under a key, by a look at all items: the way to it where what stands under
    /// the key is damaged.
    fn live_item(&self, root: &str, key: &str) -> Try<Option<ItemId>> {
        let mut found = None;
        for (client, _) in self.clients().map_err(Failure)? {
            let visited = self.runs_from(ItemId { client, clock: 0 }, &mut |run| {
                let id = ItemId { client, clock: run.start };
                if found.is_some() || run.place == Place::Nested || self.is_dead(id)? {
                    return Ok(());
                }
                let first = match run.place {
                    Place::After { first, .. } => self.run(first)?.place,
                    place => place,
                };
                let is_it = matches!(first, Place::First { root: of, key: at } if *of == *root && *at == *key);
                found = found.or(is_it.then_some(id));
                Ok(())
            });
            visited.map_err(Failure)?;
        }
        Ok(found)
    }

    pub(super) fn removed(&self, root: &str, key: &str) -> Try<Option<ItemId>> {
        let Some(info) = self.root(root)? else { return Ok(None) };
        let at = keys::of_entry(keys::REMOVED, info.number, &keys::pack(root, key));
        match self.value_of(&at)? {
            Some(value) => read_id(&value).map(Some),
            None => Ok(None),
        }
    }
}

impl ReadItems for StoredDocument {
    fn clients(&self) -> Result<Vec<(u64, u32)>> {
        guarded(|| {
            let mut clients = Vec::new();
            let Some(items) = self.items()? else { return Ok(clients) };
            let mut after = vec![keys::BLOCK];
            let end = [keys::BLOCK + 1];
            loop {
                let bounds = (Bound::Excluded(after.as_slice()), Bound::Excluded(end.as_slice()));
                let next = items.range::<&[u8]>(bounds)?.next().transpose()?;
                let Some((key, _)) = next else { return Ok(clients) };
                let (client, _) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
                let end = self.block_up_to(client, u32::MAX)?.map_or(0, |block| block.end);
                clients.push((client, end));
                after = keys::of_item(keys::BLOCK, client, u32::MAX).to_vec();
            }
        })
    }

    fn clock(&self, client: u64) -> Result<u32> {
        guarded(|| Ok(self.block_up_to(client, u32::MAX)?.map_or(0, |block| block.end)))
    }

    fn run(&self, id: ItemId) -> Result<ItemRun> {
        guarded(|| {
            let block = self.block_up_to(id.client, id.clock)?;
            let block = block.filter(|block| id.clock < block.end).ok_or_else(no_item)?;
            self.unpacked(block.run_at(id.clock)?)
        })
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
        guarded(|| {
            let mut live = ClockRanges::new();
            let mut at = clocks.start;
            let chunks = chunks_of(&clocks);
            self.each_dead(client, chunks, |chunk, dead| {
                let covered = covered(chunk, &dead);
                if covered.end <= u64::from(at) {
                    return Ok(());
                }
                let start = clamp(covered.start, &clocks).max(at);
                push_range(&mut live, at..start);
                let end = clamp(covered.end, &clocks);
                if let Dead::Map(map) = dead {
                    let base = chunk * dead::CLOCKS;
                    let mut found = Vec::new();
                    let within = start - base..end - base;
                    map.ranges(within, false, &mut found);
                    for range in found {
                        push_range(&mut live, base + range.start..base + range.end);
                    }
                }
                at = end;
                Ok(())
            })?;
            push_range(&mut live, at..clocks.end);
            Ok(live)
        })
    }

    fn deletions(&self) -> Result<Vec<(u64, ClockRanges)>> {
        guarded(|| {
            let mut all: Vec<(u64, ClockRanges)> = Vec::new();
            self.each_value(keys::DEAD, |key, value| {
                let (client, chunk) = keys::item_of(key).ok_or_else(damaged_root)?;
                if all.last().is_none_or(|(last, _)| *last != client) {
                    all.push((client, Vec::new()));
                }
                let Some((_, ranges)) = all.last_mut() else { return Ok(()) };
                let dead = Dead::decode(value)?;
                let covered = covered(chunk, &dead);
                match dead {
                    Dead::Map(map) => {
                        let base = chunk * dead::CLOCKS;
                        let mut found = Vec::new();
                        map.ranges(0..dead::CLOCKS, true, &mut found);
                        for range in found {
                            push_range(ranges, base + range.start..base.saturating_add(range.end));
                        }
                    }
                    Dead::Full(_) => {
                        let whole = 0..u32::MAX;
                        push_range(
                            ranges,
                            clamp(covered.start, &whole)..clamp(covered.end, &whole),
                        );
                    }
                }
                Ok(())
            })?;
            all.retain(|(_, ranges)| !ranges.is_empty());
            Ok(all)
        })
    }

    fn tip(&self, root: &str, key: &str) -> Result<Option<Tip>> {
        guarded(|| {
            let edge = self.edge(root)?;
            if !self.is_beyond(root, key, &edge)? {
                let own = match self.own(root, key) {
                    // So that what is damaged can be written over.
                    Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {
                        self.live_item(root, key)?
                    }
                    own => own?.map(|(id, _)| id),
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

    fn waiting(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        guarded(|| {
            let mut waiting = Vec::new();
            self.each_value(keys::WAITING, |key, update| {
                let number = key.get(1..).and_then(|number| number.try_into().ok());
                let number = number.map(u64::from_be_bytes).ok_or_else(damaged_root)?;
                waiting.push((number, update.to_vec()));
                Ok(())
            })?;
            Ok(waiting)
        })
    }

    fn has_unseen(&self) -> Result<bool> {
        guarded(|| {
            let Some(items) = self.items()? else { return Ok(false) };
            let range = [keys::UNSEEN]..[keys::UNSEEN + 1];
            let mut unseen = items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())?;
            Ok(unseen.next().transpose()?.is_some())
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
}

/// The bitmaps that hold the clocks of a range.
pub(super) fn chunks_of(clocks: &Range<u32>) -> Range<u32> {
    if clocks.is_empty() {
        return 0..0;
    }
    clocks.start / dead::CLOCKS..(clocks.end - 1) / dead::CLOCKS + 1
}

/// The clocks that an entry about dead items is about.
pub(super) fn covered(chunk: u32, dead: &Dead) -> Range<u64> {
    let count = match dead {
        Dead::Map(_) => 1,
        Dead::Full(count) => u64::from(*count),
    };
    let start = u64::from(chunk) * u64::from(dead::CLOCKS);
    start..start + count * u64::from(dead::CLOCKS)
}

/// A clock within a range, or its nearest end.
pub(super) fn clamp(clock: u64, range: &Range<u32>) -> u32 {
    u32::try_from(clock).unwrap_or(u32::MAX).clamp(range.start, range.end)
}

pub(super) fn read_id(value: &[u8]) -> Try<ItemId> {
    let read = || {
        let (client, clock) = value.split_first_chunk::<8>()?;
        let clock = u32::from_le_bytes(clock.try_into().ok()?);
        Some(ItemId { client: u64::from_le_bytes(*client), clock })
    };
    read().ok_or_else(damaged_root)
}

pub(super) fn write_id(id: ItemId) -> [u8; 12] {
    let mut value = [0; 12];
    value[..8].copy_from_slice(&id.client.to_le_bytes());
    value[8..].copy_from_slice(&id.clock.to_le_bytes());
    value
}

fn read_root(value: &[u8]) -> Try<RootInfo> {
    let read = || {
        let (number, word) = value.split_first_chunk::<4>()?;
        let word = std::str::from_utf8(word).ok()?;
        let form = if word.is_empty() { None } else { Some(KeyForm::parse(word)?) };
        Some(RootInfo { number: u32::from_le_bytes(*number), form })
    };
    read().ok_or_else(damaged_root)
}

pub(super) fn write_root(root: &RootInfo) -> Vec<u8> {
    let word = root.form.as_ref().map(KeyForm::to_word).unwrap_or_default();
    [root.number.to_le_bytes().as_slice(), word.as_bytes()].concat()
}

fn read_block(key: &[u8], value: &[u8]) -> Try<Block> {
    let (client, start) = keys::item_of(key).ok_or_else(damaged_root)?;
    Block::decode(client, start, unseal(key, value)?)
}

/// Calls `visit` with the rows of a range.
fn for_each_row<E: From<Error>>(
    format: u64,
    rows: Option<redb::Range<'static, &'static [u8], &'static [u8]>>,
    mut visit: impl FnMut(&[u8], &StoredRow<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let Some(mut rows) = rows else { return Ok(()) };
    while let Some((key, row)) = guarded(|| {
        let Some(item) = rows.next() else { return Ok(None) };
        let (key, row) = item?;
        let row = StoredRow::new(format, key.value(), row);
        Ok(Some((key, row)))
    })? {
        visit(key.value(), &row)?;
    }
    Ok(())
}

pub(super) fn damaged_root() -> Failure {
    Failure(corrupt("what the file says of a document is damaged"))
}

fn damaged_entry(root: &str, key: &str) -> Failure {
    let error = corrupt("the row is damaged: its checksum does not match");
    Failure(match root.split_once(':') {
        Some(("table", table)) => error.at_table(table).at_key(key),
        Some(("kv", group)) => error.at_group(group).at_field(key),
        _ => error.at_key(key),
    })
}

fn no_item() -> Failure {
    Failure(corrupt("an item that another one refers to is not in the file"))
}

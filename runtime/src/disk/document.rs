//! A document as it is kept in the file: its items in a table of their own, and what its keys hold in the
//! tables of rows and entries that readers see.

mod dead_items;
mod entries;
mod items;
mod known;
mod marks;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use redb::ReadableTable;

use super::blocks::Block;
use super::dead::{self, Bitmap, Dead};
use super::failure::{Failure, Try, corrupt};
use super::keys;
use super::names;
use super::seal::unseal;
use super::view::{BytesTable, TextTable, View};
use crate::doc::items::{Place, ReadItems};
use crate::error::{Error, ErrorKind};
use crate::row::{ItemId, KeyForm};
pub(super) use dead_items::NewestDeaths;
pub(super) use known::Added;
use known::Known;
pub(super) use waiting::Waits;

/// The facts about a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootInfo {
    pub(super) number: u32,
    /// How the keys of its rows are written; `None` if they are texts.
    pub(super) form: Option<KeyForm>,
}

/// The counts of a document: its commits, and a hash of its deletions.
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
    tail: OnceLock<Option<BytesTable>>,
    roots: Mutex<HashMap<Arc<str>, Option<Arc<RootInfo>>>>,
    root_names: Mutex<HashMap<u32, Arc<str>>>,
    /// Those of which a record was found damaged, and which are known by another one.
    damaged_roots: Mutex<BTreeSet<Arc<str>>>,
    /// Bitmaps that were put together of all else, since what the file has of them is damaged.
    bitmaps_of_items: Mutex<HashMap<(u64, u32), Bitmap>>,
    /// Whether these are the ones that were written, once it was asked.
    bitmaps_are_right: OnceLock<bool>,
    /// The state as all else says it, since it is damaged.
    recounted: OnceLock<DocumentState>,
    /// The items that died by the records in the tail, once they were asked for.
    newest_deaths: OnceLock<NewestDeaths>,
    /// Whether edits are unseen under any key, once it was asked.
    has_unseen: OnceLock<bool>,
    /// The facts about it that hold once the commit is made that is being written.
    expected: Mutex<Option<Known>>,
    bytes_tables: Opened<BytesTable>,
    text_tables: Opened<TextTable>,
    edges: Mutex<Edges>,
}

/// The facts about a root that spare look-ups under new keys.
#[derive(Debug)]
pub(super) struct Edge {
    /// The root; `None` if it never held anything.
    info: Option<Arc<RootInfo>>,
    /// The greatest key of its rows.
    last: Option<Vec<u8>>,
    /// Whether a key was removed.
    pub(super) has_removed: bool,
    /// Whether readers see a late edit under a key.
    pub(super) has_late: bool,
}

#[derive(Default)]
struct Edges {
    all: HashMap<Arc<str>, Arc<Edge>>,
    /// The one that was asked for last, as it mostly is again.
    last: Option<(Arc<str>, Arc<Edge>)>,
}

impl Edges {
    fn get(&mut self, root: &str) -> Option<Arc<Edge>> {
        if let Some((_, edge)) = self.last.as_ref().filter(|(last, _)| **last == *root) {
            return Some(edge.clone());
        }
        let (root, edge) = self.all.get_key_value(root)?;
        let (_, edge) = self.last.insert((root.clone(), edge.clone()));
        Some(edge.clone())
    }
}

impl Edge {
    /// Whether a key holds nothing, since it lies beyond all rows that there are.
    fn is_beyond(&self, key: &str) -> bool {
        let Some(info) = &self.info else { return true };
        let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
        bytes.is_some_and(|bytes| self.last.as_ref().is_none_or(|last| *last < bytes))
    }
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
            tail: OnceLock::new(),
            roots: Mutex::default(),
            root_names: Mutex::default(),
            damaged_roots: Mutex::default(),
            bitmaps_of_items: Mutex::default(),
            bitmaps_are_right: OnceLock::new(),
            recounted: OnceLock::new(),
            newest_deaths: OnceLock::new(),
            has_unseen: OnceLock::new(),
            expected: Mutex::default(),
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

    /// Returns the table of what the newest commits have added, and is not among the items yet.
    pub(super) fn tail(&self) -> Try<Option<&BytesTable>> {
        if self.tail.get().is_none() {
            let opened = self.open(&names::tail(&self.name))?;
            let _ = self.tail.set(opened);
        }
        Ok(self.tail.get().and_then(Option::as_ref))
    }

    /// The tables with items and records of commits, the newest first.
    pub(super) fn newest_first(&self) -> Try<impl Iterator<Item = &BytesTable>> {
        Ok([self.tail()?, self.items()?].into_iter().flatten())
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
        let root = match self.value_of(&keys::of_root(name)) {
            Err(damaged) if is_damage(&damaged) => {
                let known = self.readable_roots()?.remove(name).ok_or(damaged)?;
                locked(&self.damaged_roots).insert(name.into());
                Some(known)
            }
            value => value?.map(|value| read_root(&value)).transpose()?,
        };
        let root = root.map(Arc::new);
        locked(&self.roots).insert(name.into(), root.clone());
        Ok(root)
    }

    pub(super) fn root_name(&self, number: u32) -> Try<Option<Arc<str>>> {
        if let Some(name) = locked(&self.root_names).get(&number) {
            return Ok(Some(name.clone()));
        }
        let name: Arc<str> = match self.value_of(&keys::of_root_number(number)) {
            Err(damaged) if is_damage(&damaged) => {
                let mut known = self.readable_roots()?.into_iter();
                let (name, _) = known.find(|(_, root)| root.number == number).ok_or(damaged)?;
                locked(&self.damaged_roots).insert(name.clone());
                name
            }
            value => match value? {
                Some(value) => read_root_name(&value)?.1.into(),
                None => return Ok(None),
            },
        };
        locked(&self.root_names).insert(number, name.clone());
        Ok(Some(name))
    }

    /// All roots of which one of the two records can be read.
    pub(super) fn readable_roots(&self) -> Try<BTreeMap<Arc<str>, RootInfo>> {
        let mut roots = BTreeMap::new();
        let Some(items) = self.items()? else { return Ok(roots) };
        for first in [keys::ROOT, keys::ROOT_NAME] {
            for item in items.range::<&[u8]>([first].as_slice()..[first + 1].as_slice())? {
                let (key, value) = item?;
                let key = key.value();
                let Ok(value) = unseal(key, value.value()) else { continue };
                if first == keys::ROOT {
                    let name = std::str::from_utf8(&key[1..]).map_err(|_| damaged_root())?;
                    roots.insert(name.into(), read_root(value)?);
                } else {
                    let (form, name) = read_root_name(value)?;
                    let (number, _) = keys::entry_of(key).ok_or_else(damaged_root)?;
                    roots.insert(name.into(), RootInfo { number, form });
                }
            }
        }
        Ok(roots)
    }

    /// The roots of which one of the two records was found damaged.
    pub(super) fn damaged_roots(&self) -> Vec<Arc<str>> {
        locked(&self.damaged_roots).iter().cloned().collect()
    }

    /// How many roots there are: their numbers count up.
    pub(super) fn root_count(&self) -> Try<u32> {
        let Some(items) = self.items()? else { return Ok(0) };
        let range = keys::of_root_number(0)..=keys::of_root_number(u32::MAX);
        let range = (range.start().as_slice(), range.end().as_slice());
        let last = items.range::<&[u8]>(range.0..=range.1)?.next_back().transpose()?;
        let Some((key, _)) = last else { return Ok(0) };
        let last = keys::entry_of(key.value()).map(|(number, _)| number);
        last.and_then(|number| number.checked_add(1)).ok_or_else(damaged_root)
    }

    pub(super) fn edge(&self, root: &str) -> Try<Arc<Edge>> {
        if let Some(edge) = locked(&self.edges).get(root) {
            return Ok(edge);
        }
        let info = self.root(root)?;
        let mut edge = Edge { info, last: None, has_removed: false, has_late: false };
        if let (Some(info), Some(items)) = (&edge.info, self.items()?) {
            let has = |first: u8| -> Try<bool> {
                let from = keys::of_entry(first, info.number, &[]);
                // A packed key begins with a small number.
                let to = keys::of_entry(first, info.number, &[u8::MAX]);
                let mut range = items.range::<&[u8]>(from.as_slice()..to.as_slice())?;
                Ok(range.next().transpose()?.is_some())
            };
            let found = (has(keys::REMOVED)?, has(keys::UNDER)?);
            if let (Some(_), Some(table)) = (&info.form, root.strip_prefix("table:"))
                && let Some(rows) = self.bytes_table(&names::rows(&self.name, table))?
            {
                edge.last = ReadableTable::last(&*rows)?.map(|(key, _)| key.value().to_vec());
            }
            (edge.has_removed, edge.has_late) = found;
        }
        let edge = Arc::new(edge);
        locked(&self.edges).all.insert(root.into(), edge.clone());
        Ok(edge)
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

fn read_form(word: &str) -> Option<Option<KeyForm>> {
    if word.is_empty() { Some(None) } else { KeyForm::parse(word).map(Some) }
}

fn word_of(root: &RootInfo) -> String {
    root.form.as_ref().map(KeyForm::to_word).unwrap_or_default()
}

fn read_root(value: &[u8]) -> Try<RootInfo> {
    let read = || {
        let (number, word) = value.split_first_chunk::<4>()?;
        let form = read_form(std::str::from_utf8(word).ok()?)?;
        Some(RootInfo { number: u32::from_le_bytes(*number), form })
    };
    read().ok_or_else(damaged_root)
}

pub(super) fn write_root(root: &RootInfo) -> Vec<u8> {
    [root.number.to_le_bytes().as_slice(), word_of(root).as_bytes()].concat()
}

fn read_root_name(value: &[u8]) -> Try<(Option<KeyForm>, &str)> {
    let read = || {
        let (word, name) = std::str::from_utf8(value).ok()?.split_once('\0')?;
        Some((read_form(word)?, name))
    };
    read().ok_or_else(damaged_root)
}

pub(super) fn write_root_name(root: &RootInfo, name: &str) -> Vec<u8> {
    [word_of(root).as_str(), name].join("\0").into_bytes()
}

pub(super) fn read_block(key: &[u8], value: &[u8]) -> Try<Block> {
    let (client, start) = keys::item_of(key).ok_or_else(damaged_root)?;
    Block::decode(client, start, unseal(key, value)?)
}

pub(super) fn is_damage(failure: &Failure) -> bool {
    failure.0.kind() == ErrorKind::Corrupt
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

fn damaged_items(client: u64, start: u32) -> Failure {
    let what = format!("the file is damaged: the items of client {client} from {start} on");
    Failure(Error::new(ErrorKind::Corrupt, what).help(
        "exchange with a device that has them, and they come back; until then, rows that they belong to can \
         be read and not written",
    ))
}

fn no_item() -> Failure {
    Failure(corrupt("an item that another one refers to is not in the file"))
}

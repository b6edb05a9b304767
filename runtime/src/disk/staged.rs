//! A change of a document inside a commit: kept in memory over what the file has, and written at the end, but for
//! marks of edits.

mod deaths;
mod entries;
mod items;
mod runs;
mod tables;
mod tail;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use redb::{Table, TableDefinition};

use super::blocks::Block;
use super::commit::Commit;
use super::dead::Bitmap;
use super::document::{Added, DocumentState, RootInfo, StoredDocument, Waits};
use super::failure::{Failure, Try, guarded};
use super::journal::ItemRange;
use super::keys;
use super::names;
use super::row_writer::RowWriter;
use super::seal::seal;
use crate::doc::cells::row_of;
use crate::doc::items::{ReadItems, Value, Waiting};
use crate::doc::{DocVersion, Entry, Unseen};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId, KeyForm};

/// How many bytes of updates may wait, and how many of them.
const MAX_WAITING_BYTES: u64 = 64 << 20;
const MAX_WAITING: u64 = 10_000;

/// The item under a key of the document itself.
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
    /// The entry that readers see now.
    pub(crate) now: Option<(ItemId, Content)>,
}

/// A late edit that is to show under a key: its item and its JSON.
pub(crate) type Shown = (ItemId, String);

/// A change of a document inside a commit.
pub(crate) struct StagedDocument<'c> {
    base: &'c StoredDocument,
    commit: &'c Commit,
    /// Opened once something is written there, since that is another part of the file.
    items: OnceCell<Table<'c, &'static [u8], &'static [u8]>>,
    /// The table of the newest blocks and the newest records of commits.
    tail: Table<'c, &'static [u8], &'static [u8]>,
    /// How the rows of tables are kept that nothing was written to yet.
    declared: Arc<[(String, KeyForm)]>,
    roots: HashMap<Arc<str>, Arc<RootInfo>>,
    /// The one that was asked for last, as it mostly is again.
    last_root: Option<(Arc<str>, Arc<RootInfo>)>,
    new_roots: Vec<Arc<str>>,
    state: DocumentState,
    /// The new blocks of each client; the first one may have stood in the tail with fewer items.
    blocks: HashMap<u64, Vec<Block>>,
    clocks: RefCell<HashMap<u64, u32>>,
    maps: BTreeMap<(u64, u32), Bitmap>,
    /// Whole bitmaps that are full now, by client and first one: how many.
    full: BTreeMap<(u64, u32), u32>,
    nested: BTreeMap<(u64, u32), (u32, Vec<u8>)>,
    /// The updates that begin to wait, by the hashes of their bytes.
    added: BTreeMap<u64, (Waiting, Vec<u8>)>,
    /// Those that waited in the file and do not any more.
    released: BTreeSet<Waiting>,
    /// How many wait, once it was asked.
    waits: OnceCell<Waits>,
    unseen: BTreeMap<(Arc<str>, Arc<str>), Unseen>,
    /// Whether edits are unseen under any key in the file, once it was asked.
    has_unseen: OnceCell<bool>,
    /// Whether marks were written at once, so that the file says more of them than `base`.
    has_new_marks: bool,
    /// The facts that the next commit need not look up again.
    added_to_known: Added,
    /// The removed items, for the journal.
    removed: Vec<ItemRange>,
    /// The clocks that clients had before.
    before: HashMap<u64, u32>,
    /// Whether this is a merge, after which another copy may hold the same.
    is_merge: bool,
    /// The items whose content is to be taken from another copy.
    damaged: BTreeSet<ItemId>,
    entries: HashMap<Arc<str>, HashMap<Arc<str>, StagedEntry>>,
    /// The keys of cells among them, by root, in order.
    cell_keys: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    late: BTreeMap<EntryRef, Shown>,
    /// The keys that nothing was written to, and under which a late edit hides or shows again.
    reviewed: BTreeSet<EntryRef>,
    /// Writes rows at once; `None` if keys may be written several times.
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
        let tail = names::tail(base.name());
        let tail = guarded(|| Ok(commit.txn().open_table(TableDefinition::new(&tail))?))?;
        Ok(Self {
            base,
            commit,
            items: OnceCell::new(),
            tail,
            declared,
            roots: HashMap::new(),
            last_root: None,
            new_roots: Vec::new(),
            state: base.state()?,
            blocks: HashMap::new(),
            clocks: RefCell::default(),
            maps: BTreeMap::new(),
            full: BTreeMap::new(),
            nested: BTreeMap::new(),
            added: BTreeMap::new(),
            released: BTreeSet::new(),
            waits: OnceCell::new(),
            unseen: BTreeMap::new(),
            has_unseen: OnceCell::new(),
            has_new_marks: false,
            added_to_known: Added::default(),
            removed: Vec::new(),
            before: HashMap::new(),
            is_merge: false,
            damaged: BTreeSet::new(),
            entries: HashMap::new(),
            cell_keys: BTreeMap::new(),
            late: BTreeMap::new(),
            reviewed: BTreeSet::new(),
            rows,
        })
    }

    fn items(&self) -> Try<&Table<'c, &'static [u8], &'static [u8]>> {
        match self.items.get() {
            Some(items) => Ok(items),
            None => {
                let name = names::items(self.base.name());
                let items = self.commit.txn().open_table(TableDefinition::new(&name))?;
                Ok(self.items.get_or_init(|| items))
            }
        }
    }

    fn items_to_change(&mut self) -> Try<&mut Table<'c, &'static [u8], &'static [u8]>> {
        self.items()?;
        self.items.get_mut().ok_or_else(too_many)
    }

    /// The number and the form of a root, which is made if there is none.
    fn root(&mut self, name: &str) -> Try<Arc<RootInfo>> {
        if let Some((_, root)) = self.last_root.as_ref().filter(|(last, _)| **last == *name) {
            return Ok(root.clone());
        }
        if let Some((name, root)) = self.roots.get_key_value(name) {
            self.last_root = Some((name.clone(), root.clone()));
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

    fn own(&self, root: &str, key: &str) -> Option<&Own> {
        self.entries.get(root)?.get(key).map(|entry| &entry.own)
    }

    fn stage(&mut self, root: &str, key: &str, entry: StagedEntry) {
        if row_of(root, key).is_some() {
            self.cell_keys.entry(root.into()).or_default().insert(key.into());
        }
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

    /// Begins a merge, after which another copy may hold the same. Of damaged items, the content is taken
    /// from the update.
    pub(crate) fn begin_merge(&mut self, damaged: BTreeSet<ItemId>) {
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

    /// Returns the version that it holds now.
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

    /// The items that were alive before, or came dead.
    pub(crate) fn removed_items(&self) -> &[ItemRange] {
        &self.removed
    }

    pub(crate) fn name(&self) -> &str {
        self.base.name()
    }

    /// How many commits it has had once this one is made.
    pub(crate) fn commits(&self) -> u64 {
        self.state.commits.saturating_add(1)
    }

    /// Has readers see a late edit under a key, or if there is none, the document's own entry.
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
                self.added_to_known.greatest.extend(std::mem::take(&mut rows.greatest));
            }
            self.write_items()
        })?;
        Ok(changes)
    }

    fn waits(&self) -> Try<Waits> {
        if let Some(waits) = self.waits.get() {
            return Ok(*waits);
        }
        let waits = self.base.waits()?;
        Ok(*self.waits.get_or_init(|| waits))
    }

    /// Whether an update waits in the file for the same item.
    fn waits_already(&self, waiting: Waiting) -> Try<bool> {
        Ok(!self.released.contains(&waiting) && self.base.waiting_len(waiting)?.is_some())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Try<()> {
        self.insert(key, &seal(key, value))
    }

    fn insert_in_tail(&mut self, key: &[u8], value: &[u8]) -> Try<()> {
        let before = self.tail.insert(key, value)?.map(|before| key.len() + before.value().len());
        self.count(before, Some(key.len() + value.len()));
        Ok(())
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) -> Try<()> {
        match (key.first(), keys::entry_of(key)) {
            (Some(&keys::REMOVED), Some((root, _))) => {
                self.added_to_known.removed.insert(root);
            }
            (Some(&keys::UNDER), Some((root, _))) => {
                self.added_to_known.late.insert(root);
            }
            (Some(&keys::UNSEEN), _) => self.added_to_known.has_unseen = true,
            _ => {}
        }
        let items = self.items_to_change()?;
        let before = items.insert(key, value)?.map(|before| key.len() + before.value().len());
        self.count(before, Some(key.len() + value.len()));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Try<()> {
        let items = self.items_to_change()?;
        let before = items.remove(key)?.map(|before| key.len() + before.value().len());
        self.count(before, None);
        Ok(())
    }

    fn count(&mut self, before: Option<usize>, after: Option<usize>) {
        let bytes = self.state.bytes.saturating_add(after.unwrap_or_default() as u64);
        self.state.bytes = bytes.saturating_sub(before.unwrap_or_default() as u64);
    }
}

fn too_many() -> Failure {
    Failure(
        Error::new(ErrorKind::Storage, "a device has written all that a document can hold of it")
            .help("nothing was changed; rebuild the history with `compact_history`"),
    )
}

//! A consistent picture of the file: one read transaction, shared by all who read.

use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition,
    TableError, WriteTransaction,
};

use super::backend::{StorageHook, StorageOp};
use super::damaged_blocks::DamagedBlocks;
use super::failure::{Failure, Try, corrupt, guarded};
use super::index_facts::IndexFacts;
use super::meta::Meta;
use super::names;
use super::rows::{Rows, StoredRow, missing_rows};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::descriptor::{GroupIdx, TableIdx};

pub(super) type BytesTable = ReadOnlyTable<&'static [u8], &'static [u8]>;
pub(super) type TextTable = ReadOnlyTable<&'static str, &'static [u8]>;

/// The redb tables of a store's current data document, in declaration order.
#[derive(Debug, Default)]
pub(crate) struct ViewNames {
    document: String,
    rows: Vec<String>,
    strays: Vec<String>,
    entries: Vec<String>,
    /// Of each table.
    indexes: Vec<Vec<String>>,
}

impl ViewNames {
    pub(crate) fn new(
        document: &str,
        tables: impl Iterator<Item = &'static str> + Clone,
        groups: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self {
            document: document.to_owned(),
            rows: tables.clone().map(|table| names::rows(document, table)).collect(),
            strays: tables.map(|table| names::strays(document, table)).collect(),
            entries: groups.map(|group| names::entries(document, group)).collect(),
            indexes: Vec::new(),
        }
    }

    /// The same with the names of the tables' indexes, by table.
    pub(crate) fn with_indexes(mut self, indexes: Vec<Vec<String>>) -> Self {
        self.indexes = indexes;
        self
    }

    /// The names of all indexes, by table.
    pub(crate) fn indexes(&self) -> &[Vec<String>] {
        &self.indexes
    }

    /// The names of a table's indexes.
    pub(crate) fn indexes_of(&self, table_idx: TableIdx) -> &[String] {
        self.indexes.get(table_idx.0).map_or(&[], Vec::as_slice)
    }
}

/// An index, and what queries ask of it, looked up once.
#[derive(Default)]
pub(super) struct IndexCell {
    pub(super) table: OnceLock<Option<BytesTable>>,
    /// Whether it holds only a part of some value.
    pub(super) is_cut: OnceLock<bool>,
    /// Whether a row of its table does not decode.
    pub(super) has_invalid: OnceLock<bool>,
}

/// The committed state of one moment. Later commits do not change it.
pub(crate) struct View {
    txn: ReadTransaction,
    names: Arc<ViewNames>,
    // Opened at first use: a store may have many tables, and a commit makes a new view.
    rows: Box<[OnceLock<Option<BytesTable>>]>,
    entries: Box<[OnceLock<Option<TextTable>>]>,
    strays: Box<[OnceLock<Option<TextTable>>]>,
    /// Of each table, in one row.
    indexes: Box<[IndexCell]>,
    /// The recorded facts about the indexes, looked up once.
    index_facts: OnceLock<IndexFacts>,
    /// Called before reads, in tests.
    pub(super) hook: Option<StorageHook>,
    /// Counts up with every commit of this process.
    pub(crate) stamp: u64,
    /// The format of the file.
    format: u64,
    pub(super) blocks: DamagedBlocks,
    /// Keeps the database from being closed.
    database: Arc<()>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

impl View {
    pub(super) fn new(
        txn: ReadTransaction,
        names: Arc<ViewNames>,
        format: u64,
        database: Arc<()>,
    ) -> Self {
        let indexes = names.indexes.iter().flatten().map(|_| IndexCell::default()).collect();
        let rows = names.rows.iter().map(|_| OnceLock::new()).collect();
        let strays = names.strays.iter().map(|_| OnceLock::new()).collect();
        let entries = names.entries.iter().map(|_| OnceLock::new()).collect();
        Self {
            txn,
            names,
            rows,
            strays,
            entries,
            indexes,
            index_facts: OnceLock::new(),
            hook: None,
            stamp: 0,
            format,
            blocks: DamagedBlocks::default(),
            database,
        }
    }

    /// A view of a file that is closed: whatever is read of it is an error.
    pub(crate) fn closed(&self) -> Result<Self> {
        let txn = guarded(|| {
            let builder = redb::Builder::new();
            let database = builder.create_with_backend(redb::backends::InMemoryBackend::new())?;
            Ok(redb::ReadableDatabase::begin_read(&database)?)
        })?;
        Ok(Self {
            stamp: self.stamp,
            ..Self::new(txn, self.names.clone(), self.format, Arc::default())
        })
    }

    /// The format of the file.
    pub(super) fn format(&self) -> u64 {
        self.format
    }

    /// Whether the file has rows to be read, but no documents as this code keeps them.
    pub(crate) fn is_of_older_format(&self) -> bool {
        self.format < super::FORMAT
    }

    /// The names of all tables of the file.
    pub(super) fn table_names(&self) -> Try<Vec<String>> {
        let tables = self.txn.list_tables()?;
        Ok(tables.map(|table| redb::TableHandle::name(&table).to_owned()).collect())
    }

    fn stored(&self, key: &[u8], row: redb::AccessGuard<'static, &'static [u8]>) -> StoredRow<'_> {
        StoredRow::new(self.format, key, row)
    }

    /// The same moment, of these tables.
    pub(crate) fn with_names(self, names: Arc<ViewNames>) -> Self {
        let Self { hook, stamp, blocks, .. } = self;
        Self { hook, stamp, blocks, ..Self::new(self.txn, names, self.format, self.database) }
    }

    /// To be called where rows or entries begin to be read.
    pub(super) fn before_read(&self) -> Try<()> {
        match &self.hook {
            Some(hook) => Ok(hook(StorageOp::Read).map_err(redb::StorageError::Io)?),
            None => Ok(()),
        }
    }

    pub(crate) fn names(&self) -> &ViewNames {
        &self.names
    }

    /// The data document whose rows these are.
    pub(crate) fn document_name(&self) -> &str {
        &self.names.document
    }

    pub(super) fn index_cell(&self, table_idx: TableIdx, index: usize) -> &IndexCell {
        let before: usize = self.names.indexes.iter().take(table_idx.0).map(Vec::len).sum();
        &self.indexes[before + index]
    }

    /// Returns the facts about the indexes that are recorded under this name.
    pub(crate) fn index_facts(&self, name: &str) -> Result<&IndexFacts> {
        if self.index_facts.get().is_none() {
            let json = guarded(|| match self.open(names::META)? {
                Some(table) => Ok(table.get(name)?.map(|value| value.value().to_vec())),
                None => Ok(None),
            })?;
            let facts = json.as_deref().map_or_else(IndexFacts::default, IndexFacts::parse);
            // Another reader may have been faster, with the same.
            let _ = self.index_facts.set(facts);
        }
        Ok(self.index_facts.get_or_init(IndexFacts::default))
    }

    pub(super) fn table(&self, table_idx: TableIdx) -> Try<Option<&BytesTable>> {
        let cell = &self.rows[table_idx.0];
        if cell.get().is_none() {
            let opened = self.open(TableDefinition::new(&self.names.rows[table_idx.0]))?;
            // Another reader may have been faster, with the same table.
            let _ = cell.set(opened);
        }
        Ok(cell.get().and_then(Option::as_ref))
    }

    fn group(&self, group_idx: GroupIdx) -> Try<Option<&TextTable>> {
        let cell = &self.entries[group_idx.0];
        if cell.get().is_none() {
            let opened = self.open(TableDefinition::new(&self.names.entries[group_idx.0]))?;
            let _ = cell.set(opened);
        }
        Ok(cell.get().and_then(Option::as_ref))
    }

    pub(super) fn open<K: redb::Key + 'static>(
        &self,
        definition: TableDefinition<'_, K, &'static [u8]>,
    ) -> Try<Option<ReadOnlyTable<K, &'static [u8]>>> {
        match self.txn.open_table(definition) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The row under a key.
    pub(crate) fn row(&self, table_idx: TableIdx, key: &[u8]) -> Result<Option<StoredRow<'_>>> {
        guarded(|| {
            self.before_read()?;
            match self.table(table_idx)? {
                Some(table) => Ok(table.get(key)?.map(|row| self.stored(key, row))),
                None => Ok(None),
            }
        })
    }

    /// The greatest key of a table's rows.
    pub(crate) fn greatest_key(&self, table_idx: TableIdx) -> Result<Option<Vec<u8>>> {
        guarded(|| {
            self.before_read()?;
            match self.table(table_idx)? {
                Some(table) => Ok(table.last()?.map(|(key, _)| key.value().to_vec())),
                None => Ok(None),
            }
        })
    }

    /// How many rows are stored, strays included.
    pub(crate) fn len(&self, table_idx: TableIdx) -> Result<u64> {
        guarded(|| {
            let rows = self.table(table_idx)?.map_or(Ok(0), ReadableTableMetadata::len)?;
            let strays = self.stray_table(table_idx)?.map_or(Ok(0), |table| table.len())?;
            Ok(rows + strays)
        })
    }

    /// All rows in the order of their keys, without strays.
    pub(crate) fn rows(self: &Arc<Self>, table_idx: TableIdx) -> Result<Rows> {
        self.rows_in(table_idx, Bound::Unbounded, Bound::Unbounded)
    }

    /// The rows between two keys, in the order of their keys, without strays.
    pub(crate) fn rows_in(
        self: &Arc<Self>,
        table_idx: TableIdx,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
    ) -> Result<Rows> {
        let is_whole = matches!((from, to), (Bound::Unbounded, Bound::Unbounded));
        let (range, left) = guarded(|| {
            self.before_read()?;
            match self.table(table_idx)? {
                Some(table) if !is_empty(from, to) => {
                    let left = if is_whole { Some(table.len()?) } else { None };
                    Ok((Some(table.range::<&[u8]>((from, to))?), left))
                }
                _ => Ok((None, None)),
            }
        })?;
        Ok(Rows { range, format: self.format, left, _view: self.clone() })
    }

    /// The rows whose key does not parse as the declared type.
    pub(crate) fn strays(&self, table_idx: TableIdx) -> Result<Vec<(String, String)>> {
        guarded(|| {
            let mut strays = Vec::new();
            if let Some(table) = self.stray_table(table_idx)? {
                for item in table.range::<&str>(..)? {
                    let (key, row) = item?;
                    let row = self.stored(key.value().as_bytes(), row);
                    let json = String::from_utf8_lossy(row.json()).into_owned();
                    strays.push((key.value().to_owned(), json));
                }
            }
            Ok(strays)
        })
    }

    /// The rows whose key does not parse as the declared type, with their items. A damaged one is an error.
    pub(crate) fn stray_entries(&self, table_idx: TableIdx) -> Result<Entries> {
        self.texts_with(&self.names.strays[table_idx.0], |key| {
            let error = corrupt("the row is damaged: its checksum does not match");
            Err(Failure(error.at_key(key)))
        })
    }

    /// The row under a key that does not parse as the declared type.
    pub(crate) fn stray(&self, table_idx: TableIdx, key: &str) -> Result<Option<ItemId>> {
        guarded(|| match self.stray_table(table_idx)? {
            Some(table) => Ok(table.get(key)?.map(|row| self.stored(key.as_bytes(), row).id())),
            None => Ok(None),
        })
    }

    fn stray_table(&self, table_idx: TableIdx) -> Try<Option<&TextTable>> {
        let cell = &self.strays[table_idx.0];
        if cell.get().is_none() {
            let opened = self.open(TableDefinition::new(&self.names.strays[table_idx.0]))?;
            let _ = cell.set(opened);
        }
        Ok(cell.get().and_then(Option::as_ref))
    }

    /// The entry of a declared kv group.
    pub(crate) fn entry(&self, group_idx: GroupIdx, name: &str) -> Result<Option<StoredRow<'_>>> {
        guarded(|| match self.group(group_idx)? {
            Some(table) => Ok(table.get(name)?.map(|row| self.stored(name.as_bytes(), row))),
            None => Ok(None),
        })
    }

    /// All entries of a kv group, declared or not.
    pub(crate) fn entries(&self, document: &str, group: &str) -> Result<Entries> {
        self.texts(&names::entries(document, group))
    }

    /// [`entries`](Self::entries), unless one of them is damaged.
    pub(crate) fn whole_entries(&self, document: &str, group: &str) -> Result<Entries> {
        let name = names::entries(document, group);
        self.texts_with(&name, |name| {
            Err(Failure(
                corrupt("the entry is damaged: its checksum does not match")
                    .at_group(group)
                    .at_field(name),
            ))
        })
    }

    /// Returns the entries that a document keeps beside its rows under a root of this name.
    pub(crate) fn bookkeeping(&self, document: &str, root: &str) -> Result<Entries> {
        self.texts(&names::other(document, root))
    }

    fn texts(&self, name: &str) -> Result<Entries> {
        self.texts_with(name, |_| Ok(()))
    }

    fn texts_with(&self, name: &str, damaged: impl Fn(&str) -> Try<()>) -> Result<Entries> {
        guarded(|| {
            let mut entries = Entries::new();
            let Some(table) = self.open(TableDefinition::<&str, _>::new(name))? else {
                return Ok(entries);
            };
            for item in table.range::<&str>(..)? {
                let (name, row) = item?;
                let row = self.stored(name.value().as_bytes(), row);
                if row.is_damaged() {
                    damaged(name.value())?;
                }
                entries.push((name.value().to_owned(), row.id(), row.content()));
            }
            if entries.len() as u64 != table.len()? {
                return Err(missing_rows());
            }
            Ok(entries)
        })
    }

    /// Whether there is such an entry in a kv group, declared or not.
    pub(crate) fn has_entry(&self, document: &str, group: &str, name: &str) -> Result<bool> {
        let table = names::entries(document, group);
        guarded(|| match self.open(TableDefinition::<&str, _>::new(&table))? {
            Some(table) => Ok(table.get(name)?.is_some()),
            None => Ok(false),
        })
    }

    /// The facts about the file.
    pub(crate) fn meta(&self) -> Result<Meta> {
        guarded(|| {
            let mut meta = Meta::default();
            let Some(table) = self.open(names::META)? else { return Ok(meta) };
            for item in table.range::<&str>(..)? {
                let (name, value) = item?;
                meta.push(name.value(), value.value());
            }
            Ok(meta)
        })
    }

    /// The names of the kv groups of a document that have entries, declared or not.
    pub(crate) fn groups_of(&self, document: &str) -> Result<Vec<String>> {
        let prefix = names::entries(document, "");
        guarded(|| {
            let names = self.table_names()?.into_iter();
            Ok(names.filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)).collect())
        })
    }

    /// How many bytes the rows, entries and items of a document take.
    pub(crate) fn stored_bytes(&self, document: &str) -> Result<u64> {
        guarded(|| {
            let mut bytes = 0;
            for table in self.txn.list_tables()? {
                if names::is_of_document(document, redb::TableHandle::name(&table)) {
                    bytes += self.txn.open_untyped_table(table)?.stats()?.stored_bytes();
                }
            }
            Ok(bytes)
        })
    }

    pub(super) fn copy_into(&self, into: &WriteTransaction) -> Result<()> {
        guarded(|| {
            for table in self.txn.list_tables()? {
                let name = redb::TableHandle::name(&table).to_owned();
                // The kinds of keys that our tables have, told apart by name.
                match names::kind(&name).1 {
                    "log" | "snapshot" => {
                        copy::<u64>(&self.txn, into, TableDefinition::new(&name))?
                    }
                    "rows" | "index" | "items" | "tail" => {
                        copy::<&[u8]>(&self.txn, into, TableDefinition::new(&name))?;
                    }
                    _ => copy::<&str>(&self.txn, into, TableDefinition::new(&name))?,
                }
            }
            Ok(())
        })
    }
}

fn copy<K: redb::Key + 'static>(
    from: &ReadTransaction,
    into: &WriteTransaction,
    definition: TableDefinition<'_, K, &'static [u8]>,
) -> Try<()> {
    let source = from.open_table(definition)?;
    let mut target = into.open_table(definition)?;
    for item in source.iter()? {
        let (key, value) = item?;
        target.insert(key.value(), value.value())?;
    }
    Ok(())
}

/// Whether no key lies between the two, which redb does not take.
pub(super) fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        _ => false,
    }
}

/// Entries of a kv group: name, item, content.
pub(crate) type Entries = Vec<(String, ItemId, Content)>;

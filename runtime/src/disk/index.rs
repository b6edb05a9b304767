//! The indexes of a table: entries that are a row's values and its key, in byte order.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition};
use twox_hash::XxHash3_64;

use super::commit::Commit;
use super::failure::{Failure, Try, guarded};
use super::index_blocks::{Blocks, blocks_name};
use super::index_entries::IndexEntries;
use super::names;
use super::view::{BytesTable, View, is_empty};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::TableIdx;

/// The byte before the key of a row with a value too long for the index.
const CUT_ROWS: u8 = 0xFE;
/// The byte before the key of a row that does not decode.
const INVALID_ROWS: u8 = 0xFF;
/// Below this are the values.
const END_OF_VALUES: &[u8] = &[0xF0];

const IS_NULL: u8 = 1;
/// Flags, the length of the values, and a checksum of all that and the entry.
pub(super) const HEADER_LEN: usize = 9;
const CHECKED_LEN: usize = 5;

/// From so many entries on a cursor fills an empty index faster.
const CURSOR_FROM_ENTRIES: usize = 16;

/// An entry to add to an index or to take out of it: the bytes, and how many of them are values.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    pub(crate) bytes: Vec<u8>,
    pub(crate) values_len: usize,
    /// Whether one of the values is `None`, so that nothing conflicts with it.
    pub(crate) is_null: bool,
}

impl IndexEntry {
    pub(crate) fn new(values: &[u8], key: &[u8], is_null: bool) -> Self {
        let mut bytes = Vec::with_capacity(values.len() + key.len());
        bytes.extend_from_slice(values);
        bytes.extend_from_slice(key);
        Self { bytes, values_len: values.len(), is_null }
    }

    /// The note that a row has a value which the index holds only a part of.
    pub(crate) fn cut(key: &[u8]) -> Self {
        Self::new(&[CUT_ROWS], key, true)
    }

    /// The note that a row does not decode.
    pub(crate) fn invalid(key: &[u8]) -> Self {
        Self::new(&[INVALID_ROWS], key, true)
    }

    pub(crate) fn values(&self) -> &[u8] {
        self.bytes.get(..self.values_len).unwrap_or_default()
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.bytes.get(self.values_len..).unwrap_or_default()
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        header[0] = if self.is_null { IS_NULL } else { 0 };
        let len = u32::try_from(self.values_len).unwrap_or(u32::MAX);
        header[1..CHECKED_LEN].copy_from_slice(&len.to_le_bytes());
        let sum = checksum(&self.bytes, &header);
        header[CHECKED_LEN..].copy_from_slice(&sum);
        header
    }

    pub(super) fn read(bytes: &[u8], header: &[u8]) -> Try<Self> {
        let values_len = values_len(bytes, header)?;
        let is_null = header.first() == Some(&IS_NULL);
        Ok(Self { bytes: bytes.to_vec(), values_len, is_null })
    }
}

fn checksum(entry: &[u8], header: &[u8]) -> [u8; 4] {
    let of_header = XxHash3_64::oneshot(header.get(..CHECKED_LEN).unwrap_or_default());
    let sum = XxHash3_64::oneshot(entry) ^ of_header.rotate_left(29);
    let [a, b, c, d, ..] = sum.to_le_bytes();
    [a, b, c, d]
}

/// [`guarded`], for work on an index.
pub(super) fn of_index<T>(work: impl FnOnce() -> Try<T>) -> Result<T> {
    guarded(work).map_err(|error| match error.kind() {
        ErrorKind::Corrupt if error.what() != DAMAGED_ENTRY => {
            Error::new(ErrorKind::Corrupt, "an index is damaged").help(REBUILD).because(error)
        }
        _ => error,
    })
}

const DAMAGED_ENTRY: &str = "an entry of an index is damaged";
const REBUILD: &str = "the rows are not affected: make the indexes anew with `rebuild_indexes`";

/// How many bytes of an entry are values.
pub(super) fn values_len(entry: &[u8], header: &[u8]) -> Try<usize> {
    let len = header.get(1..CHECKED_LEN).and_then(|len| len.try_into().ok());
    let len = len.map(|len| u32::from_le_bytes(len) as usize).filter(|len| {
        *len <= entry.len() && header.get(CHECKED_LEN..) == Some(&checksum(entry, header))
    });
    len.ok_or_else(|| Failure(Error::new(ErrorKind::Corrupt, DAMAGED_ENTRY).help(REBUILD)))
}

/// The changes of one index by a commit, each list in the order of the entries.
#[derive(Debug, Default)]
pub(crate) struct IndexChange {
    /// Of rows as they were.
    pub(crate) removed: Vec<IndexEntry>,
    /// Of rows that changed, and not in what the index orders them by.
    pub(crate) kept: Vec<IndexEntry>,
    /// Of rows as they are.
    pub(crate) added: Vec<IndexEntry>,
}

impl IndexChange {
    /// Sorts, and moves what is taken out and put back to the kept entries.
    pub(crate) fn finish(&mut self) {
        self.added.sort_unstable();
        if self.removed.is_empty() {
            return;
        }
        self.removed.sort_unstable();
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        let mut after = std::mem::take(&mut self.added).into_iter().peekable();
        for before in std::mem::take(&mut self.removed) {
            while let Some(new) = after.next_if(|new| *new < before) {
                added.push(new);
            }
            match after.next_if(|new| *new == before) {
                Some(same) => self.kept.push(same),
                None => removed.push(before),
            }
        }
        added.extend(after);
        (self.removed, self.added) = (removed, added);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.kept.is_empty() && self.added.is_empty()
    }
}

/// Between which bytes to look in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Bound<Vec<u8>>,
    pub(crate) to: Bound<Vec<u8>>,
}

impl Span {
    /// All there is.
    pub(crate) fn whole() -> Self {
        Self { from: Bound::Unbounded, to: Bound::Unbounded }
    }

    /// All values.
    pub(crate) fn all() -> Self {
        Self { from: Bound::Unbounded, to: Bound::Excluded(END_OF_VALUES.to_vec()) }
    }

    /// The rows that do not decode.
    pub(crate) fn invalid() -> Self {
        Self { from: Bound::Included(vec![INVALID_ROWS]), to: Bound::Unbounded }
    }

    /// All that starts with `prefix`.
    pub(crate) fn starting_with(prefix: Vec<u8>) -> Self {
        let to = after_prefix(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Self { from: Bound::Included(prefix), to }
    }

    fn cut() -> Self {
        Self { from: Bound::Included(vec![CUT_ROWS]), to: Bound::Excluded(vec![INVALID_ROWS]) }
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.from.as_ref().map(Vec::as_slice), self.to.as_ref().map(Vec::as_slice))
    }
}

/// The first bytes after all that start with `prefix`.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = prefix.get(..=last)?.to_vec();
    if let Some(byte) = after.last_mut() {
        *byte += 1;
    }
    Some(after)
}

impl View {
    pub(super) fn index_table(
        &self,
        table_idx: TableIdx,
        index: usize,
    ) -> Try<Option<&BytesTable>> {
        let cell = &self.index_cell(table_idx, index).table;
        if cell.get().is_none() {
            let name = &self.names().indexes_of(table_idx)[index];
            let opened = self.open(TableDefinition::new(name))?;
            // Another reader may have been faster, with the same table.
            let _ = cell.set(opened);
        }
        Ok(cell.get().and_then(Option::as_ref))
    }

    /// The entries of an index in a span.
    pub(crate) fn index(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
        span: &Span,
    ) -> Result<IndexEntries> {
        let (from, to) = span.bounds();
        let range = of_index(|| {
            self.before_read()?;
            match self.index_table(table_idx, index)? {
                Some(table) if !is_empty(from, to) => Ok(Some(table.range::<&[u8]>((from, to))?)),
                _ => Ok(None),
            }
        })?;
        Ok(IndexEntries::of(range, self.clone()))
    }

    /// The table and the fields of an index of a document, by its name, and how many entries it has; nothing
    /// for an index of another document.
    pub(crate) fn index_of(
        &self,
        document: &str,
        name: &str,
    ) -> Result<Option<(String, Vec<String>, u64)>> {
        let Some((table, fields)) = names::index_parts(document, name) else { return Ok(None) };
        of_index(|| {
            let entries: Option<BytesTable> = self.open(TableDefinition::new(name))?;
            let len = entries.map(|entries| entries.len()).transpose()?.unwrap_or_default();
            Ok(Some((table, fields, len)))
        })
    }

    /// Whether an index holds only a part of some value, so that its order is not exact.
    pub(crate) fn index_is_cut(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
    ) -> Result<bool> {
        let known = &self.index_cell(table_idx, index).is_cut;
        self.index_has(known, table_idx, index, Span::cut)
    }

    /// Whether a row of its table does not decode, as an index says.
    pub(crate) fn index_has_invalid(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
    ) -> Result<bool> {
        let known = &self.index_cell(table_idx, index).has_invalid;
        self.index_has(known, table_idx, index, Span::invalid)
    }

    /// Whether an index has an entry in a span, if that is not known yet.
    fn index_has(
        self: &Arc<Self>,
        known: &OnceLock<bool>,
        table_idx: TableIdx,
        index: usize,
        span: fn() -> Span,
    ) -> Result<bool> {
        if let Some(known) = known.get() {
            return Ok(*known);
        }
        let found = self.index(table_idx, index, &span())?.next(false).transpose()?.is_some();
        Ok(*known.get_or_init(|| found))
    }
}

impl Commit {
    /// An index of a table, to write to.
    pub(crate) fn index(&self, name: &str) -> Result<IndexMut<'_>> {
        let blocks = blocks_name(name);
        of_index(|| {
            let table = self.txn().open_table(TableDefinition::new(name))?;
            Ok(IndexMut { table, blocks: self.txn().open_table(TableDefinition::new(&blocks))? })
        })
    }

    /// Forgets an index.
    pub(crate) fn clear_index(&self, name: &str) -> Result<()> {
        of_index(|| {
            self.txn().delete_table(TableDefinition::<&[u8], &[u8]>::new(name))?;
            let blocks = blocks_name(name);
            self.txn().delete_table(TableDefinition::<&[u8], &[u8]>::new(&blocks))?;
            Ok(())
        })
    }
}

/// One index inside a commit.
pub(crate) struct IndexMut<'t> {
    table: Table<'t, &'static [u8], &'static [u8]>,
    /// What the entries come to, a few hundred at a time.
    blocks: Table<'t, &'static [u8], &'static [u8]>,
}

impl IndexMut<'_> {
    /// Makes one change. What the index holds afterwards does not depend on how exactly the change
    /// knew what it held before.
    ///
    /// An entry ends with the key of its row, and a row has no entries but those that were written
    /// for it. So an entry that should be here and is not was computed from a row that reads
    /// otherwise each time; then the entries of its key are looked for. That reads the whole index,
    /// once in a commit.
    pub(crate) fn change(&mut self, change: &IndexChange) -> Result<()> {
        let IndexChange { removed, kept, added } = change;
        of_index(|| {
            let is_new = kept.is_empty() && self.table.is_empty()?;
            let mut blocks = Blocks::of(&mut self.table, &mut self.blocks)?;
            if is_new && added.len() >= CURSOR_FROM_ENTRIES {
                return blocks.fill(added.iter().map(|entry| (&*entry.bytes, entry.header())));
            }
            let mut unknown = BTreeSet::new();
            for entry in removed {
                if !blocks.remove(&entry.bytes)? {
                    unknown.insert(entry.key());
                }
            }
            for entry in kept {
                if !blocks.contains(&entry.bytes)? {
                    unknown.insert(entry.key());
                }
            }
            if unknown.is_empty() {
                added.iter().try_for_each(|entry| blocks.insert(&entry.bytes, &entry.header()))?;
                return blocks.close();
            }
            let is_unknown = |bytes: &[u8], header: &[u8]| {
                let start = values_len(bytes, header).ok();
                start.and_then(|start| bytes.get(start..)).is_some_and(|key| unknown.contains(key))
            };
            for bytes in blocks.find_all(is_unknown)? {
                blocks.remove(&bytes)?;
            }
            let kept = kept.iter().filter(|entry| unknown.contains(entry.key()));
            added
                .iter()
                .chain(kept)
                .try_for_each(|entry| blocks.insert(&entry.bytes, &entry.header()))?;
            blocks.close()
        })
    }

    /// The key of another row with the same values as `entry`.
    pub(crate) fn rival(&self, entry: &IndexEntry) -> Result<Option<Vec<u8>>> {
        of_index(|| {
            for item in self.table.range::<&[u8]>(entry.values()..)? {
                let (bytes, header) = item?;
                let found = IndexEntry::read(bytes.value(), header.value())?;
                if !found.bytes.starts_with(entry.values()) {
                    return Ok(None);
                }
                if found.values() == entry.values() && found.key() != entry.key() {
                    return Ok(Some(found.key().to_vec()));
                }
            }
            Ok(None)
        })
    }
}

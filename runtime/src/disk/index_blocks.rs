//! What the entries of an index between two of them come to, without walking through all: beside each
//! index stands a table of its *blocks*, a few hundred entries each, by where they begin.
//!
//! The first block begins with nothing, and is there as long as the blocks are kept; in an index without
//! it, or with a damaged block, the entries are walked. A commit that writes entries keeps the blocks, too.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition};

use super::failure::Try;
use super::index::{HEADER_LEN, Span, of_index, values_len};
use super::totals::Totals;
use super::view::{BytesTable, View, is_empty};
use crate::error::Result;
use crate::schema::descriptor::TableIdx;

/// A block that has come to more is split.
const MAX_ENTRIES: u64 = 512;
/// How many entries the blocks of a split have.
const SPLIT_ENTRIES: usize = 256;

type Entries<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// The table of an index's blocks. No index has such a name, since that of an index ends in `]`.
pub(super) fn blocks_name(index: &str) -> String {
    format!("{index}/blocks")
}

/// The tables of an index.
pub(crate) fn index_tables(index: &str) -> [String; 2] {
    [index.to_owned(), blocks_name(index)]
}

/// The blocks of one index inside a commit, while entries come and go in their order.
pub(super) struct Blocks<'b, 't> {
    index: &'b mut Entries<'t>,
    blocks: &'b mut Entries<'t>,
    /// The block that is being changed.
    open: Option<Block>,
    is_kept: bool,
}

struct Block {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    was: Totals,
    now: Totals,
}

impl Block {
    fn covers(&self, entry: &[u8]) -> bool {
        *self.start <= *entry && self.end.as_deref().is_none_or(|end| entry < end)
    }
}

impl<'b, 't> Blocks<'b, 't> {
    pub(super) fn of(index: &'b mut Entries<'t>, blocks: &'b mut Entries<'t>) -> Try<Self> {
        if index.is_empty()? && blocks.is_empty()? {
            blocks.insert([].as_slice(), Totals::default().encode(&[]).as_slice())?;
        }
        let is_kept = blocks.get([].as_slice())?.is_some();
        Ok(Self { index, blocks, open: None, is_kept })
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, entry: &[u8], header: &[u8]) -> Try<()> {
        if self.index.insert(entry, header)?.is_none() {
            self.at(entry, |block| block.now.add(entry))?;
        }
        Ok(())
    }

    /// Takes out an entry; returns whether it was there.
    pub(super) fn remove(&mut self, entry: &[u8]) -> Try<bool> {
        let was_there = self.index.remove(entry)?.is_some();
        if was_there {
            self.at(entry, |block| block.now.subtract(entry))?;
        }
        Ok(was_there)
    }

    /// Returns whether an entry is there.
    pub(super) fn contains(&self, entry: &[u8]) -> Try<bool> {
        Ok(self.index.get(entry)?.is_some())
    }

    /// Returns the entries that `is_meant`, given their bytes and header, says yes to.
    pub(super) fn find_all(&self, is_meant: impl Fn(&[u8], &[u8]) -> bool) -> Try<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        for item in self.index.range::<&[u8]>(..)? {
            let (entry, header) = item?;
            if is_meant(entry.value(), header.value()) {
                found.push(entry.value().to_vec());
            }
        }
        Ok(found)
    }

    fn at(&mut self, entry: &[u8], change: impl FnOnce(&mut Block)) -> Try<()> {
        if !self.is_kept {
            return Ok(());
        }
        if !self.open.as_ref().is_some_and(|block| block.covers(entry)) {
            self.close()?;
            self.open = self.find(entry)?;
        }
        if let Some(block) = &mut self.open {
            change(block);
        }
        Ok(())
    }

    fn find(&mut self, entry: &[u8]) -> Try<Option<Block>> {
        let found = match self.blocks.range::<&[u8]>(..=entry)?.next_back().transpose()? {
            Some((start, totals)) => {
                let start = start.value();
                Totals::decode(start, totals.value()).map(|totals| (start.to_vec(), totals))
            }
            None => None,
        };
        let Some((start, was)) = found else {
            // A damaged block does not say what becomes of it: walking takes longer, and is right.
            self.blocks.retain(|_, _| false)?;
            self.is_kept = false;
            return Ok(None);
        };
        let after = (Bound::Excluded(start.as_slice()), Bound::Unbounded);
        let next = self.blocks.range::<&[u8]>(after)?.next().transpose()?;
        let end = next.map(|(end, _)| end.value().to_vec());
        Ok(Some(Block { start, end, was, now: was }))
    }

    /// Writes what became of the block that was changed last; to be called at the end, too.
    pub(super) fn close(&mut self) -> Try<()> {
        let Some(block) = self.open.take() else { return Ok(()) };
        if block.now.entries > MAX_ENTRIES {
            return self.split(&block);
        }
        if block.now.entries == 0 && !block.start.is_empty() {
            // An entry that comes here later belongs to the block before.
            self.blocks.remove(block.start.as_slice())?;
        } else if block.now != block.was {
            self.put(&block.start, &block.now)?;
        }
        Ok(())
    }

    fn put(&mut self, start: &[u8], totals: &Totals) -> Try<()> {
        self.blocks.insert(start, totals.encode(start).as_slice())?;
        Ok(())
    }

    fn split(&mut self, block: &Block) -> Try<()> {
        let to = block.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut parts = vec![(block.start.clone(), Totals::default())];
        let entries = self.index.range::<&[u8]>((Bound::Included(block.start.as_slice()), to))?;
        for (number, entry) in entries.enumerate() {
            let (entry, _) = entry?;
            if number > 0 && number.is_multiple_of(SPLIT_ENTRIES) {
                parts.push((entry.value().to_vec(), Totals::default()));
            }
            if let Some((_, totals)) = parts.last_mut() {
                totals.add(entry.value());
            }
        }
        parts.into_iter().try_for_each(|(start, totals)| self.put(&start, &totals))
    }

    /// Fills an empty index, and its blocks, with entries in their order.
    pub(super) fn fill<'e>(
        mut self,
        entries: impl Iterator<Item = (&'e [u8], [u8; HEADER_LEN])>,
    ) -> Try<()> {
        // Into an empty index a cursor writes whole pages, one after another.
        let mut end = self.index.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
        let mut parts: Vec<(&[u8], Totals)> = vec![(&[], Totals::default())];
        for (number, (entry, header)) in entries.enumerate() {
            end.insert_before(entry, header.as_slice())?;
            if number > 0 && number.is_multiple_of(SPLIT_ENTRIES) {
                parts.push((entry, Totals::default()));
            }
            if let Some((_, totals)) = parts.last_mut() {
                totals.add(entry);
            }
        }
        end.close()?;
        // Blocks of entries that are gone count nothing, and only take space.
        self.blocks.retain(|_, _| false)?;
        parts.into_iter().try_for_each(|(start, totals)| self.put(start, &totals))
    }
}

impl View {
    /// What the entries of an index in a span come to, and how many entries and blocks were read to tell.
    pub(crate) fn index_totals(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
        span: &Span,
    ) -> Result<(Totals, u64)> {
        let (from, to) = span.bounds();
        of_index(|| {
            self.before_read()?;
            let Some(entries) = self.index_table(table_idx, index)? else {
                return Ok(Default::default());
            };
            if is_empty(from, to) {
                return Ok(Default::default());
            }
            if let Some(blocks) = self.blocks(table_idx, index)?
                && let Some(totals) = by_blocks(entries, &blocks, from, to)?
            {
                return Ok(totals);
            }
            walk(entries, from, to).map(|totals| (totals, totals.entries))
        })
    }

    fn blocks(&self, table_idx: TableIdx, index: usize) -> Try<Option<BytesTable>> {
        let name = blocks_name(&self.names().indexes_of(table_idx)[index]);
        let Some(blocks) = self.open(TableDefinition::<&[u8], &[u8]>::new(&name))? else {
            return Ok(None);
        };
        Ok(if blocks.get([].as_slice())?.is_some() { Some(blocks) } else { None })
    }

    /// Whether the entries of every block of an index come to what it says.
    pub(crate) fn blocks_agree(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
    ) -> Result<bool> {
        of_index(|| {
            let Some(entries) = self.index_table(table_idx, index)? else { return Ok(true) };
            let Some(blocks) = self.blocks(table_idx, index)? else { return Ok(true) };
            let mut parts = Vec::new();
            for block in blocks.range::<&[u8]>(..)? {
                let (start, totals) = block?;
                let Some(totals) = Totals::decode(start.value(), totals.value()) else {
                    return Ok(false);
                };
                parts.push((start.value().to_vec(), totals));
            }
            for (at, (start, totals)) in parts.iter().enumerate() {
                let end = parts.get(at + 1);
                let end = end.map_or(Bound::Unbounded, |(end, _)| Bound::Excluded(end.as_slice()));
                if walk(entries, Bound::Included(start), end)? != *totals {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

fn walk(entries: &BytesTable, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Try<Totals> {
    let mut totals = Totals::default();
    if !is_empty(from, to) {
        for entry in entries.range::<&[u8]>((from, to))? {
            let (entry, header) = entry?;
            values_len(entry.value(), header.value())?;
            totals.add(entry.value());
        }
    }
    Ok(totals)
}

/// The two ends by walking, and what lies between by blocks; nothing if one of these is damaged.
fn by_blocks(
    entries: &BytesTable,
    blocks: &BytesTable,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
) -> Try<Option<(Totals, u64)>> {
    // A block that begins at the end of the span may hold the entry there.
    let last = match to {
        Bound::Included(to) | Bound::Excluded(to) => Bound::Included(to),
        Bound::Unbounded => Bound::Unbounded,
    };
    let (mut sum, mut touched) = (Totals::default(), 0);
    let mut first: Option<Vec<u8>> = None;
    let mut open: Option<(Vec<u8>, Totals)> = None;
    for block in blocks.range::<&[u8]>((from, last))? {
        let (start, totals) = block?;
        let start = start.value();
        let Some(totals) = Totals::decode(start, totals.value()) else { return Ok(None) };
        touched += 1;
        if first.is_none() {
            first = Some(start.to_vec());
        }
        // The one before ends where this one begins, and so lies within the span.
        if let Some((_, totals)) = open.replace((start.to_vec(), totals)) {
            sum += totals;
        }
    }
    let (Some(first), Some((last, totals))) = (first, open) else {
        return walk(entries, from, to).map(|totals| Some((totals, totals.entries)));
    };
    let before = walk(entries, from, Bound::Excluded(&first))?;
    sum += before;
    touched += before.entries;
    sum += match to {
        Bound::Unbounded => totals,
        _ => {
            let after = walk(entries, Bound::Included(&last), to)?;
            touched += after.entries;
            after
        }
    };
    Ok(Some((sum, touched)))
}

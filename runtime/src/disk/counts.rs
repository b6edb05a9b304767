//! How many entries an index has between two of them, without walking through all: beside each index
//! stands a table of its *blocks*, a few hundred entries each, by where they begin.
//!
//! The first block begins with nothing, and is there as long as the blocks are kept; an index without
//! it is counted by walking. A commit that writes entries keeps the blocks, too.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition};

use super::failure::Try;
use super::index::{HEADER_LEN, Span, of_index};
use super::view::{BytesTable, View, is_empty};
use crate::error::Result;
use crate::schema::descriptor::TableIdx;

/// A block that has come to more is split.
const MAX_ENTRIES: u64 = 512;
/// How many entries the blocks of a split have.
const SPLIT_ENTRIES: usize = 256;

type Entries<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// The table of an index's blocks. No index has such a name, since that of an index ends in `]`.
pub(super) fn counts_name(index: &str) -> String {
    format!("{index}/counts")
}

/// The tables of an index.
pub(crate) fn index_tables(index: &str) -> [String; 2] {
    [index.to_owned(), counts_name(index)]
}

fn read(count: &[u8]) -> u64 {
    count.try_into().map_or(0, u64::from_le_bytes)
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
    was: u64,
    count: u64,
}

impl Block {
    fn covers(&self, entry: &[u8]) -> bool {
        *self.start <= *entry && self.end.as_deref().is_none_or(|end| entry < end)
    }
}

impl<'b, 't> Blocks<'b, 't> {
    pub(super) fn of(index: &'b mut Entries<'t>, blocks: &'b mut Entries<'t>) -> Try<Self> {
        if index.is_empty()? && blocks.is_empty()? {
            blocks.insert([].as_slice(), 0_u64.to_le_bytes().as_slice())?;
        }
        let is_kept = blocks.get([].as_slice())?.is_some();
        Ok(Self { index, blocks, open: None, is_kept })
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, entry: &[u8], header: &[u8]) -> Try<()> {
        if self.index.insert(entry, header)?.is_none() {
            self.at(entry, |block| block.count += 1)?;
        }
        Ok(())
    }

    /// Takes out an entry; returns whether it was there.
    pub(super) fn remove(&mut self, entry: &[u8]) -> Try<bool> {
        let was_there = self.index.remove(entry)?.is_some();
        if was_there {
            self.at(entry, |block| block.count = block.count.saturating_sub(1))?;
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

    fn find(&self, entry: &[u8]) -> Try<Option<Block>> {
        let Some(found) = self.blocks.range::<&[u8]>(..=entry)?.next_back() else {
            return Ok(None);
        };
        let (start, count) = found?;
        let (start, count) = (start.value().to_vec(), read(count.value()));
        let after = (Bound::Excluded(start.as_slice()), Bound::Unbounded);
        let next = self.blocks.range::<&[u8]>(after)?.next().transpose()?;
        let end = next.map(|(end, _)| end.value().to_vec());
        Ok(Some(Block { start, end, was: count, count }))
    }

    /// Writes what became of the block that was changed last; to be called at the end, too.
    pub(super) fn close(&mut self) -> Try<()> {
        let Some(block) = self.open.take() else { return Ok(()) };
        if block.count > MAX_ENTRIES {
            return self.split(&block);
        }
        if block.count == 0 && !block.start.is_empty() {
            // An entry that comes here later belongs to the block before.
            self.blocks.remove(block.start.as_slice())?;
        } else if block.count != block.was {
            self.put(&block.start, block.count)?;
        }
        Ok(())
    }

    fn put(&mut self, start: &[u8], count: u64) -> Try<()> {
        self.blocks.insert(start, count.to_le_bytes().as_slice())?;
        Ok(())
    }

    fn split(&mut self, block: &Block) -> Try<()> {
        let to = block.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut starts = vec![(block.start.clone(), 0)];
        let entries = self.index.range::<&[u8]>((Bound::Included(block.start.as_slice()), to))?;
        for (number, entry) in entries.enumerate() {
            let (entry, _) = entry?;
            if number > 0 && number.is_multiple_of(SPLIT_ENTRIES) {
                starts.push((entry.value().to_vec(), 0));
            }
            if let Some((_, count)) = starts.last_mut() {
                *count += 1;
            }
        }
        starts.into_iter().try_for_each(|(start, count)| self.put(&start, count))
    }

    /// Fills an empty index, and its blocks, with entries in their order.
    pub(super) fn fill<'e>(
        self,
        entries: impl Iterator<Item = (&'e [u8], [u8; HEADER_LEN])>,
    ) -> Try<()> {
        // Into an empty index a cursor writes whole pages, one after another.
        let mut end = self.index.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
        let mut starts: Vec<(&[u8], u64)> = vec![(&[], 0)];
        for (number, (entry, header)) in entries.enumerate() {
            end.insert_before(entry, header.as_slice())?;
            if number > 0 && number.is_multiple_of(SPLIT_ENTRIES) {
                starts.push((entry, 0));
            }
            if let Some((_, count)) = starts.last_mut() {
                *count += 1;
            }
        }
        end.close()?;
        // Blocks of entries that are gone count nothing, and only take space.
        self.blocks.retain(|_, _| false)?;
        for (start, count) in starts {
            self.blocks.insert(start, count.to_le_bytes().as_slice())?;
        }
        Ok(())
    }
}

impl View {
    /// How many entries of an index lie in a span, and how many entries and blocks were read to tell.
    pub(crate) fn count_index(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
        span: &Span,
    ) -> Result<(u64, u64)> {
        let (from, to) = span.bounds();
        of_index(|| {
            self.before_read()?;
            let Some(entries) = self.index_table(table_idx, index)? else { return Ok((0, 0)) };
            if is_empty(from, to) {
                return Ok((0, 0));
            }
            match self.blocks(table_idx, index)? {
                Some(blocks) => by_blocks(entries, &blocks, from, to),
                None => walk(entries, from, to).map(|count| (count, count)),
            }
        })
    }

    fn blocks(&self, table_idx: TableIdx, index: usize) -> Try<Option<BytesTable>> {
        let name = counts_name(&self.names().indexes_of(table_idx)[index]);
        let Some(blocks) = self.open(TableDefinition::<&[u8], &[u8]>::new(&name))? else {
            return Ok(None);
        };
        Ok(if blocks.get([].as_slice())?.is_some() { Some(blocks) } else { None })
    }

    /// Whether every block of an index has as many entries as it says.
    pub(crate) fn blocks_agree(
        self: &Arc<Self>,
        table_idx: TableIdx,
        index: usize,
    ) -> Result<bool> {
        of_index(|| {
            let Some(entries) = self.index_table(table_idx, index)? else { return Ok(true) };
            let Some(blocks) = self.blocks(table_idx, index)? else { return Ok(true) };
            let mut starts = Vec::new();
            for block in blocks.range::<&[u8]>(..)? {
                let (start, count) = block?;
                starts.push((start.value().to_vec(), read(count.value())));
            }
            for (at, (start, count)) in starts.iter().enumerate() {
                let end = starts.get(at + 1);
                let end = end.map_or(Bound::Unbounded, |(end, _)| Bound::Excluded(end.as_slice()));
                if walk(entries, Bound::Included(start), end)? != *count {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

fn walk(entries: &BytesTable, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Try<u64> {
    let mut count = 0;
    if !is_empty(from, to) {
        for entry in entries.range::<&[u8]>((from, to))? {
            entry?;
            count += 1;
        }
    }
    Ok(count)
}

/// The two ends by walking, and what lies between by blocks.
fn by_blocks(
    entries: &BytesTable,
    blocks: &BytesTable,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
) -> Try<(u64, u64)> {
    // A block that begins at the end of the span may hold the entry there.
    let last = match to {
        Bound::Included(to) | Bound::Excluded(to) => Bound::Included(to),
        Bound::Unbounded => Bound::Unbounded,
    };
    let (mut between, mut read_blocks) = (0, 0);
    let mut first: Option<Vec<u8>> = None;
    let mut open: Option<(Vec<u8>, u64)> = None;
    for block in blocks.range::<&[u8]>((from, last))? {
        let (start, count) = block?;
        let (start, count) = (start.value(), read(count.value()));
        read_blocks += 1;
        if first.is_none() {
            first = Some(start.to_vec());
        }
        // The one before ends where this one begins, and so lies within the span.
        between += open.take().map_or(0, |(_, count)| count);
        open = Some((start.to_vec(), count));
    }
    let (Some(first), Some((last, count))) = (first, open) else {
        return walk(entries, from, to).map(|count| (count, count));
    };
    let before = walk(entries, from, Bound::Excluded(&first))?;
    let (after, read_after) = match to {
        Bound::Unbounded => (count, 0),
        _ => walk(entries, Bound::Included(&last), to).map(|after| (after, after))?,
    };
    Ok((before + between + after, before + read_after + read_blocks))
}

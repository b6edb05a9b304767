//! Walking an index, one entry after another or many at once.

use std::sync::Arc;

use super::failure::Try;
use super::fetched::Keys;
use super::index::{IndexEntry, of_index, values_len};
use super::view::View;
use crate::error::Result;

/// How many entries are read at once: so few that they stay in the nearest cache.
const CHUNK_ENTRIES: usize = 128;

type EntryRange = redb::Range<'static, &'static [u8], &'static [u8]>;

/// Entries of an index, streamed; keeps its view alive.
pub(crate) struct IndexEntries {
    range: Option<EntryRange>,
    _view: Arc<View>,
}

impl std::fmt::Debug for IndexEntries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexEntries").finish_non_exhaustive()
    }
}

impl IndexEntries {
    pub(super) fn of(range: Option<EntryRange>, view: Arc<View>) -> Self {
        Self { range, _view: view }
    }

    /// The next entry, or if `back`, the one before the end.
    pub(crate) fn next(&mut self, back: bool) -> Option<Result<IndexEntry>> {
        self.step(back, IndexEntry::read)
    }

    /// Puts the key of the next entry into `key`.
    pub(crate) fn next_key(&mut self, back: bool, key: &mut Vec<u8>) -> Option<Result<()>> {
        self.step(back, |bytes, header| {
            key.clear();
            key.extend_from_slice(bytes.get(values_len(bytes, header)?..).unwrap_or_default());
            Ok(())
        })
    }

    /// Adds the keys of the next entries, at most so many.
    pub(crate) fn append_keys(
        &mut self,
        back: bool,
        at_most: usize,
        keys: &mut Keys,
    ) -> Result<()> {
        self.steps(back, at_most, |bytes, header| {
            let start = values_len(bytes, header)?;
            keys.push(bytes.get(start..).unwrap_or_default());
            Ok(())
        })
    }

    /// Puts the next entries in the place of others.
    ///
    /// # Errors
    ///
    /// One that comes after the entries that are in the chunk then.
    pub(crate) fn next_chunk(&mut self, chunk: &mut EntryChunk) -> Result<()> {
        chunk.clear();
        self.steps(false, CHUNK_ENTRIES, |bytes, header| {
            chunk.push(bytes, values_len(bytes, header)?);
            Ok(())
        })
    }

    fn steps(
        &mut self,
        back: bool,
        at_most: usize,
        mut read: impl FnMut(&[u8], &[u8]) -> Try<()>,
    ) -> Result<()> {
        let Some(range) = self.range.as_mut() else { return Ok(()) };
        let result = of_index(|| {
            for _ in 0..at_most {
                let item = if back { range.next_back() } else { range.next() };
                let Some(item) = item else { break };
                let (bytes, header) = item?;
                read(bytes.value(), header.value())?;
            }
            Ok(())
        });
        if result.is_err() {
            // redb keeps on failing after an error; the rest of the index is lost to us.
            self.range = None;
        }
        result
    }

    fn step<T>(
        &mut self,
        back: bool,
        read: impl FnOnce(&[u8], &[u8]) -> Try<T>,
    ) -> Option<Result<T>> {
        let range = self.range.as_mut()?;
        let item = of_index(|| match if back { range.next_back() } else { range.next() } {
            Some(item) => {
                let (bytes, header) = item?;
                read(bytes.value(), header.value()).map(Some)
            }
            None => Ok(None),
        });
        match item {
            Ok(entry) => entry.map(Ok),
            Err(error) => {
                // redb keeps on failing after an error; the rest of the index is lost to us.
                self.range = None;
                Some(Err(error))
            }
        }
    }
}

/// Some entries of an index, one after another.
#[derive(Debug, Default)]
pub(crate) struct EntryChunk {
    bytes: Vec<u8>,
    /// The ends of the values and of the key of each.
    ends: Vec<(usize, usize)>,
}

impl EntryChunk {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, entry: &[u8], values_len: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(entry);
        self.ends.push((start + values_len, self.bytes.len()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The values and the key of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(middle, end)| {
            let values = self.bytes.get(start..*middle).unwrap_or_default();
            start = *end;
            (values, self.bytes.get(*middle..*end).unwrap_or_default())
        })
    }
}

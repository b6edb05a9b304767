//! Which items a commit kills, in bitmaps over those of the file.

use std::ops::Range;

use redb::ReadableTable;

use super::StagedDocument;
use crate::disk::dead::{self, Bitmap, Dead};
use crate::disk::document::{chunks_of, covered};
use crate::disk::failure::Try;
use crate::disk::keys;

/// From so many whole bitmaps on, one entry stands for them.
const MIN_FULL_CHUNKS: u32 = 8;

impl StagedDocument<'_> {
    /// The bitmap of some clocks, as it is now.
    pub(super) fn bitmap(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        if let Some(map) = self.maps.get(&(client, chunk)) {
            return Ok(map.clone());
        }
        let before = self.full.range((client, 0)..=(client, chunk)).next_back();
        if before.is_some_and(|((_, first), count)| chunk - first < *count) {
            return Ok(Bitmap::full());
        }
        self.base.bitmap(client, chunk)
    }

    pub(super) fn kill_all(&mut self, client: u64, clocks: Range<u32>) -> Try<()> {
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

    /// Writes bitmaps of what is dead.
    pub(super) fn write_dead(&mut self) -> Try<()> {
        for ((client, first), count) in std::mem::take(&mut self.full) {
            let from = keys::of_item(keys::DEAD, client, first);
            let to = keys::of_item(keys::DEAD, client, first.saturating_add(count - 1));
            self.split_full(client, first, count)?;
            self.forget(&from, &to)?;
            self.set(&from, &Dead::Full(count).encode())?;
        }
        for ((client, chunk), map) in std::mem::take(&mut self.maps) {
            let key = keys::of_item(keys::DEAD, client, chunk);
            // The range of an entry before it is full already.
            let is_covered = map.is_full() && self.items()?.get(key.as_slice())?.is_none() && {
                let mut base = None;
                self.base.each_dead(client, chunk..chunk + 1, |_, first, dead| {
                    base = Some(covered(first, &dead).end);
                    Ok(())
                })?;
                base.is_some_and(|end| end > u64::from(chunk) * u64::from(dead::CLOCKS))
            };
            if !is_covered {
                self.set(&key, &Dead::Map(map).encode())?;
            }
        }
        Ok(())
    }

    /// Keeps the part of an entry beyond a range that is about to be written.
    pub(super) fn split_full(&mut self, client: u64, first: u32, count: u32) -> Try<()> {
        let end = first.saturating_add(count);
        let mut beyond = None;
        self.base.each_dead(client, first..end, |_, chunk, dead| {
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
}

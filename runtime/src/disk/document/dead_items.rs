//! Which items of a document are dead: those of bitmaps, and what the records of the newest commits say, which
//! stand in the tail, to have been removed.

use std::ops::Range;

use super::{StoredDocument, chunks_of, clamp, covered, damaged_root, locked};
use crate::disk::dead::{self, Bitmap, Dead, push_range, without};
use crate::disk::failure::{Failure, Try};
use crate::disk::journal::{ItemRange, JournalRecord, joined};
use crate::disk::keys;
use crate::disk::seal::unseal;
use crate::doc::deletions_hash;
use crate::doc::items::{ClockRanges, Place, ReadItems};
use crate::row::ItemId;

/// Whether bitmaps that are put together of all else are compared with what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bitmaps {
    Checked,
    Unchecked,
}

/// The items that died in the commits whose records are in the tail, and are not in the bitmaps
/// yet.
#[derive(Debug)]
pub(in crate::disk) enum NewestDeaths {
    /// Ascending.
    Known(Vec<ItemRange>),
    /// A record is damaged, and with it what it said.
    Damaged,
}

impl StoredDocument {
    /// Returns the items that died in the commits whose records are in the tail.
    pub(in crate::disk) fn newest_deaths(&self) -> Try<&NewestDeaths> {
        if self.newest_deaths.get().is_none() {
            let deaths = self.deaths_in_tail()?;
            let _ = self.newest_deaths.set(deaths);
        }
        Ok(self.newest_deaths.get().unwrap_or(&NewestDeaths::Damaged))
    }

    fn deaths_in_tail(&self) -> Try<NewestDeaths> {
        let mut deaths = Vec::new();
        let Some(tail) = self.tail()? else { return Ok(NewestDeaths::Known(deaths)) };
        let (from, to) = ([keys::JOURNAL], [keys::JOURNAL + 1]);
        for item in tail.range::<&[u8]>(from.as_slice()..to.as_slice())? {
            let (key, value) = item?;
            let record = unseal(key.value(), value.value()).and_then(JournalRecord::decode);
            let Ok(record) = record else { return Ok(NewestDeaths::Damaged) };
            deaths.extend(record.removed.into_iter().flatten());
        }
        Ok(NewestDeaths::Known(joined(deaths)))
    }

    /// Those of a client that died in the commits whose records are in the tail, as far as they are known.
    fn newest_deaths_of(&self, client: u64) -> Try<impl Iterator<Item = &Range<u32>>> {
        let deaths = match self.newest_deaths()? {
            NewestDeaths::Known(deaths) => deaths.as_slice(),
            NewestDeaths::Damaged => &[],
        };
        Ok(deaths.iter().filter(move |(of, _)| *of == client).map(|(_, clocks)| clocks))
    }

    /// Which of some clocks of a client are dead.
    pub(in crate::disk) fn bitmap(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        if let NewestDeaths::Damaged = self.newest_deaths()? {
            self.check_bitmaps_of_items()?;
            return self.bitmap_of_items(client, chunk);
        }
        let mut map = self.written_bitmap(client, chunk)?;
        let start = chunk.saturating_mul(dead::CLOCKS);
        for clocks in self.newest_deaths_of(client)? {
            let within = |clock: u32| clock.saturating_sub(start).min(dead::CLOCKS);
            map.set(within(clocks.start)..within(clocks.end));
        }
        Ok(map)
    }

    /// Reads the bitmap of some clocks of a client from the file.
    fn written_bitmap(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        let Some(items) = self.items()? else { return Ok(Bitmap::empty()) };
        let (from, to) =
            (keys::of_item(keys::DEAD, client, 0), keys::of_item(keys::DEAD, client, chunk));
        let mut range = items.range::<&[u8]>(from.as_slice()..=to.as_slice())?;
        let Some((key, value)) = range.next_back().transpose()? else {
            return Ok(Bitmap::empty());
        };
        let (_, found) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
        match unseal(key.value(), value.value()).and_then(Dead::decode) {
            Ok(Dead::Map(map)) if found == chunk => Ok(map),
            Ok(Dead::Full(count)) if chunk - found < count => Ok(Bitmap::full()),
            Ok(Dead::Map(_) | Dead::Full(_)) => Ok(Bitmap::empty()),
            // It may have stood for this one, too.
            Err(_) => {
                self.check_bitmaps_of_items()?;
                self.bitmap_of_items(client, chunk)
            }
        }
    }

    /// The clocks of a client in a range that are not dead.
    pub(super) fn live_clocks(&self, client: u64, clocks: Range<u32>) -> Try<ClockRanges> {
        let mut live = ClockRanges::new();
        let mut at = clocks.start;
        let visit = |_: u64, chunk: u32, dead: Dead| {
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
        };
        let chunks = chunks_of(&clocks);
        match self.newest_deaths()? {
            NewestDeaths::Known(_) => self.each_dead(client, chunks, visit)?,
            NewestDeaths::Damaged => {
                self.each_bitmap_of_items((client, chunks), Bitmaps::Checked, visit)?;
            }
        }
        push_range(&mut live, at..clocks.end);
        let newest = self.newest_deaths_of(client)?;
        Ok(without(&live, newest.map(|clocks| u64::from(clocks.start)..u64::from(clocks.end))))
    }

    /// Calls `visit` with what stands in the file for bitmaps of a client, from one to another.
    pub(in crate::disk) fn each_dead(
        &self,
        client: u64,
        chunks: Range<u32>,
        visit: impl FnMut(u64, u32, Dead) -> Try<()>,
    ) -> Try<()> {
        let Some(items) = self.items()? else { return Ok(()) };
        let [from, first, to] =
            [0, chunks.start, chunks.end].map(|chunk| keys::of_item(keys::DEAD, client, chunk));
        if chunks.is_empty() {
            return Ok(());
        }
        // The entry before the first may stand for it, too.
        let before = items
            .range::<&[u8]>(from.as_slice()..=first.as_slice())?
            .next_back()
            .transpose()?
            .map_or(first.to_vec(), |(key, _)| key.value().to_vec());
        self.each_dead_in((&before, &to), chunks.end, Bitmaps::Checked, visit)
    }

    /// Refuses to put bitmaps together of all else unless they are those that were written: if a row was lost,
    /// its item would be taken for removed.
    fn check_bitmaps_of_items(&self) -> Try<()> {
        let are_right = match self.bitmaps_are_right.get() {
            Some(are_right) => *are_right,
            None => {
                let written = self.written_state()?.map(|state| state.deletions);
                let found = deletions_hash(&self.deletions_with(Bitmaps::Unchecked)?);
                *self.bitmaps_are_right.get_or_init(|| written == Some(found))
            }
        };
        if are_right { Ok(()) } else { Err(damaged_root()) }
    }

    /// All that is dead, by client, ascending.
    pub(super) fn deletions_with(&self, bitmaps: Bitmaps) -> Try<Vec<(u64, ClockRanges)>> {
        let mut all: Vec<(u64, ClockRanges)> = Vec::new();
        let mut visit = |client: u64, chunk: u32, dead: Dead| {
            if all.last().is_none_or(|(last, _)| *last != client) {
                all.push((client, Vec::new()));
            }
            let Some((_, ranges)) = all.last_mut() else { return Ok(()) };
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
                    push_range(ranges, clamp(covered.start, &whole)..clamp(covered.end, &whole));
                }
            }
            Ok(())
        };
        match self.newest_deaths()? {
            NewestDeaths::Known(newest) => {
                let (from, to) = ([keys::DEAD], [keys::DEAD + 1]);
                self.each_dead_in((&from, &to), u32::MAX, bitmaps, visit)?;
                if !newest.is_empty() {
                    let written = all.iter().flat_map(|(client, ranges)| {
                        ranges.iter().map(|range| (*client, range.clone()))
                    });
                    all = by_client(joined(written.chain(newest.iter().cloned()).collect()));
                }
            }
            NewestDeaths::Damaged => {
                for (client, _) in self.clients().map_err(Failure)? {
                    self.each_bitmap_of_items((client, 0..u32::MAX), bitmaps, &mut visit)?;
                }
            }
        }
        all.retain(|(_, ranges)| !ranges.is_empty());
        Ok(all)
    }

    /// Calls `visit` with the client, the first bitmap and the rest of the entries between two keys. In place of a
    /// damaged one come the bitmaps that it may have stood for, before `end`.
    pub(super) fn each_dead_in(
        &self,
        (from, to): (&[u8], &[u8]),
        end: u32,
        bitmaps: Bitmaps,
        mut visit: impl FnMut(u64, u32, Dead) -> Try<()>,
    ) -> Try<()> {
        let Some(items) = self.items()? else { return Ok(()) };
        let mut damaged: Option<(u64, u32)> = None;
        for item in items.range::<&[u8]>(from..to)? {
            let (key, value) = item?;
            let (client, chunk) = keys::item_of(key.value()).ok_or_else(damaged_root)?;
            if let Some((of, from)) = damaged.take() {
                let until = if of == client { chunk } else { end };
                self.each_bitmap_of_items((of, from..until), bitmaps, &mut visit)?;
            }
            match unseal(key.value(), value.value()).and_then(Dead::decode) {
                Ok(dead) => visit(client, chunk, dead)?,
                Err(_) => damaged = Some((client, chunk)),
            }
        }
        match damaged {
            Some((client, from)) => {
                self.each_bitmap_of_items((client, from..end), bitmaps, &mut visit)
            }
            None => Ok(()),
        }
    }

    fn each_bitmap_of_items(
        &self,
        (client, chunks): (u64, Range<u32>),
        bitmaps: Bitmaps,
        mut visit: impl FnMut(u64, u32, Dead) -> Try<()>,
    ) -> Try<()> {
        if bitmaps == Bitmaps::Checked {
            self.check_bitmaps_of_items()?;
        }
        let end = self.clock(client).map_err(Failure)?.div_ceil(dead::CLOCKS).min(chunks.end);
        for chunk in chunks.start..end {
            visit(client, chunk, Dead::Map(self.bitmap_of_items(client, chunk)?))?;
        }
        Ok(())
    }

    /// A bitmap as all else says it: what no key holds is dead.
    fn bitmap_of_items(&self, client: u64, chunk: u32) -> Try<Bitmap> {
        if let Some(bitmap) = locked(&self.bitmaps_of_items).get(&(client, chunk)) {
            return Ok(bitmap.clone());
        }
        let mut bitmap = Bitmap::empty();
        let start = chunk.saturating_mul(dead::CLOCKS);
        let clocks =
            start..start.saturating_add(dead::CLOCKS).min(self.clock(client).map_err(Failure)?);
        let mut clock = clocks.start;
        while clock < clocks.end {
            let run = self.run(ItemId { client, clock }).map_err(Failure)?;
            let end = run.start.saturating_add(run.len).min(clocks.end);
            let first = match run.place {
                // Nothing else says which parts of a nested type are dead.
                Place::Nested => return Err(damaged_root()),
                Place::After { first, .. } => self.run(first).map_err(Failure)?.place,
                place => place,
            };
            let held = match first {
                Place::First { root, key } => self.own(&root, &key)?.map(|(id, _)| id),
                _ => None,
            };
            for clock in clock..end {
                if held != Some(ItemId { client, clock }) {
                    bitmap.set(clock - start..clock - start + 1);
                }
            }
            clock = end;
        }
        locked(&self.bitmaps_of_items).insert((client, chunk), bitmap.clone());
        Ok(bitmap)
    }
}

/// Ranges of several clients, ascending, by client.
pub(super) fn by_client(ranges: Vec<ItemRange>) -> Vec<(u64, ClockRanges)> {
    let mut by_client: Vec<(u64, ClockRanges)> = Vec::new();
    for (client, clocks) in ranges {
        match by_client.last_mut() {
            Some((last, ranges)) if *last == client => ranges.push(clocks),
            _ => by_client.push((client, vec![clocks])),
        }
    }
    by_client
}

//! The changes that a copy of a document lacks, as an update.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::block::Block;
use super::items::{ClockRanges, ItemRun, Place, ReadItems, Value};
use super::nested;
use super::outgoing::{Blocks, Position, update_of};
use super::rules::{Rule, says};
use super::wire::Reader;
use crate::error::{ErrorKind, Result};
use crate::row::{EntryRef, ItemId};

/// The update for a copy, and the items that cannot be given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) update: Vec<u8>,
    /// Whether there is nothing in the update.
    pub(crate) is_empty: bool,
    /// The items that are damaged, or missing though they should be there.
    pub(crate) damaged: Vec<(EntryRef, ItemId)>,
}

/// Gives everything that a copy at `theirs` lacks, with `deletions`, which are all of the document or
/// those that the copy lacks.
///
/// A damaged item is withheld, with all that depends on it: a copy must get the items of a client
/// without a gap, and none of a key whose value it cannot get, or it would lose the value that it
/// has.
pub(crate) fn changes_since<R: ReadItems + ?Sized>(
    items: &R,
    theirs: &BTreeMap<u64, u32>,
    deletions: &[(u64, ClockRanges)],
) -> Result<Given> {
    let mut withheld = Withheld::default();
    loop {
        withheld.add_ends(items.damaged_ends());
        let before = withheld.len();
        let given = given_with(items, theirs, deletions, &mut withheld);
        withheld.add_ends(items.damaged_ends());
        match given {
            // An item that is withheld now may be needed by what was written before.
            Ok(_) if withheld.len() > before => {}
            Err(error) if error.kind() == ErrorKind::Corrupt && withheld.len() > before => {}
            given => return given,
        }
    }
}

/// Gives the changes that a copy lacks, without what is withheld, of which more may be found.
fn given_with<R: ReadItems + ?Sized>(
    items: &R,
    theirs: &BTreeMap<u64, u32>,
    deletions: &[(u64, ClockRanges)],
    withheld: &mut Withheld,
) -> Result<Given> {
    let mut clients = items.clients()?;
    // From the highest client down, as Yjs writes them.
    clients.reverse();
    let mut sections = Vec::new();
    for &(client, clock) in &clients {
        let from = theirs.get(&client).copied().unwrap_or(0);
        if from >= clock {
            continue;
        }
        let blocks = Blocks::new(client, from);
        let mut section = SectionWriter { items, client, dead: None, blocks, withheld };
        let first = ItemId { client, clock: from };
        items.runs_from(first, &mut |run| section.run(&run, from))?;
        section.finish_dead();
        if !section.blocks.is_empty() {
            sections.push(section.blocks);
        }
    }
    let held_back;
    let mut deletions = deletions;
    if !withheld.ends.is_empty() && !deletions.is_empty() {
        held_back = withheld.without(items, &clients, deletions)?;
        deletions = &held_back;
    }
    let is_empty = sections.is_empty() && deletions.is_empty();
    let update = update_of(sections, deletions);
    let damaged = withheld.damaged.values().cloned().collect();
    Ok(Given { update, is_empty, damaged })
}

/// The items and keys that are withheld from a copy.
#[derive(Default)]
struct Withheld {
    /// From which clock on, by client.
    ends: BTreeMap<u64, u32>,
    /// The keys whose value is withheld.
    keys: BTreeSet<(Arc<str>, Arc<str>)>,
    damaged: BTreeMap<ItemId, (EntryRef, ItemId)>,
    /// Whether items are not known which keys hold.
    has_damaged_blocks: bool,
}

impl Withheld {
    /// Grows whenever more is withheld.
    fn len(&self) -> u64 {
        let given = self.ends.values().map(|end| u64::from(u32::MAX - *end) + 1);
        given.fold(self.keys.len() as u64, u64::wrapping_add)
    }

    /// Withholds what comes after damaged blocks.
    fn add_ends(&mut self, damaged: Vec<(u64, u32)>) {
        for (client, clock) in damaged {
            self.has_damaged_blocks = true;
            let end = self.ends.entry(client).or_insert(clock);
            *end = clock.min(*end);
        }
    }

    /// Whether the value of a key is withheld.
    fn holds_key<R: ReadItems + ?Sized>(
        &self,
        items: &R,
        at: &(Arc<str>, Arc<str>),
    ) -> Result<bool> {
        if self.keys.contains(at) {
            return Ok(true);
        }
        if !self.has_damaged_blocks {
            return Ok(false);
        }
        Ok(items.tip(&at.0, &at.1)?.is_some_and(|tip| self.holds(tip.id)))
    }

    fn holds(&self, id: ItemId) -> bool {
        self.ends.get(&id.client).is_some_and(|end| *end <= id.clock)
    }

    /// Deletions without those of withheld items, and of those that stand under a withheld key: what a
    /// copy has there stays until it can be given what has replaced it.
    fn without<R: ReadItems + ?Sized>(
        &self,
        items: &R,
        clients: &[(u64, u32)],
        deletions: &[(u64, ClockRanges)],
    ) -> Result<Vec<(u64, ClockRanges)>> {
        let mut kept: BTreeMap<u64, ClockRanges> = BTreeMap::new();
        for &(client, _) in clients {
            let ranges = kept.entry(client).or_default();
            items.runs_from(ItemId { client, clock: 0 }, &mut |run| {
                let is_kept = match known_key_of(items, &run)? {
                    KnownKey::Of(at) => self.holds_key(items, &at)?,
                    KnownKey::OfNone => false,
                    KnownKey::Damaged => true,
                };
                if is_kept {
                    ranges.push(run.start..end_of(&run));
                }
                Ok(())
            })?;
            if let Some(end) = self.ends.get(&client) {
                ranges.push(*end..u32::MAX);
            }
        }
        let given = deletions.iter().map(|(client, ranges)| {
            let holes = kept.get(client).map(Vec::as_slice).unwrap_or_default();
            (*client, holes.iter().fold(ranges.clone(), |left, hole| without(&left, hole)))
        });
        Ok(given.filter(|(_, ranges)| !ranges.is_empty()).collect())
    }
}

/// Returns the rest of ranges without one.
fn without(ranges: &[Range<u32>], hole: &Range<u32>) -> ClockRanges {
    let parts = ranges.iter().flat_map(|range| {
        [range.start..range.end.min(hole.start), range.start.max(hole.end)..range.end]
    });
    parts.filter(|range| !range.is_empty()).collect()
}

/// The item that an item was written over.
pub(crate) fn written_over<R: ReadItems + ?Sized>(items: &R, id: ItemId) -> Result<Option<ItemId>> {
    let run = items.run(id)?;
    Ok(match run.place {
        _ if run.start < id.clock => Some(ItemId { clock: id.clock.saturating_sub(1), ..id }),
        Place::After { origin, .. } => Some(origin),
        _ => None,
    })
}

/// The root and the key of a run; `None` for what belongs to no key.
pub(crate) fn key_of<R: ReadItems + ?Sized>(
    items: &R,
    run: &ItemRun,
) -> Result<Option<(Arc<str>, Arc<str>)>> {
    let first = match run.place {
        Place::After { first, .. } => items.run(first)?.place,
        Place::First { ref root, ref key } => return Ok(Some((root.clone(), key.clone()))),
        Place::Gone | Place::Nested => return Ok(None),
    };
    Ok(match first {
        Place::First { root, key } => Some((root, key)),
        _ => None,
    })
}

/// The root and the key of a run, as far as they are known.
pub(super) enum KnownKey {
    Of((Arc<str>, Arc<str>)),
    OfNone,
    /// The first item of the key was in a damaged block.
    Damaged,
}

pub(super) fn known_key_of<R: ReadItems + ?Sized>(items: &R, run: &ItemRun) -> Result<KnownKey> {
    match key_of(items, run) {
        Ok(Some(at)) => Ok(KnownKey::Of(at)),
        Ok(None) => Ok(KnownKey::OfNone),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(KnownKey::Damaged),
        Err(error) => Err(error),
    }
}

/// The items of one client, on their way into an update.
struct SectionWriter<'r, R: ReadItems + ?Sized> {
    items: &'r R,
    client: u64,
    /// Dead items that are not written yet, since more may follow.
    dead: Option<Dead>,
    blocks: Blocks,
    withheld: &'r mut Withheld,
}

struct Dead {
    place: DeadPlace,
    start: u32,
    end: u32,
}

#[derive(PartialEq, Eq)]
enum DeadPlace {
    Gone,
    After(ItemId),
    First { root: Arc<str>, key: Arc<str> },
}

impl<R: ReadItems + ?Sized> SectionWriter<'_, R> {
    /// Writes what is from a clock on of a run, unless it is withheld.
    fn run(&mut self, run: &ItemRun, from: u32) -> Result<()> {
        let start = run.start.max(from);
        let id = ItemId { client: self.client, clock: start };
        if self.is_withheld(run, id)? {
            self.withhold(id);
            if run.place != Place::Nested
                && !self.items.is_dead(id)?
                && let KnownKey::Of((root, key)) = known_key_of(self.items, run)?
            {
                // Only to know what of it is damaged, too.
                self.value(id, &root, &key)?;
                self.withheld.keys.insert((root, key));
            }
            return Ok(());
        }
        if run.place == Place::Nested {
            self.finish_dead();
            return self.nested(run, start);
        }
        if says(Rule::DeadWithoutContent, self.items.is_dead(id)?) {
            self.dead(run, start);
            return Ok(());
        }
        self.finish_dead();
        let Some((root, key)) = key_of(self.items, run)? else {
            self.withhold(id);
            return Ok(());
        };
        match self.value(id, &root, &key)? {
            Some(value) => {
                let position = match run.place {
                    Place::After { origin, .. } => Position::After(origin),
                    _ => Position::First { root: &root, key: &key },
                };
                self.blocks.put_value(position, &value);
            }
            None => {
                self.withheld.keys.insert((root, key));
                self.withhold(id);
            }
        }
        Ok(())
    }

    /// Returns the value of a live item; `None` if that is damaged, which is remembered.
    fn value(&mut self, id: ItemId, root: &str, key: &str) -> Result<Option<Value>> {
        match self.items.value(root, key) {
            Ok(Some((at, value))) if at == id || !says(Rule::DeadWithoutContent, true) => {
                Ok(Some(value))
            }
            Err(error) if error.kind() != ErrorKind::Corrupt => Err(error),
            _ => {
                self.withheld.damaged.insert(id, (EntryRef::new(root, key), id));
                Ok(None)
            }
        }
    }

    fn withhold(&mut self, id: ItemId) {
        let end = self.withheld.ends.entry(id.client).or_insert(id.clock);
        *end = id.clock.min(*end);
    }

    /// Whether an item must be withheld, since another one is.
    fn is_withheld(&self, run: &ItemRun, id: ItemId) -> Result<bool> {
        if self.withheld.ends.is_empty() {
            return Ok(false);
        }
        let lacks = |needed: ItemId| self.withheld.holds(needed);
        if self.withheld.holds(id) {
            return Ok(true);
        }
        if run.place == Place::Nested {
            let record = self.items.nested(ItemId { client: self.client, clock: run.start })?;
            let block = Block::read(&mut Reader::new(nested::block_in(&record)?, 0), run.start)?;
            return Ok(block.needs().any(lacks));
        }
        if let Place::After { origin, first } = run.place
            && (id.clock == run.start && lacks(origin) || lacks(first))
        {
            return Ok(true);
        }
        match key_of(self.items, run)? {
            Some(at) => self.withheld.holds_key(self.items, &at),
            None => Ok(false),
        }
    }

    fn nested(&mut self, run: &ItemRun, start: u32) -> Result<()> {
        let record = self.items.nested(ItemId { client: self.client, clock: run.start })?;
        let bytes = nested::block_in(&record)?;
        match nested::rest_of_bytes(self.client, run.start, start, bytes)? {
            Some(bytes) => self.blocks.put_all(1, &bytes),
            None => self.blocks.put_gone(end_of(run).saturating_sub(start)),
        }
        Ok(())
    }

    fn dead(&mut self, run: &ItemRun, start: u32) {
        let before = start.checked_sub(1).map(|clock| ItemId { client: self.client, clock });
        let place = match (&run.place, before) {
            (Place::Gone | Place::Nested, _) => DeadPlace::Gone,
            (_, Some(before)) if start > run.start => DeadPlace::After(before),
            (Place::After { origin, .. }, _) => DeadPlace::After(*origin),
            (Place::First { root, key }, _) => {
                DeadPlace::First { root: Arc::clone(root), key: Arc::clone(key) }
            }
        };
        if let Some(dead) = &mut self.dead {
            let extends = match (&dead.place, &place, before) {
                (DeadPlace::Gone, DeadPlace::Gone, _) => true,
                (DeadPlace::Gone, ..) => false,
                (_, DeadPlace::After(origin), Some(before)) => *origin == before,
                _ => false,
            };
            if extends && dead.end == start {
                dead.end = end_of(run);
                return;
            }
        }
        self.finish_dead();
        self.dead = Some(Dead { place, start, end: end_of(run) });
    }

    /// Writes the dead items that more could have followed.
    fn finish_dead(&mut self) {
        let Some(Dead { place, start, end }) = self.dead.take() else { return };
        let len = end.saturating_sub(start);
        match place {
            DeadPlace::Gone => self.blocks.put_gone(len),
            DeadPlace::After(origin) => self.blocks.put_deleted(Position::After(origin), len),
            DeadPlace::First { root, key } => {
                self.blocks.put_deleted(Position::First { root: &root, key: &key }, len);
            }
        }
    }
}

fn end_of(run: &ItemRun) -> u32 {
    run.start.saturating_add(run.len)
}

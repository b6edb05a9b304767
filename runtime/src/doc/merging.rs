//! Updates from elsewhere, taken into a document.
//!
//! An update waits as a whole while anything that it needs is missing. One that leaves items out
//! between others is two: what stands before its gaps, and the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::incoming::{Incoming, Walk};
use super::integration::{Finished, Integration};
use super::items::{ANY_ITEM, ClockRanges, WriteItems};
use super::outgoing::{Blocks, update_of};
use super::rules::{Rule, says};
use super::unseen::{Met, OwnIds};
use crate::error::Result;
use crate::row::ItemId;

/// Keys by root name.
pub(crate) type ChangedKeys = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// The effects of an update from elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The keys whose entry may have changed, by root name.
    pub(crate) changed: ChangedKeys,
    /// Whether the document has learnt anything.
    pub(crate) is_new: bool,
    /// Whether the update, or a part of it, is not taken in: it waits, or was dropped if there was
    /// no room.
    pub(crate) waits: bool,
    /// Whether it holds or names items under the id of this device that this device does not know.
    pub(crate) is_of_own_id: bool,
    /// The keys where edits met.
    pub(crate) met: Met,
}

/// Refuses bytes that do not parse as an update.
///
/// # Errors
///
/// [`InvalidUpdate`](crate::ErrorKind::InvalidUpdate), with the reason.
pub(crate) fn check_update(update: &[u8]) -> Result<()> {
    Incoming::read(update).map(drop)
}

/// Takes an update into a document, and what waited for it.
///
/// # Errors
///
/// [`InvalidUpdate`](crate::ErrorKind::InvalidUpdate) before anything is changed, and those of
/// `items`.
pub(crate) fn merge<W: WriteItems + ?Sized>(
    items: &mut W,
    own: OwnIds<'_>,
    update: &[u8],
) -> Result<Merged> {
    let incoming = Incoming::read(update)?;
    let own_clock = items.clock(own.device)?;
    let section = incoming.section_of(own.device);
    let mut is_of_own_id = section.is_some_and(|section| section.end > own_clock);
    let mut integration = Integration::new(items, own);
    let mut left = take_in(&mut integration, &incoming, update)?;
    if let Some(left) = &left {
        // A waiting update may need items of this device that it would give out again.
        is_of_own_id = is_of_own_id || incoming.names(own.device, own_clock)?;
        keep(&mut integration, left)?;
    }
    if integration.items.has_waiting()? {
        retry(&mut integration, &mut left)?;
    }
    let Finished { changed, is_new, met } = integration.finish()?;
    Ok(Merged { changed, is_new, waits: left.is_some(), is_of_own_id, met })
}

/// An update that waits, and an item that it needs.
struct Left {
    update: Vec<u8>,
    needs: ItemId,
}

/// Keeps an update that waits, once.
fn keep<W: WriteItems + ?Sized>(integration: &mut Integration<'_, W>, left: &Left) -> Result<()> {
    integration.is_new |= integration.items.wait(&left.update, left.needs)?;
    Ok(())
}

/// Tries the waiting updates for which something was added, until nothing is added any more; `left` is what the
/// new one has left over.
fn retry<W: WriteItems + ?Sized>(
    integration: &mut Integration<'_, W>,
    left: &mut Option<Left>,
) -> Result<()> {
    while let Some(client) = integration.grown.pop_first() {
        let clock = integration.items.clock(client)?;
        let mut ready = integration.items.waiting_for(client, clock)?;
        ready.extend(integration.items.waiting_for(ANY_ITEM.client, 1)?);
        for waiting in ready {
            let update = integration.items.waiting_update(waiting.hash)?;
            integration.items.release(waiting)?;
            // If it is damaged, other devices give what it has once they have what it needs.
            let Some(update) = update else { continue };
            let Ok(incoming) = Incoming::read(&update) else { continue };
            let is_new_one = left.as_ref().is_some_and(|left| left.update == update);
            let rest = take_in(integration, &incoming, &update)?;
            if let Some(rest) = &rest {
                keep(integration, rest)?;
            }
            if is_new_one {
                *left = rest;
            }
        }
    }
    Ok(())
}

/// Takes in what is ready of an update, and gives what is left, which is all of it if anything
/// is missing that is not behind a gap of its own.
fn take_in<W: WriteItems + ?Sized>(
    integration: &mut Integration<'_, W>,
    incoming: &Incoming<'_>,
    update: &[u8],
) -> Result<Option<Left>> {
    let readiness = match Readiness::of(integration, incoming)? {
        Ok(readiness) => readiness,
        Err(needs) => return Ok(Some(Left { update: update.to_vec(), needs })),
    };
    if !integration.items.damaged_ends().is_empty() {
        let mut walk = incoming.walk(readiness.known.clone());
        walk.each(&mut |client, block| integration.restore(client, block))?;
    }
    let mut walk = incoming.walk(readiness.known);
    walk.each(&mut |client, block| integration.block(client, block))?;
    for (client, clocks) in &readiness.deletions {
        integration.delete(*client, clocks)?;
    }
    if walk.is_whole() && readiness.too_early.is_empty() {
        return Ok(None);
    }
    let update = rest_of(&walk, &readiness.too_early)?;
    let needs = match (walk.needs()?, first_of(&readiness.too_early)) {
        (Some(_), Some(_)) => Some(ANY_ITEM),
        (of_blocks, of_deletions) => of_blocks.or(of_deletions),
    };
    Ok(needs.map(|needs| Left { update, needs }))
}

/// The parts of an update that are ready.
struct Readiness {
    /// How many clocks of the client of each section are here before.
    known: Vec<u32>,
    /// The deletions of items that are here with it.
    deletions: Vec<(u64, ClockRanges)>,
    /// The deletions of items behind its gaps.
    too_early: Vec<(u64, ClockRanges)>,
}

impl Readiness {
    /// If the update has to wait as a whole, an item that it needs.
    fn of<W: WriteItems + ?Sized>(
        integration: &Integration<'_, W>,
        incoming: &Incoming<'_>,
    ) -> Result<std::result::Result<Self, ItemId>> {
        let items = &*integration.items;
        let mut known = Vec::new();
        for section in &incoming.sections {
            let clock = items.clock(section.client)?;
            if let Some(before) = section.start.checked_sub(1).filter(|before| *before >= clock) {
                return Ok(Err(ItemId { client: section.client, clock: before }));
            }
            known.push(clock);
        }
        let mut clocks: HashMap<u64, u32> = HashMap::new();
        let mut clock_of = |client: u64| -> Result<u32> {
            if let Some(clock) = clocks.get(&client) {
                return Ok(*clock);
            }
            let clock = items.clock(client)?;
            clocks.insert(client, clock);
            Ok(clock)
        };
        let mut walk = incoming.walk(known.clone());
        let mut missing = None;
        walk.each(&mut |client, block| {
            if missing.is_none() && block.end() > clock_of(client)? {
                for id in block.needs() {
                    if !is_in(incoming, id) && id.clock >= clock_of(id.client)? {
                        missing = Some(id);
                    }
                }
            }
            Ok(())
        })?;
        if let Some(missing) = missing {
            return Ok(Err(missing));
        }
        let ends: HashMap<u64, u32> = walk.ends().collect();
        let (mut deletions, mut too_early) = (Vec::new(), Vec::new());
        for (client, ranges) in &incoming.deletions {
            let end = match ends.get(client) {
                Some(end) => *end,
                None => clock_of(*client)?,
            };
            let (here, later) = split_at(ranges, end);
            deletions.push((*client, here));
            if !later.is_empty() {
                too_early.push((*client, later));
            }
        }
        if let Some(needs) = last_of(&too_early)
            && says(Rule::WaitsWhole, walk.is_whole())
        {
            return Ok(Err(needs));
        }
        Ok(Ok(Self { known, deletions, too_early }))
    }
}

/// Whether an update holds an item.
fn is_in(incoming: &Incoming<'_>, id: ItemId) -> bool {
    let section = incoming.section_of(id.client);
    section.is_some_and(|section| (section.start..section.end).contains(&id.clock))
}

/// The last item of a client among deletions: before it is here, not all of them can be made.
fn last_of(deletions: &[(u64, ClockRanges)]) -> Option<ItemId> {
    let (client, clocks) = deletions.first()?;
    Some(ItemId { client: *client, clock: clocks.last()?.end.checked_sub(1)? })
}

/// The first item among deletions: before it is here, none of them can be made. Of several clients, any.
fn first_of(deletions: &[(u64, ClockRanges)]) -> Option<ItemId> {
    match deletions {
        [] => None,
        [(client, clocks)] => Some(ItemId { client: *client, clock: clocks.first()?.start }),
        _ => Some(ANY_ITEM),
    }
}

/// The clocks before `end`, and those from it on.
fn split_at(clocks: &ClockRanges, end: u32) -> (ClockRanges, ClockRanges) {
    let before = clocks.iter().map(|range| range.start..range.end.min(end));
    let after = clocks.iter().map(|range| range.start.max(end)..range.end);
    (
        before.filter(|range| !range.is_empty()).collect(),
        after.filter(|range| !range.is_empty()).collect(),
    )
}

/// Returns the part of an update that is behind its gaps, as an update.
fn rest_of(walk: &Walk<'_, '_>, deletions: &[(u64, ClockRanges)]) -> Result<Vec<u8>> {
    let sections = walk.rest()?.into_iter().map(|section| {
        let mut blocks = Blocks::new(section.client, section.start);
        blocks.put_all(section.blocks, section.bytes);
        blocks
    });
    Ok(update_of(sections.collect(), deletions))
}

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting;

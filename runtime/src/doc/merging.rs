//! Updates from elsewhere, taken into a document.
//!
//! An update waits as a whole while anything that it needs is missing. One that leaves items out
//! between others is two: what stands before its gaps, and the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::incoming::{Incoming, Walk};
use super::integration::{Finished, Integration};
use super::items::{ClockRanges, WriteItems};
use super::outgoing::{Blocks, update_of};
use super::rules::{Rule, says};
use super::unseen::{Met, OwnIds};
use crate::error::Result;
use crate::row::ItemId;

/// Keys by root name.
pub(crate) type ChangedKeys = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What an update from elsewhere did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The keys whose entry may have changed, by root name.
    pub(crate) changed: ChangedKeys,
    /// Whether the document has learnt anything.
    pub(crate) is_new: bool,
    /// Whether the update, or a part of it, is not taken in: it waits, or was dropped if there was
    /// no room.
    pub(crate) waits: bool,
    /// Whether it holds items under the id of this device that this device does not know.
    pub(crate) is_of_own_id: bool,
    /// Where edits met.
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
    let is_of_own_id = section.is_some_and(|section| section.end > own_clock);
    let mut integration = Integration::new(items, own);
    let mut left = take_in(&mut integration, &incoming, update)?;
    if let Some(left) = &left {
        keep(&mut integration, left)?;
    }
    if integration.has_grown {
        retry(&mut integration, &mut left)?;
    }
    let Finished { changed, is_new, met } = integration.finish()?;
    Ok(Merged { changed, is_new, waits: left.is_some(), is_of_own_id, met })
}

/// Keeps an update that waits, once.
fn keep<W: WriteItems + ?Sized>(integration: &mut Integration<'_, W>, update: &[u8]) -> Result<()> {
    let items = &mut *integration.items;
    if !items.waiting()?.iter().any(|(_, waiting)| waiting == update) {
        integration.is_new |= items.wait(update)?;
    }
    Ok(())
}

/// Tries the waiting updates until none of them adds anything; `left` is what the new one has left
/// over.
fn retry<W: WriteItems + ?Sized>(
    integration: &mut Integration<'_, W>,
    left: &mut Option<Vec<u8>>,
) -> Result<()> {
    while std::mem::take(&mut integration.has_grown) {
        for (number, update) in integration.items.waiting()? {
            // It was checked when it came.
            let Ok(incoming) = Incoming::read(&update) else { continue };
            let rest = take_in(integration, &incoming, &update)?;
            if rest.as_ref() == Some(&update) {
                continue;
            }
            integration.items.release(number)?;
            if let Some(rest) = &rest {
                keep(integration, rest)?;
            }
            if left.as_ref() == Some(&update) {
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
) -> Result<Option<Vec<u8>>> {
    let Some(readiness) = Readiness::of(integration, incoming)? else {
        return Ok(Some(update.to_vec()));
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
        Ok(None)
    } else {
        rest_of(&walk, &readiness.too_early).map(Some)
    }
}

/// What of an update is ready.
struct Readiness {
    /// How many clocks of the client of each section are here before.
    known: Vec<u32>,
    /// What it deletes of what is here with it.
    deletions: Vec<(u64, ClockRanges)>,
    /// What it deletes of what is behind its gaps.
    too_early: Vec<(u64, ClockRanges)>,
}

impl Readiness {
    /// `None` if the update has to wait as a whole.
    fn of<W: WriteItems + ?Sized>(
        integration: &Integration<'_, W>,
        incoming: &Incoming<'_>,
    ) -> Result<Option<Self>> {
        let items = &*integration.items;
        let mut known = Vec::new();
        for section in &incoming.sections {
            let clock = items.clock(section.client)?;
            if section.start > clock {
                return Ok(None);
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
        let mut is_ready = true;
        walk.each(&mut |client, block| {
            if is_ready && block.end() > clock_of(client)? {
                for id in block.needs() {
                    is_ready &= is_in(incoming, id) || id.clock < clock_of(id.client)?;
                }
            }
            Ok(())
        })?;
        if !is_ready {
            return Ok(None);
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
        if says(Rule::WaitsWhole, walk.is_whole() && !too_early.is_empty()) {
            return Ok(None);
        }
        Ok(Some(Self { known, deletions, too_early }))
    }
}

/// Whether an update holds an item.
fn is_in(incoming: &Incoming<'_>, id: ItemId) -> bool {
    let section = incoming.section_of(id.client);
    section.is_some_and(|section| (section.start..section.end).contains(&id.clock))
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

/// What is behind the gaps of an update, as an update.
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

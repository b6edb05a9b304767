//! The content of items that another copy has and cannot read.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{KnownKey, key_of, known_key_of};
use super::items::{Place, ReadItems};
use super::outgoing::{Blocks, Position, update_of};
use crate::error::{ErrorKind, Result};
use crate::row::{EntryRef, ItemId};

/// Gives what live items hold, as an update with nothing else; `None` if none of them can be read here.
///
/// To a copy that has these items unharmed, there is nothing in it.
pub(crate) fn contents_of<R: ReadItems + ?Sized>(
    items: &R,
    ids: &[ItemId],
) -> Result<Option<Vec<u8>>> {
    let mut sections: BTreeMap<u64, (Blocks, u32)> = BTreeMap::new();
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        if id.clock >= items.clock(id.client)? || items.is_dead(id)? {
            continue;
        }
        let run = items.run(id)?;
        let Some((root, key)) = key_of(items, &run)? else { continue };
        let value = match items.value(&root, &key) {
            Ok(Some((found, value))) if found == id => value,
            Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
            _ => continue,
        };
        let position = match run.place {
            Place::After { origin, .. } if run.start == id.clock => Position::After(origin),
            Place::First { .. } if run.start == id.clock => {
                Position::First { root: &root, key: &key }
            }
            _ => Position::After(ItemId { clock: id.clock.saturating_sub(1), ..id }),
        };
        let new = || (Blocks::new(id.client, id.clock), id.clock);
        let (blocks, end) = sections.entry(id.client).or_insert_with(new);
        if *end < id.clock {
            blocks.put_skip(id.clock.saturating_sub(*end));
        }
        blocks.put_value(position, &value);
        *end = id.clock.saturating_add(1);
    }
    // From the highest client down, as Yjs writes them.
    let sections: Vec<Blocks> = sections.into_values().rev().map(|(blocks, _)| blocks).collect();
    Ok((!sections.is_empty()).then(|| update_of(sections, &[])))
}

/// The live items of keys.
pub(crate) fn live_items<R: ReadItems + ?Sized>(
    items: &R,
    keys: &BTreeSet<EntryRef>,
) -> Result<Vec<(EntryRef, ItemId)>> {
    let mut found = Vec::new();
    for (client, _) in items.clients()? {
        items.runs_from(ItemId { client, clock: 0 }, &mut |run| {
            let id = ItemId { client, clock: run.start };
            if run.place == Place::Nested || items.is_dead(id)? {
                return Ok(());
            }
            if let KnownKey::Of((root, key)) = known_key_of(items, &run)? {
                let at = EntryRef::new(&*root, &*key);
                if keys.contains(&at) {
                    found.push((at, id));
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

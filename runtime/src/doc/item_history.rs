//! What stood under a key of a root map before: a document keeps the ids of it, and drops the content.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::items::{ClockRanges, ItemRun, Place, ReadItems};
use crate::error::Result;
use crate::row::ItemId;

type EntryKey = (Arc<str>, Arc<str>);

/// What was written over or removed, by root and key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct History(HashMap<EntryKey, Vec<(u64, Range<u32>)>>);

impl History {
    /// Whatever stood there once, and does not any more.
    pub(crate) fn of(&self, root: &str, key: &str) -> impl Iterator<Item = ItemId> {
        let runs = self.0.get(&(Arc::from(root), Arc::from(key))).into_iter().flatten();
        runs.flat_map(|(client, clocks)| {
            clocks.clone().map(|clock| ItemId { client: *client, clock })
        })
    }
}

/// All that was written over or removed in a document, from one walk over it.
pub(crate) fn history<R: ReadItems + ?Sized>(items: &R) -> Result<History> {
    let mut history = History::default();
    let mut firsts: HashMap<ItemId, EntryKey> = HashMap::new();
    let mut deletions: BTreeMap<u64, ClockRanges> = items.deletions()?.into_iter().collect();
    for (client, clock) in items.clients()? {
        let Some(dead) = deletions.remove(&client) else { continue };
        let mut dead = dead.into_iter().peekable();
        let Some(from) = dead.peek().map(|range| range.start).filter(|from| *from < clock) else {
            continue;
        };
        items.runs_from(ItemId { client, clock: from }, &mut |run| {
            let end = run.start.saturating_add(run.len);
            while let Some(range) = dead.peek().filter(|range| range.start < end) {
                let clocks = range.start.max(run.start)..range.end.min(end);
                let is_over = range.end <= end;
                if !clocks.is_empty()
                    && let Some(key) = entry_of(items, &run, client, &mut firsts)?
                {
                    history.0.entry(key).or_default().push((client, clocks));
                }
                if !is_over {
                    break;
                }
                dead.next();
            }
            Ok(())
        })?;
    }
    Ok(history)
}

/// The entry that a run belongs to.
fn entry_of<R: ReadItems + ?Sized>(
    items: &R,
    run: &ItemRun,
    client: u64,
    firsts: &mut HashMap<ItemId, EntryKey>,
) -> Result<Option<EntryKey>> {
    let first = match &run.place {
        Place::Gone | Place::Nested => return Ok(None),
        Place::First { root, key } => {
            let key = (Arc::clone(root), Arc::clone(key));
            firsts.insert(ItemId { client, clock: run.start }, key.clone());
            return Ok(Some(key));
        }
        Place::After { first, .. } => *first,
    };
    if let Some(key) = firsts.get(&first) {
        return Ok(Some(key.clone()));
    }
    let Place::First { root, key } = items.run(first)?.place else { return Ok(None) };
    firsts.insert(first, (Arc::clone(&root), Arc::clone(&key)));
    Ok(Some((root, key)))
}

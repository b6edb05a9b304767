//! What stood under a key of a root map before: a document keeps the ids of it, and drops the content.

use std::collections::{BTreeMap, BTreeSet};

use yrs::IdSet;
use yrs::encoding::read::{Cursor, Read};
use yrs::updates::decoder::{Decode, Decoder, DecoderV1};

use super::plain::{Mark, pass_item};
use super::{Document, Writes};
use crate::row::ItemId;

/// What was written over or removed, by root and key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct History(BTreeMap<(String, String), Vec<Writes>>);

impl History {
    /// Whatever stood there once, and does not any more.
    pub(crate) fn of(&self, root: &str, key: &str) -> impl Iterator<Item = ItemId> {
        let runs = self.0.get(&(root.to_owned(), key.to_owned())).into_iter().flatten();
        runs.flat_map(|run| (run.start..run.end).map(|clock| ItemId { client: run.client, clock }))
    }
}

impl Document {
    /// All that was written over or removed; `None` where the document holds other things than texts
    /// under keys of root maps, or gaps.
    pub(crate) fn history(&self) -> Option<History> {
        history_in(&self.encode())
    }
}

/// Items of one entry that follow each other, none of which stands.
struct Run {
    end: u32,
    /// The one they came after; `None` for the first of an entry.
    after: Option<ItemId>,
    root: String,
    key: String,
}

fn history_in(update: &[u8]) -> Option<History> {
    let mut runs: BTreeMap<(u64, u32), Run> = BTreeMap::new();
    let mut update = DecoderV1::new(Cursor::new(update));
    let clients: u32 = update.read_var().ok()?;
    for _ in 0..clients {
        let items: u32 = update.read_var().ok()?;
        let client = update.read_client().ok()?.get();
        let mut clock: u32 = update.read_var().ok()?;
        for _ in 0..items {
            let (mut after, mut root, mut key) = (None, String::new(), String::new());
            let passed = pass_item(&mut update, &mut |mark| match mark {
                Mark::Of(id) => after = Some(id),
                Mark::Root(name) => name.clone_into(&mut root),
                Mark::Key(name) => name.clone_into(&mut key),
            })?;
            let end = clock.checked_add(passed.len)?;
            if passed.is_deleted {
                runs.insert((client, clock), Run { end, after, root, key });
            }
            clock = end;
        }
    }
    // Whatever is removed has lost its content, or it would not be here.
    let removed = IdSet::decode(&mut update).ok()?;
    let removed = removed.iter().flat_map(|(_, ranges)| ranges.iter());
    let removed: u64 = removed.map(|range| u64::from(range.end - range.start)).sum();
    let found: u64 = runs.iter().map(|((_, start), run)| u64::from(run.end - start)).sum();
    if found == removed { sorted(&runs) } else { None }
}

/// By the entry that each belongs to, which the first one of it tells.
fn sorted(runs: &BTreeMap<(u64, u32), Run>) -> Option<History> {
    let mut first_of: BTreeMap<(u64, u32), (u64, u32)> = BTreeMap::new();
    let mut history = History::default();
    for (&start, run) in runs {
        let (mut at, mut way) = (start, BTreeSet::new());
        let first = loop {
            if let Some(first) = first_of.get(&at) {
                break *first;
            }
            if !way.insert(at) {
                return None;
            }
            let Some(after) = runs.get(&at)?.after else { break at };
            let (found, before) = runs.range(..=(after.client, after.clock)).next_back()?;
            if found.0 != after.client || before.end <= after.clock {
                return None;
            }
            at = *found;
        };
        first_of.extend(way.into_iter().map(|at| (at, first)));
        let Run { root, key, .. } = runs.get(&first)?;
        if root.is_empty() {
            return None;
        }
        let entry = history.0.entry((root.clone(), key.clone())).or_default();
        entry.push(Writes { client: start.0, start: start.1, end: run.end });
    }
    Some(history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::{Op, Root};

    fn put(document: &mut Document, key: &str, value: Option<&str>) -> ItemId {
        let id = document.next_id();
        document.write(&[Root::Table("notes".into())], &[Op { root: 0, key, value }]);
        id
    }

    fn stood(document: &Document, key: &str) -> Vec<ItemId> {
        let mut stood: Vec<_> =
            document.history().unwrap().of(&Root::Table("notes".into()).name(), key).collect();
        stood.sort_unstable_by_key(|id| (id.client, id.clock));
        stood
    }

    #[test]
    fn whatever_stood_under_a_key_is_found_whoever_wrote_it() {
        let mut one = Document::new("store/0", 7);
        let first = put(&mut one, "a", Some("1"));
        let second = put(&mut one, "a", Some("2"));
        let other = put(&mut one, "b", Some("3"));
        assert_eq!(stood(&one, "a"), [first]);
        assert_eq!(stood(&one, "b"), []);

        // Over what another device has written.
        let mut two = Document::new("store/0", 5);
        two.replay(&one.encode()).unwrap();
        let third = put(&mut two, "a", Some("4"));
        assert_eq!(stood(&two, "a"), [first, second]);
        put(&mut two, "b", None);
        assert_eq!(stood(&two, "b"), [other]);

        // Neither knew of the other.
        let fourth = put(&mut one, "a", Some("5"));
        let (mine, theirs) = (one.encode(), two.encode());
        one.replay(&theirs).unwrap();
        two.replay(&mine).unwrap();
        let stands = one.entry(&Root::Table("notes".into()).name(), "a").unwrap().id;
        let lost = if stands == third { fourth } else { third };
        let mut all = vec![first, second, lost];
        all.sort_unstable_by_key(|id| (id.client, id.clock));
        assert_eq!(stood(&one, "a"), all);
        assert_eq!(one.history(), two.history());
        let mut again = Document::new("store/0", 9);
        again.replay(&one.encode()).unwrap();
        assert_eq!(again.history(), one.history());
    }

    #[test]
    fn no_cut_update_tells_anything() {
        let mut document = Document::new("store/0", 7);
        for number in 0..20 {
            put(&mut document, ["a", "b", "c"][number % 3], Some("text"));
        }
        let update = document.encode();
        assert_eq!(document.history().unwrap().0.len(), 3);
        for len in 0..update.len() {
            assert!(history_in(&update[..len]).is_none(), "cut at {len} unnoticed");
        }
    }
}

//! Copies of one document: of yrs, and ours beside one of yrs that is told the same.

use std::collections::BTreeMap;

use yrs::{Doc, ReadTxn, Transact};

use super::random::Random;
use super::view::{self, View};
use super::writes::write_to_doc;
use super::yjs::YjsDoc;
use crate::doc::block::{Block, Body};
use crate::doc::changes::changes_since;
use crate::doc::incoming::{Incoming, joined};
use crate::doc::items::{ClockRanges, Place, ReadItems};
use crate::doc::memory::Memory;
use crate::doc::merging::merge;
use crate::doc::wire::Reader;
use crate::doc::writing::{EntryOp, EntryWrite, write};
use crate::row::ItemId;

/// A change of an entry: root, key, and a text or nothing.
pub(super) type Op = (&'static str, &'static str, Option<String>);

/// The kinds of operations in a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kinds {
    /// Values that are not texts.
    pub(super) others: bool,
    /// Nested maps, made and overwritten in one transaction.
    pub(super) overwritten: bool,
    /// Nested types that stand, and change.
    pub(super) nested: bool,
}

pub(super) struct Ours {
    pub(super) items: Memory,
    pub(super) client: u64,
    shadow: Option<Doc>,
}

pub(super) enum Copy {
    Yrs(Doc),
    Yjs(YjsDoc),
    Ours(Box<Ours>),
}

impl Copy {
    pub(super) fn yrs(client: u64, keeps_dead: bool) -> Self {
        Self::Yrs(view::new_doc(client, keeps_dead))
    }

    pub(super) fn yjs(client: u64, keeps_dead: bool) -> Self {
        Self::Yjs(YjsDoc::new(client, keeps_dead))
    }

    pub(super) fn ours(client: u64) -> Self {
        let shadow = Some(view::new_doc(client, false));
        Self::Ours(Box::new(Ours { items: Memory::default(), client, shadow }))
    }

    /// One of ours without one of yrs beside it.
    pub(super) fn ours_alone(client: u64) -> Self {
        Self::Ours(Box::new(Ours { items: Memory::default(), client, shadow: None }))
    }

    /// Writes a transaction and gives its update.
    pub(super) fn write(&mut self, ops: &[Op], kinds: Kinds, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Yrs(doc) => write_to_doc(doc, ops, kinds, random),
            Self::Yjs(doc) => doc.write(ops, kinds, random),
            Self::Ours(ours) => ours.write(ops),
        }
    }

    /// Applies an update.
    pub(super) fn apply(&mut self, update: &[u8]) {
        match self {
            Self::Yrs(doc) => view::apply(doc, update),
            Self::Yjs(doc) => doc.apply(update),
            Self::Ours(ours) => {
                ours.merge(update);
                if let Some(shadow) = &ours.shadow {
                    view::apply(shadow, update);
                }
            }
        }
    }

    /// Returns the changes that a copy at those clocks lacks, with all deletions.
    pub(super) fn since(&self, clocks: &BTreeMap<u64, u32>) -> Vec<u8> {
        match self {
            Self::Yrs(doc) => doc.transact().encode_diff_v1(&view::state_vector(clocks)),
            Self::Yjs(doc) => doc.since(clocks),
            Self::Ours(ours) => {
                let deletions = ours.items.deletions().unwrap();
                ours.changes_since(clocks, &deletions)
            }
        }
    }

    /// Returns the changes that a copy with that view lacks, and no more as far as it can be told.
    pub(super) fn lacking_in(&self, view: &View) -> Vec<u8> {
        match self {
            Self::Yrs(_) | Self::Yjs(_) => self.since(&view.clocks),
            Self::Ours(ours) => {
                let deletions = ours.items.deletions().unwrap().into_iter();
                let lacking = deletions.map(|(client, ranges)| {
                    let known = view.deletions.get(&client).cloned().unwrap_or_default();
                    (client, without(ranges, &known))
                });
                ours.changes_since(&view.clocks, &lacking.collect::<Vec<_>>())
            }
        }
    }

    pub(super) fn view(&self) -> View {
        match self {
            Self::Yrs(doc) => view::of_doc(doc),
            Self::Yjs(doc) => doc.view(),
            Self::Ours(ours) => view::of_items(&ours.items),
        }
    }

    /// Compares one of ours with what yrs makes of the same.
    pub(super) fn check_shadow(&self) {
        if let Self::Ours(ours) = self
            && let Some(shadow) = &ours.shadow
        {
            view::of_items(&ours.items).check_beside(&view::of_doc(shadow));
        }
    }
}

impl Ours {
    fn write(&mut self, ops: &[Op]) -> Vec<u8> {
        let before = view::of_items(&self.items);
        let entry_ops = ops.iter().map(|(root, key, value)| EntryOp {
            root,
            key,
            write: EntryWrite::of(value.as_deref()),
        });
        write(&mut self.items, self.client, entry_ops).unwrap();
        let deletions = self.items.deletions().unwrap().into_iter().map(|(client, ranges)| {
            let known = before.deletions.get(&client).cloned().unwrap_or_default();
            (client, without(ranges, &known))
        });
        let deletions: Vec<_> = deletions.filter(|(_, ranges)| !ranges.is_empty()).collect();
        let update = self.changes_since(&before.clocks, &deletions);
        let puts = ops.iter().filter(|(.., value)| value.is_some()).count();
        let clock = before.clocks.get(&self.client).copied().unwrap_or_default();
        let has_marks = self.items.clock(self.client).unwrap() - clock > puts as u32;
        match &self.shadow {
            // yrs knows of no marks.
            Some(shadow) if has_marks => view::apply(shadow, &update),
            // yrs deletes what hangs on a nested type as well.
            Some(shadow) if self.items.has_nested() => view::apply(shadow, &update),
            Some(shadow) => write_beside(shadow, &before, ops, &update, &deletions),
            None => {}
        }
        update
    }

    fn merge(&mut self, update: &[u8]) {
        let before = self.items.clone();
        let merged = merge(&mut self.items, self.client.into(), update).unwrap();
        assert!(!merged.is_of_own_id);
        let is_same = self.items.without_waiting() == before.without_waiting();
        if merged.waits && !has_gap(update) {
            assert!(is_same, "an update waits in part");
        }
        assert!(merged.is_new || self.items == before, "a change is not reported as new");
        let (old, new) = (view::of_items(&before), view::of_items(&self.items));
        for (root, key) in old.rows.keys().chain(new.rows.keys()) {
            let entry = (root.clone(), key.clone());
            if old.rows.get(&entry) != new.rows.get(&entry) {
                let keys = merged.changed.get(root.as_str());
                assert!(
                    keys.is_some_and(|keys| keys.contains(key.as_str())),
                    "not told of {entry:?}"
                );
            }
        }
        let after = self.items.clone();
        let again = merge(&mut self.items, self.client.into(), update).unwrap();
        assert!(self.items.without_waiting() == after.without_waiting(), "an update counts twice");
        // Of one with gaps, another rest may wait when more of it is known.
        if !has_gap(update) {
            assert!(!again.is_new && self.items == after, "an update waits twice");
        }
    }

    fn changes_since(
        &self,
        clocks: &BTreeMap<u64, u32>,
        deletions: &[(u64, ClockRanges)],
    ) -> Vec<u8> {
        let update = changes_since(&self.items, clocks, deletions).unwrap().update;
        let incoming = Incoming::read(&update).unwrap();
        let known = incoming.sections.iter().map(|section| section.start).collect();
        let check = &mut |client, block: &Block<'_>| {
            let id = ItemId { client, clock: block.start };
            let is_nested = self.items.run(id)?.place == Place::Nested;
            if matches!(block.body, Body::Value { .. }) && !is_nested {
                let live = self.items.live_in(client, block.start..block.end())?;
                assert_eq!(live, vec![block.start..block.end()], "what is dead has content");
            }
            Ok(())
        };
        incoming.walk(known).each(check).unwrap();
        update
    }
}

/// Writes to the document beside ours what was written to ours, and compares the updates.
fn write_beside(
    doc: &Doc,
    before: &View,
    ops: &[Op],
    update: &[u8],
    deletions: &[(u64, ClockRanges)],
) {
    // It may have taken in parts of what waits here.
    if *before != view::of_doc(doc) {
        return view::apply(doc, update);
    }
    let kinds = Kinds { others: false, overwritten: false, nested: false };
    let theirs = write_to_doc(doc, ops, kinds, &mut Random::new(0));
    // In which order yrs lists the clients of deletions is its own matter.
    if deletions.len() <= 1 {
        assert_eq!(update, theirs, "a local update");
    }
}

/// Whether an update leaves items out.
fn has_gap(update: &[u8]) -> bool {
    let mut reader = Reader::new(update, 0);
    let mut has_gap = false;
    for _ in 0..reader.number().unwrap() {
        let (blocks, _) = (reader.number().unwrap(), reader.client().unwrap());
        let mut clock = reader.clock().unwrap();
        for _ in 0..blocks {
            let block = Block::read(&mut reader, clock).unwrap();
            clock = block.end();
            has_gap |= block.body == Body::Skip;
        }
    }
    has_gap
}

/// Clocks without others.
fn without(clocks: ClockRanges, others: &ClockRanges) -> ClockRanges {
    let mut left = clocks;
    for other in others {
        left = left
            .into_iter()
            .flat_map(|range| {
                [range.start..range.end.min(other.start), range.start.max(other.end)..range.end]
            })
            .collect();
        left = joined(left);
    }
    left
}

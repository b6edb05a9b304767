//! What the authors of edits in one document knew of another document.

use super::forward::{Carrying, reaches};
use super::plan::Plan;
use crate::doc::Root;
use crate::engine::{DocName, Loaded, SlotKey};
use crate::row::ItemId;

/// Items as they are noted: client and clock.
type Items = [(u64, u32)];

impl Carrying<'_> {
    fn loaded(&self, name: DocName) -> Option<&Loaded> {
        if name == self.from.name { Some(self.from.loaded) } else { self.others.get(&name) }
    }

    /// The root and key, in another document, of what stands here under these.
    pub(super) fn place_in(
        &self,
        document: DocName,
        root: &str,
        key: &str,
    ) -> Option<(String, String)> {
        if document.epoch == self.plan.to.epoch {
            return Some((root.to_owned(), key.to_owned()));
        }
        if document.epoch == self.plan.from.epoch {
            return self.plan.earlier_place(root, key);
        }
        Plan::new(&self.plan.to, document.epoch)?.earlier_place(root, key)
    }

    /// Whether who wrote in one document knew these items of another.
    pub(super) fn knows(
        &self,
        who: DocName,
        of: DocName,
        root: &str,
        key: &str,
        items: &Items,
    ) -> bool {
        let name = of.to_string();
        let claim = self.claims.get(&who);
        let covered = |(client, clock): &(u64, u32)| {
            claim.is_some_and(|c| c.covers(&name, ItemId { client: *client, clock: *clock }))
        };
        if items.iter().all(covered) {
            return true;
        }
        let (Some(loaded), Some((root, key))) =
            (self.loaded(who), self.place_in(who, root, key))
        else {
            return false;
        };
        let settled = loaded.slots.settled(&SlotKey { source: of, root, key });
        settled.is_some_and(|settled| settled.items == items)
    }

    /// Whether who wrote in the document that is carried knew what the migration brought of the
    /// entry that it came from.
    pub(super) fn knew_origin(&self, origin: DocName, root: &str, key: &str) -> bool {
        let name = origin.to_string();
        let (Some(ours), Some(theirs)) = (
            self.into.claim.and_then(|claim| claim.covers.get(&name)),
            self.claims.get(&self.from.name).and_then(|claim| claim.covers.get(&name)),
        ) else {
            return false;
        };
        if reaches(theirs, ours) {
            return true;
        }
        let Some(document) = self.others.get(&origin) else { return false };
        let Some((root, key)) = self.place_in(origin, root, key) else { return false };
        let found = document.document.entry(&root, &key);
        let covers = |id: ItemId| theirs.get(&id.client).is_some_and(|clock| id.clock < *clock);
        found.is_some_and(|entry| covers(entry.id))
    }

    /// Whether a document could not take over what belongs here under a key.
    pub(super) fn was_rejected_in(&self, document: DocName, root: &str, key: &str) -> bool {
        let (Some(loaded), Some(claim), Some((root, key))) = (
            self.loaded(document),
            self.claims.get(&document),
            self.place_in(document, root, key),
        ) else {
            return false;
        };
        let quarantine = Root::Quarantine.name();
        loaded.slots.is_open(&root, &key)
            || claim.covers.keys().filter_map(|name| DocName::parse(name)).any(|source| {
                let note = SlotKey { source, root: root.clone(), key: key.clone() };
                loaded.document.entry_in(&quarantine, &note.to_text())
            })
    }

    /// Whether what belongs here under a key is gone in another document, which is here as a whole.
    fn is_gone_in(&self, document: DocName, root: &str, key: &str) -> bool {
        let (Some(loaded), Some(claim), Some((its_root, its_key))) = (
            self.loaded(document),
            self.claims.get(&document),
            self.place_in(document, root, key),
        ) else {
            return false;
        };
        claim.is_held_by(&loaded.document.version())
            && !loaded.document.entry_in(&its_root, &its_key)
            && !self.was_rejected_in(document, root, key)
    }

    /// Whether somebody who knew an edit has taken it away in a document that ranks between.
    pub(super) fn is_taken_away(&self, root: &str, key: &str, items: &Items) -> bool {
        let between = self.claims.keys().filter(|name| {
            (self.from.name..self.into.name).contains(name) && **name != self.from.name
        });
        let mut knowing =
            between.filter(|name| self.knows(**name, self.from.name, root, key, items));
        knowing.any(|name| self.is_gone_in(*name, root, key))
    }

    /// Settles late edits of others under a key that is gone in the document that is carried, where
    /// whoever took it away knew them.
    pub(super) fn settle_taken_away(&mut self, root: &str, key: &str) {
        if !self.is_gone_in(self.from.name, root, key) {
            return;
        }
        let open = self.into.loaded.slots.open(root, key).into_iter();
        let open: Vec<(DocName, Vec<(u64, u32)>)> = open
            .filter(|(source, _)| *source < self.from.name)
            .map(|(source, held)| (source, held.slot.items.clone()))
            .collect();
        for (source, items) in open {
            if self.knows(self.from.name, source, root, key, &items) {
                let slot = SlotKey { source, root: root.to_owned(), key: key.to_owned() };
                self.settle(&slot, &items);
            }
        }
    }
}

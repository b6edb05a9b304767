//! What the author of one edit knew of another.

use std::collections::BTreeMap;

use super::{Carrying, Late, Place, pairs, reaches};
use crate::doc::Root;
use crate::engine::{DocName, SlotKey};
use crate::epoch::plan::{Plan, earlier_entry};
use crate::row::ItemId;

impl Carrying<'_> {
    /// Compares an edit with the late edits of other documents under the same key: settles those
    /// that its author knew, and tells whether it is none that the author of another one knew.
    pub(super) fn outrank(
        &mut self,
        root: &str,
        key: &str,
        ours: &SlotKey,
        items: &[ItemId],
    ) -> bool {
        let open: Vec<(DocName, Vec<(u64, u32)>)> = self
            .into
            .loaded
            .slots
            .open(root, key)
            .into_iter()
            .filter(|(source, held)| *source != self.from.name && held.slot.value.is_some())
            .map(|(source, held)| (source, held.slot.items.clone()))
            .collect();
        for (source, theirs) in open {
            let ids: Vec<ItemId> = theirs
                .iter()
                .map(|(client, clock)| ItemId { client: *client, clock: *clock })
                .collect();
            if source > self.from.name {
                if self.knows(source, self.from.name, root, key, items) {
                    return false;
                }
            } else if self.knows(self.from.name, source, root, key, &ids) {
                let slot_key = SlotKey { source, ..ours.clone() };
                self.settle(&slot_key, &theirs);
            }
        }
        true
    }

    /// Whether somebody who knew an edit has removed the row in a document that ranks above.
    pub(super) fn was_removed_knowingly(&self, late: &Late) -> bool {
        let Some(of) = Root::parse(&late.of.0) else { return false };
        let name = self.from.name.to_string();
        self.others.iter().any(|(who, other)| {
            let Some(claim) = self.claims.get(who) else { return false };
            let knew = late.items.iter().all(|id| claim.covers(&name, *id));
            if !knew || *who <= self.from.name || *who >= self.into.name {
                return false;
            }
            let whole = BTreeMap::from([(claim.client, claim.baseline)]);
            if claim.baseline > 0 && !reaches(&other.document.clocks(), &whole) {
                return false;
            }
            let place = Place { name: *who, loaded: other, claim: Some(claim) };
            let there = match &of {
                Root::Table(table) => {
                    let there = self.plan.to.at_epoch(who.epoch);
                    let plan = there.and_then(|def| Plan::new(&def, self.from.name.epoch));
                    plan.and_then(|plan| plan.later_key(table, &late.of.1))
                }
                _ => self.terms(*who, &late.root.name(), &late.key),
            };
            let Some((root, key)) = there else { return false };
            let rejected = SlotKey { source: self.from.name, root: root.clone(), key: key.clone() };
            !place.has(&root, &key)
                && !other.document.entry_in(&Root::Quarantine.name(), &rejected.to_text())
        })
    }

    /// Whether who wrote in one document knew these items of another.
    pub(super) fn knows(
        &self,
        who: DocName,
        of: DocName,
        root: &str,
        key: &str,
        items: &[ItemId],
    ) -> bool {
        let name = of.to_string();
        let claim = self.claims.get(&who);
        let covered = |id: &ItemId| claim.is_some_and(|claim| claim.covers(&name, *id));
        if items.iter().all(covered) {
            return true;
        }
        let loaded =
            if who == self.from.name { Some(self.from.loaded) } else { self.others.get(&who) };
        let Some((root, key)) = self.terms(who, root, key) else { return false };
        let slot_key = SlotKey { source: of, root, key };
        let settled = loaded.and_then(|loaded| loaded.slots.settled(&slot_key));
        settled.is_some_and(|settled| settled.items == pairs(items))
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
        let Some((of_root, of_key)) = self.terms(origin, root, key) else { return false };
        let Some(entry) = document.document.entry(&of_root, &of_key) else { return false };
        theirs.get(&entry.id.client).is_some_and(|clock| entry.id.clock < *clock)
            || self.knows(self.from.name, origin, root, key, &[entry.id])
    }

    /// The root and key of a row here, as they are in another document.
    pub(super) fn terms(&self, of: DocName, root: &str, key: &str) -> Option<(String, String)> {
        if of.epoch == self.into.name.epoch {
            return Some((root.to_owned(), key.to_owned()));
        }
        let table = match Root::parse(root)? {
            Root::Table(table) => table,
            Root::Group(group) => {
                let (group, entry) = earlier_entry(&self.plan.to, of.epoch, &group, key)?;
                return Some((Root::Group(group.to_owned()).name(), entry.to_owned()));
            }
            _ => return None,
        };
        let plan = Plan::new(&self.plan.to, of.epoch)?;
        let (table, key) = plan.earlier_key(&table, key)?;
        Some((Root::Table(table.to_owned()).name(), key))
    }
}

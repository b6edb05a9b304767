//! Carrying late edits: what was written to a document after it was migrated, or beside it.
//!
//! What there is to carry follows from the documents alone, so that it may be found out by any
//! device, as often as it likes: it comes to the same.

mod groups;
mod keep;
mod knowledge;
mod removal;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use crate::doc::{ChangedKeys, Removed, Root};
use crate::engine::{Claim, Claims, DocName, Loaded, SlotKey, slots};
use crate::epoch::convert::text_of;
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::ItemId;

/// A write to the document that late edits are carried into.
pub(super) type CarryOp = (Root, String, Option<String>);

/// A document as seen from here: the one that is carried into, or one that is carried from.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) name: DocName,
    pub(super) loaded: &'p Loaded,
    pub(super) claim: Option<&'p Claim>,
}

impl Place<'_> {
    fn main(&self, root: &str, key: &str) -> Option<ItemId> {
        self.loaded.document.entry(root, key).map(|entry| entry.id)
    }

    /// The document whose entry an item is an unchanged copy of; `None` where it is an edit.
    fn origin(&self, id: ItemId) -> Option<&str> {
        self.claim.and_then(|claim| claim.origin(id))
    }

    /// Whether something stands under a key, be it a late edit.
    fn has(&self, root: &str, key: &str) -> bool {
        let Self { loaded, claim, .. } = self;
        loaded.document.entry_in(root, key)
            || loaded.slots.showing(*claim, root, key, None).is_some()
    }

    /// What stands under a key, late edits included.
    fn standing(&self, root: &str, key: &str) -> Option<String> {
        let Self { loaded, claim, .. } = self;
        let entry = slots::entry(&loaded.document, &loaded.slots, *claim, root, key)?;
        Some(text_of(entry.content))
    }
}

/// What of a document to look at.
pub(super) enum Scope<'s> {
    /// All of it, where it is not known what has changed.
    All,
    /// What a merge has changed.
    Changed(&'s ChangedKeys, &'s [Removed]),
    /// What belongs to late edits that have changed here.
    Slots(&'s [SlotKey]),
}

/// Carries from one document into another.
pub(super) struct Carrying<'c> {
    pub(super) into: Place<'c>,
    pub(super) from: Place<'c>,
    /// From the epoch of the one to that of the other.
    pub(super) plan: &'c Plan,
    pub(super) claims: &'c Claims,
    /// All other documents that are loaded.
    pub(super) others: &'c BTreeMap<DocName, Loaded>,
    /// How far this copy has the one that is carried from.
    clocks: BTreeMap<u64, u32>,
    /// Whether what its migration brought is to be had from what that came from.
    trusts_baseline: bool,
    /// Whether what is not there was removed there, and has not merely not arrived.
    trusts_absence: bool,
    /// Whether what is carried now was made of a row that is here as it was there.
    is_of_known_row: bool,
    ops: Vec<CarryOp>,
}

/// A late edit as it is to stand here.
struct Late {
    root: Root,
    key: String,
    of: (String, String),
    items: Vec<ItemId>,
    outcome: Outcome,
    /// Whether a `migrate` function has made it.
    is_made: bool,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Value(String),
    Rejected { reason: String, raw: String },
}

fn pairs(items: &[ItemId]) -> Vec<(u64, u32)> {
    items.iter().map(|id| (id.client, id.clock)).collect()
}

/// Whether a copy that has `has` knows all that one at `needed` does.
fn reaches(has: &BTreeMap<u64, u32>, needed: &BTreeMap<u64, u32>) -> bool {
    needed.iter().all(|(client, clock)| has.get(client) >= Some(clock))
}

impl<'c> Carrying<'c> {
    pub(super) fn new(
        into: Place<'c>,
        from: Place<'c>,
        plan: &'c Plan,
        claims: &'c Claims,
        others: &'c BTreeMap<DocName, Loaded>,
    ) -> Self {
        // Where nobody has kept the document that a losing migration came from, what it brought
        // is nowhere else.
        let trusts_baseline = from.claim.is_none_or(|claim| {
            let Some(needed) = claim.covers.get(&claim.source) else { return true };
            let covered = into.claim.and_then(|claim_into| claim_into.covers.get(&claim.source));
            let source = DocName::parse(&claim.source).and_then(|name| others.get(&name));
            covered.is_some_and(|covered| reaches(covered, needed))
                || source.is_some_and(|source| reaches(&source.document.clocks(), needed))
        });
        let clocks = from.loaded.document.clocks();
        let covered = into.claim.and_then(|claim| claim.covers.get(&from.name.to_string()));
        let own = from.claim.map(|claim| BTreeMap::from([(claim.client, claim.baseline)]));
        let trusts_absence = covered.is_none_or(|covered| reaches(&clocks, covered))
            && own.is_none_or(|own| own.values().all(|n| *n == 0) || reaches(&clocks, &own));
        Self {
            into,
            from,
            plan,
            claims,
            others,
            clocks,
            trusts_baseline,
            trusts_absence,
            is_of_known_row: false,
            ops: Vec::new(),
        }
    }
}

impl Carrying<'_> {
    /// Whether nothing is left to find out once more of the document has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.trusts_absence
    }

    pub(super) fn carry(mut self, scope: &Scope<'_>) -> Result<Vec<CarryOp>> {
        let (mut rows, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let mut add = |root: &str, key: &str| match Root::parse(root) {
            Some(Root::Table(_) | Root::Quarantine) => {
                rows.insert((root.to_owned(), key.to_owned()));
            }
            Some(Root::Group(name)) => {
                groups.insert(name);
            }
            _ => {}
        };
        let mut was: BTreeMap<(String, String), String> = BTreeMap::new();
        match scope {
            Scope::All => {
                for root in self.from.loaded.document.maps() {
                    self.from.loaded.document.for_each(&root, |key, entry| {
                        if self.is_late(entry.id) {
                            add(&root, key);
                        }
                        Ok::<(), crate::Error>(())
                    })?;
                }
                // Groups are few, and compared whole.
                for group in self.plan.from.groups {
                    add(&Root::Group(group.name.to_owned()).name(), "");
                }
                // What was carried and is gone there now.
                for (slot, held) in self.into.loaded.slots.iter() {
                    if slot.source == self.from.name {
                        add(&held.slot.of.0, &held.slot.of.1);
                    }
                }
                self.find_removed(&mut add)?;
            }
            Scope::Changed(changed, removed) => {
                for (root, keys) in *changed {
                    let is_note =
                        matches!(Root::parse(root), Some(Root::Forwarded | Root::Settled));
                    for key in keys {
                        match SlotKey::parse(key).filter(|_| is_note) {
                            // A row that has come late there may have been removed there.
                            Some(slot) => add(&slot.root, &slot.key),
                            None => add(root, key),
                        }
                    }
                }
                for removed in *removed {
                    let place = (removed.root.to_string(), removed.key.to_string());
                    was.insert(place, text_of(removed.content.clone()));
                }
            }
            Scope::Slots(keys) => {
                let ours = keys.iter().filter(|key| key.source == self.from.name);
                for key in ours {
                    let held = self.into.loaded.slots.get(key);
                    match held {
                        Some(held) => add(&held.slot.of.0, &held.slot.of.1),
                        // It was taken out elsewhere; it may belong here all the same.
                        None => self.add_earlier(key, &mut add),
                    }
                }
            }
        }
        for (root, key) in rows {
            let was = was.get(&(root.clone(), key.clone())).cloned();
            self.carry_row(&root, &key, was)?;
        }
        for name in groups {
            self.carry_group(&name)?;
        }
        Ok(self.ops)
    }

    /// Whether an item was written where the migration could not know of it.
    fn is_late(&self, id: ItemId) -> bool {
        let covered =
            self.into.claim.is_some_and(|claim| claim.covers(&self.from.name.to_string(), id));
        !covered && (self.from.origin(id).is_none() || !self.trusts_baseline)
    }

    /// Whether this copy of the document has all of these; if not, another device knows better.
    fn has_all(&self, items: &[(u64, u32)]) -> bool {
        items.iter().all(|(client, clock)| self.clocks.get(client) > Some(clock))
    }

    fn add_earlier(&self, key: &SlotKey, add: &mut dyn FnMut(&str, &str)) {
        match Root::parse(&key.root) {
            Some(Root::Table(table)) => {
                if let Some((table, key)) = self.plan.earlier_key(&table, &key.key) {
                    add(&Root::Table(table.to_owned()).name(), &key);
                }
            }
            Some(Root::Group(_)) => add(&key.root, &key.key),
            _ => {}
        }
    }

    /// Entries that came from there and are gone there, and late edits of others that are.
    fn find_removed(&self, add: &mut dyn FnMut(&str, &str)) -> Result<()> {
        for (slot, _) in self.into.loaded.slots.iter() {
            if slot.source < self.from.name
                && let Some(Root::Table(table)) = Root::parse(&slot.root)
                && let Some((earlier, key)) = self.earlier(&table, &slot.key)
            {
                let earlier = Root::Table(earlier).name();
                if self.trusts_absence && !self.from.has(&earlier, &key) {
                    add(&earlier, &key);
                }
            }
        }
        let Some(claim) = self.into.claim.filter(|_| self.trusts_absence) else { return Ok(()) };
        for root in self.into.loaded.document.maps() {
            let Some(Root::Table(table)) = Root::parse(&root) else { continue };
            self.into.loaded.document.for_each(&root, |key, entry| {
                if claim.origin(entry.id).is_some_and(|origin| !origin.is_empty())
                    && let Some((earlier, earlier_key)) = self.earlier(&table, key)
                {
                    let earlier = Root::Table(earlier).name();
                    if self.from.has(&earlier, &earlier_key) {
                        return Ok::<(), crate::Error>(());
                    }
                    add(&earlier, &earlier_key);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The table and key there of a row here.
    fn earlier(&self, table: &str, key: &str) -> Option<(String, String)> {
        if self.plan.is_identity() {
            return Some((table.to_owned(), key.to_owned()));
        }
        let (table, key) = self.plan.earlier_key(table, key)?;
        Some((table.to_owned(), key))
    }
}

//! Carrying late edits: what was written to a document after it was migrated, or beside it.
//!
//! What there is to carry follows from the documents alone, so that it may be found out by any
//! device, as often as it likes: it comes to the same.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::{NewRow, Rejected, Sink, convert_group, convert_row, prepare, text_of};
use super::plan::Plan;
use super::sink::describe;
use super::source::{RowsOf, Source, SourceRow};
use crate::doc::{ChangedKeys, Removed, Root};
use crate::engine::{Claim, Claims, DocName, Loaded, Settled, Slot, SlotKey, slots};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::step::Entries;

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

    fn carry_row(&mut self, root: &str, key: &str, was: Option<String>) -> Result<()> {
        let Some(entry) = self.from.loaded.document.entry(root, key) else {
            // A late edit that shows there is carried from where it was made.
            let is_known = self.forget_carried(root, key);
            let is_gone = is_known && !self.from.has(root, key);
            return if is_gone { self.carry_removal(root, key, was) } else { Ok(()) };
        };
        if !self.is_late(entry.id) {
            return Ok(());
        }
        let of = (root.to_owned(), key.to_owned());
        if self.plan.has_migrate() && !self.is_news(&of, entry.id) {
            return Ok(());
        }
        self.is_of_known_row = self.came_unchanged(root, key);
        for late in self.convert(root, key, entry.id, entry.content)? {
            self.settle_or_set(&late);
        }
        self.is_of_known_row = false;
        if self.plan.has_migrate() {
            self.note_run(&of, entry.id);
        }
        Ok(())
    }

    /// Whether the row here is an unchanged copy of what the row there was.
    fn came_unchanged(&self, root: &str, key: &str) -> bool {
        let Some(Root::Table(table)) = Root::parse(root) else { return false };
        let here = self.plan.later_key(&table, key);
        let main = here.and_then(|(root, key)| self.into.main(&root, &key));
        main.and_then(|id| self.into.origin(id)) == Some(self.from.name.to_string().as_str())
    }

    /// Where a `migrate` function takes part, what it makes of an edit is written once.
    fn run_key(&self, of: &(String, String)) -> SlotKey {
        SlotKey { source: self.from.name, root: format!("run:{}", of.0), key: of.1.clone() }
    }

    fn is_news(&self, of: &(String, String), id: ItemId) -> bool {
        let settled = self.into.loaded.slots.settled(&self.run_key(of));
        settled.is_none_or(|settled| settled.items != pairs(&[id]))
    }

    fn note_run(&mut self, of: &(String, String), id: ItemId) {
        let key = self.run_key(of);
        self.settle(&key, &pairs(&[id]));
    }

    /// What an edit becomes here.
    fn convert(&self, root: &str, key: &str, id: ItemId, content: Content) -> Result<Vec<Late>> {
        let of = (root.to_owned(), key.to_owned());
        let late = |root: Root, key: String, outcome: Outcome| Late {
            root,
            key,
            of: of.clone(),
            items: vec![id],
            outcome,
            is_made: false,
        };
        let Some(parsed) = Root::parse(root) else { return Ok(Vec::new()) };
        let Root::Table(name) = &parsed else {
            return Ok(vec![late(parsed, key.to_owned(), Outcome::Value(text_of(content)))]);
        };
        let slot = self.plan.from.tables.iter().position(|table| table.name == name);
        let (Some(slot), false) = (slot, self.plan.is_identity()) else {
            // What its code does not know is passed on as it is.
            return Ok(vec![late(parsed, key.to_owned(), Outcome::Value(text_of(content)))]);
        };
        let table = &self.plan.from.tables[slot];
        let row = SourceRow {
            key: (table.read_key)(key),
            key_text: key.to_owned(),
            origin: self.from.name.to_string().into(),
            content,
        };
        let [stretch] = self.plan.stretches.as_slice() else {
            return self.run_alone(slot, row, &of, id);
        };
        if stretch.migrate.is_some() {
            return self.run_alone(slot, row, &of, id);
        }
        let mut converted = Vec::new();
        for route in stretch.tables.iter().filter(|route| route.from == slot) {
            let now = &stretch.to.tables[route.to];
            let root = Root::Table(now.name.to_owned());
            converted.push(match convert_row(now, route.conversions, name, &row)? {
                Ok(row) => late(root, row.key_text, Outcome::Value(row.json)),
                Err(failure) => {
                    let raw = text_of(row.content.clone());
                    let key = self.later_key(&root, &row.key_text);
                    let rejected = Rejected { root, key, raw, failure };
                    let reason = describe(&rejected);
                    let Rejected { root, key, raw, .. } = rejected;
                    late(root, key, Outcome::Rejected { reason, raw })
                }
            });
        }
        Ok(converted)
    }

    /// The key here of a row there that cannot be converted.
    fn later_key(&self, root: &Root, key: &str) -> String {
        if let Root::Table(now) = root
            && let Some((earlier, true)) = self.plan.earlier_table(now)
            && earlier.key == crate::schema::descriptor::KeyKind::Id
            && let Some(rest) = key.strip_prefix(earlier.name)
        {
            return format!("{now}{rest}");
        }
        key.to_owned()
    }

    /// Takes one row alone through a plan with `migrate` functions.
    fn run_alone(
        &self,
        slot: usize,
        row: SourceRow,
        of: &(String, String),
        id: ItemId,
    ) -> Result<Vec<Late>> {
        let rows = RowsOf::One(slot, Box::new(row));
        let alone = Source::new(self.from.name, None, self.plan.from, rows, &BTreeMap::new())?;
        let mut sink = LateSink { plan: self.plan, of, id, late: Vec::new() };
        let report = |_| {};
        let prepared = prepare(self.plan, alone, false, &report, &mut sink)?;
        prepared.pour(&mut sink)?;
        Ok(sink.late)
    }

    /// Brings what is kept of an edit here up to date with it.
    fn settle_or_set(&mut self, late: &Late) {
        let root = late.root.name();
        let items = pairs(&late.items);
        let slot_key =
            SlotKey { source: self.from.name, root: root.clone(), key: late.key.clone() };
        if late.root == Root::Quarantine {
            // What was kept there stays kept, unless somebody has dealt with it here.
            let is_settled = self.into.loaded.slots.settled(&slot_key).is_some();
            let is_here = self.into.main(&root, &late.key).is_some();
            if let (Outcome::Value(value), false, false) = (&late.outcome, is_settled, is_here) {
                self.ops.push((Root::Quarantine, late.key.clone(), Some(value.clone())));
                self.settle(&slot_key, &items);
            }
            return;
        }
        self.forget_elsewhere(late, &slot_key);
        let settled = self.into.loaded.slots.settled(&slot_key);
        if settled.is_some_and(|settled| settled.items == items) {
            return;
        }
        let held = self.into.loaded.slots.get(&slot_key);
        if held.is_some_and(|held| held.slot.items == items || !self.has_all(&held.slot.items)) {
            return;
        }
        if let Outcome::Value(value) = &late.outcome {
            if self.into.standing(&root, &late.key).as_ref() == Some(value) {
                // What both migrations brought alike needs no note.
                let is_copy = late.items.iter().all(|id| self.from.origin(*id).is_some());
                if !is_copy {
                    self.settle(&slot_key, &items);
                }
                return;
            }
            let is_known = !self.outrank(&root, &late.key, &slot_key, &late.items)
                || self.was_removed_knowingly(late);
            if is_known {
                return self.settle(&slot_key, &items);
            }
            self.keep_displaced(&root, &late.key, late);
        }
        let (value, reason, raw) = match &late.outcome {
            Outcome::Value(value) => (Some(value.clone()), None, None),
            Outcome::Rejected { reason, raw } => (None, Some(reason.clone()), Some(raw.clone())),
        };
        let slot = Slot { of: late.of.clone(), items, value, reason, raw };
        // What was kept of an earlier state of the same entry is out of date.
        let text = slot_key.to_text();
        if self.into.loaded.document.entry_in(&Root::Quarantine.name(), &text) {
            self.ops.push((Root::Quarantine, text, None));
        }
        if let Ok(json) = serde_json::to_string(&slot) {
            self.ops.push((Root::Forwarded, slot_key.to_text(), Some(json)));
        }
    }

    /// An edit that belonged under another key before.
    fn forget_elsewhere(&mut self, late: &Late, now: &SlotKey) {
        if self.plan.has_migrate() {
            return;
        }
        let slots = &self.into.loaded.slots;
        for key in slots.made_of(self.from.name, &late.of) {
            let is_known = slots.get(&key).is_some_and(|held| self.has_all(&held.slot.items));
            if key.root == now.root && key != *now && is_known {
                self.ops.push((Root::Forwarded, key.to_text(), None));
            }
        }
    }

    fn settle(&mut self, key: &SlotKey, items: &[(u64, u32)]) {
        let settled = Settled { items: items.to_vec() };
        if let Ok(json) = serde_json::to_string(&settled) {
            self.ops.push((Root::Settled, key.to_text(), Some(json)));
        }
    }

    /// Compares an edit with the late edits of other documents under the same key: settles those
    /// that its author knew, and tells whether it is none that the author of another one knew.
    fn outrank(&mut self, root: &str, key: &str, ours: &SlotKey, items: &[ItemId]) -> bool {
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
    fn was_removed_knowingly(&self, late: &Late) -> bool {
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
                // Entries are known by the names that they have here.
                _ if who.epoch == self.into.name.epoch => {
                    Some((late.root.name(), late.key.clone()))
                }
                _ => None,
            };
            let Some((root, key)) = there else { return false };
            let rejected = SlotKey { source: self.from.name, root: root.clone(), key: key.clone() };
            !place.has(&root, &key)
                && !other.document.entry_in(&Root::Quarantine.name(), &rejected.to_text())
        })
    }

    /// Whether who wrote in one document knew these items of another.
    fn knows(&self, who: DocName, of: DocName, root: &str, key: &str, items: &[ItemId]) -> bool {
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

    /// Where an edit shows in place of what another document's migration brought, and its author
    /// could not know that: both are kept.
    fn keep_displaced(&mut self, root: &str, key: &str, late: &Late) {
        let Some(main) = self.into.loaded.document.entry(root, key) else { return };
        let Some(origin) = self.into.origin(main.id) else { return };
        let is_known = match DocName::parse(origin) {
            Some(origin) => self.from.name <= origin || self.knew_origin(origin, root, key),
            // What a `migrate` function made is known to whom the row is that it was made of.
            None => self.is_of_known_row,
        };
        let Place { loaded, claim, .. } = self.into;
        let is_shown = loaded.slots.showing(claim, root, key, Some(main.id)).is_some();
        if is_shown || is_known {
            return;
        }
        let origin = DocName::parse(origin).unwrap_or(self.into.name);
        let kept = Slot {
            of: late.of.clone(),
            items: Vec::new(),
            value: Some(text_of(main.content)),
            reason: Some(
                "it was changed on two devices that did not know of each other, before and after \
                 a migration; the later epoch's change stands"
                    .to_owned(),
            ),
            raw: None,
        };
        let slot_key = SlotKey { source: origin, root: root.to_owned(), key: key.to_owned() };
        if let Ok(json) = serde_json::to_string(&kept) {
            self.ops.push((Root::Quarantine, slot_key.to_text(), Some(json)));
        }
    }

    /// Whether who wrote in the document that is carried knew what the migration brought of the
    /// entry that it came from.
    fn knew_origin(&self, origin: DocName, root: &str, key: &str) -> bool {
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
    fn terms(&self, of: DocName, root: &str, key: &str) -> Option<(String, String)> {
        let same = || Some((root.to_owned(), key.to_owned()));
        let Some(Root::Table(table)) = Root::parse(root) else { return same() };
        if of.epoch == self.into.name.epoch {
            return same();
        }
        let plan = Plan::new(&self.plan.to, of.epoch)?;
        let (table, key) = plan.earlier_key(&table, key)?;
        Some((Root::Table(table.to_owned()).name(), key))
    }

    /// Takes back what was carried of an entry that is gone there; false where it was written again
    /// there, which this copy has not heard of.
    fn forget_carried(&mut self, root: &str, key: &str) -> bool {
        let of = (root.to_owned(), key.to_owned());
        let slots = &self.into.loaded.slots;
        let carried = slots.made_of(self.from.name, &of);
        let is_known =
            |key: &SlotKey| slots.get(key).is_some_and(|held| self.has_all(&held.slot.items));
        if !carried.iter().all(is_known) {
            return false;
        }
        self.ops.extend(carried.iter().map(|key| (Root::Forwarded, key.to_text(), None)));
        true
    }

    fn carry_removal(&mut self, root: &str, key: &str, was: Option<String>) -> Result<()> {
        let Some(Root::Table(table)) = Root::parse(root).filter(|_| self.trusts_absence) else {
            return Ok(());
        };
        for (target, target_key) in self.removed_here(&table, key, was)? {
            let target = target.name();
            self.settle_known(&target, &target_key);
            let Some(id) = self.into.main(&target, &target_key) else { continue };
            if self.came_from_there(&target, &target_key, id) {
                let Some(root) = Root::parse(&target) else { continue };
                self.ops.push((root, target_key, None));
            }
        }
        Ok(())
    }

    /// Settles the late edits of other documents that who removed a row there knew.
    fn settle_known(&mut self, root: &str, key: &str) {
        let open: Vec<(DocName, Vec<(u64, u32)>)> = self
            .into
            .loaded
            .slots
            .open(root, key)
            .into_iter()
            .filter(|(source, _)| *source < self.from.name)
            .map(|(source, held)| (source, held.slot.items.clone()))
            .collect();
        for (source, items) in open {
            let ids: Vec<ItemId> = items
                .iter()
                .map(|(client, clock)| ItemId { client: *client, clock: *clock })
                .collect();
            let rejected = SlotKey { source, root: root.to_owned(), key: key.to_owned() };
            let quarantine = Root::Quarantine.name();
            let was_rejected = self.from.loaded.document.entry_in(&quarantine, &rejected.to_text());
            if !was_rejected && self.knows(self.from.name, source, root, key, &ids) {
                self.settle(&rejected, &items);
            }
        }
    }

    /// Where a row that is gone there stood here.
    fn removed_here(
        &self,
        table: &str,
        key: &str,
        was: Option<String>,
    ) -> Result<Vec<(Root, String)>> {
        let root = Root::Table(table.to_owned());
        if self.plan.is_identity() {
            return Ok(vec![(root, key.to_owned())]);
        }
        let mut found = Vec::new();
        for now in self.plan.to.tables {
            let later = self.plan.earlier_table(now.name);
            if let Some((earlier, true)) = later.filter(|(earlier, _)| earlier.name == table) {
                let target = Root::Table(now.name.to_owned());
                let _ = earlier;
                let key = self.later_key(&target, key);
                found.push((target, key));
            }
        }
        if found.is_empty()
            && let Some(json) = was
        {
            let nobody = ItemId { client: 0, clock: 0 };
            let content = Content::Text(json.into());
            let converted = self.convert(&root.name(), key, nobody, content)?;
            // What a `migrate` function made may belong to other rows, too.
            let own = converted
                .into_iter()
                .filter(|late| matches!(late.outcome, Outcome::Value(_)) && !late.is_made);
            found.extend(own.map(|late| (late.root, late.key)));
        }
        Ok(found)
    }

    /// Whether an entry here is nothing but what stood there.
    fn came_from_there(&self, root: &str, key: &str, id: ItemId) -> bool {
        let Some(claim) = self.into.claim else { return false };
        let Some(origin) = claim.origin(id).and_then(DocName::parse) else { return false };
        let from = self.from.name;
        if origin == from {
            return true;
        }
        if origin > from {
            return false;
        }
        // A document that was migrated from the same one had the row, too, unless it could not be
        // converted there.
        let rejected = SlotKey { source: origin, root: root.to_owned(), key: key.to_owned() };
        let quarantine = Root::Quarantine.name();
        let was_rejected =
            self.from.loaded.document.entry(&quarantine, &rejected.to_text()).is_some();
        !was_rejected && self.from.claim.is_some() && self.knew_origin(origin, root, key)
    }

    /// Entries of a group are converted together: late is what comes out otherwise with the late
    /// ones than without.
    fn carry_group(&mut self, name: &str) -> Result<()> {
        let root = Root::Group(name.to_owned()).name();
        let mut late_ids = BTreeMap::<String, ItemId>::new();
        let mut foreign = Vec::new();
        self.from.loaded.document.for_each(&root, |key, entry| {
            if self.is_late(entry.id) {
                match entry.content {
                    Content::Text(_) => {
                        late_ids.insert(key.to_owned(), entry.id);
                    }
                    Content::Foreign(raw) => foreign.push((key.to_owned(), entry.id, raw)),
                }
            }
            Ok::<(), crate::Error>(())
        })?;
        let mut all = Entries::new();
        let Place { loaded, claim, .. } = self.from;
        slots::for_each(&loaded.document, &loaded.slots, claim, &root, |key, entry| {
            if let Content::Text(json) = entry.content {
                all.insert(key.to_owned(), json.to_string());
            }
            Ok::<(), crate::Error>(())
        })?;
        let slot = self.plan.from.groups.iter().position(|group| group.name == name);
        let stretch = match (self.plan.stretches.as_slice(), slot) {
            ([stretch], Some(slot)) if stretch.migrate.is_none() => Some((stretch, slot)),
            // What its code does not know, or knows as it is here.
            ([], _) | (_, None) => None,
            (_, Some(slot)) => return self.carry_group_alone(slot, name, &late_ids, &all),
        };
        let Some((stretch, slot)) = stretch else {
            let late = late_ids.keys().cloned().collect();
            self.carry_resets(name, &all.keys().cloned().collect(), &late);
            for (key, id) in &late_ids {
                let value = all.get(key).cloned().unwrap_or_default();
                self.settle_or_set(&Late {
                    root: Root::Group(name.to_owned()),
                    key: key.clone(),
                    of: (root.clone(), key.clone()),
                    items: vec![*id],
                    outcome: Outcome::Value(value),
                    is_made: false,
                });
            }
            return Ok(());
        };
        let early: Entries = all
            .iter()
            .filter(|(key, _)| !late_ids.contains_key(*key))
            .map(|(key, json)| (key.clone(), json.clone()))
            .collect();
        let routes: Vec<_> =
            stretch.groups.iter().filter(|route| route.from == slot).copied().collect();
        for route in routes {
            let now = &stretch.to.groups[route.to];
            let with = convert_group(now, route.conversions, &all)?;
            let without = convert_group(now, route.conversions, &early)?;
            let items: Vec<ItemId> = late_ids.values().copied().collect();
            let failed = with.failures.iter().map(|(key, _)| key);
            let set = with.entries.keys().chain(failed).cloned().collect();
            let is_late =
                |(key, value): &(&String, &String)| without.entries.get(*key) != Some(*value);
            let made = with.entries.iter().filter(is_late).map(|(key, _)| key);
            let failed = with.failures.iter().map(|(key, _)| key);
            let late = made.chain(failed.filter(|key| late_ids.contains_key(*key)));
            self.carry_resets(now.name, &set, &late.cloned().collect());
            for (key, value) in with.entries {
                if without.entries.get(&key) == Some(&value) {
                    continue;
                }
                // Where it is clear which one it came from, only that counts.
                let own = late_ids.get(&key).map(|id| vec![*id]);
                self.settle_or_set(&Late {
                    root: Root::Group(now.name.to_owned()),
                    of: (root.clone(), key.clone()),
                    key,
                    items: own.unwrap_or_else(|| items.clone()),
                    outcome: Outcome::Value(value),
                    is_made: false,
                });
            }
            for (key, failure) in with.failures {
                let Some(id) = late_ids.get(&key) else { continue };
                let raw = all.get(&key).cloned().unwrap_or_default();
                let target = Root::Group(now.name.to_owned());
                let rejected = Rejected { root: target, key, raw, failure };
                let reason = describe(&rejected);
                self.settle_or_set(&Late {
                    root: rejected.root,
                    of: (root.clone(), rejected.key.clone()),
                    key: rejected.key,
                    items: vec![*id],
                    outcome: Outcome::Rejected { reason, raw: rejected.raw },
                    is_made: false,
                });
            }
        }
        for (key, id, raw) in foreign {
            let reason = "another program stored something other than JSON text".to_owned();
            self.settle_or_set(&Late {
                root: Root::Group(name.to_owned()),
                of: (root.clone(), key.clone()),
                key,
                items: vec![id],
                outcome: Outcome::Rejected { reason, raw },
                is_made: false,
            });
        }
        Ok(())
    }

    /// Takes the late entries of a group alone through a plan with `migrate` functions.
    fn carry_group_alone(
        &mut self,
        slot: usize,
        name: &str,
        late: &BTreeMap<String, ItemId>,
        all: &Entries,
    ) -> Result<()> {
        let with = self.run_group(slot, name, all)?;
        for now in self.plan.to.groups {
            let root = Root::Group(now.name.to_owned());
            let made = with.iter().filter(|made| made.root == root);
            let set = made.map(|made| made.key.clone()).collect();
            // What is late is only known to be so by what it was made of.
            let name = root.name();
            let slots = self.into.loaded.slots.keys(&name).map(str::to_owned);
            let kept = if late.is_empty() { BTreeSet::new() } else { slots.collect() };
            self.carry_resets(now.name, &set, &kept);
        }
        let of = (Root::Group(name.to_owned()).name(), String::new());
        let items: Vec<ItemId> = late.values().copied().collect();
        let settled = self.into.loaded.slots.settled(&self.run_key(&of));
        if late.is_empty() || settled.is_some_and(|settled| settled.items == pairs(&items)) {
            return Ok(());
        }
        let early: Entries = all
            .iter()
            .filter(|(key, _)| !late.contains_key(*key))
            .map(|(key, json)| (key.clone(), json.clone()))
            .collect();
        let without = self.run_group(slot, name, &early)?;
        for mut made in with {
            let is_same = |other: &Late| {
                (&other.root, &other.key, &other.outcome) == (&made.root, &made.key, &made.outcome)
            };
            if !without.iter().any(is_same) {
                made.items.clone_from(&items);
                self.settle_or_set(&made);
            }
        }
        let key = self.run_key(&of);
        self.settle(&key, &pairs(&items));
        Ok(())
    }

    /// What a plan with `migrate` functions makes of the entries of one group.
    fn run_group(&self, slot: usize, name: &str, entries: &Entries) -> Result<Vec<Late>> {
        let of = (Root::Group(name.to_owned()).name(), String::new());
        let nobody = ItemId { client: 0, clock: 0 };
        let rows = RowsOf::Group(slot, entries.clone());
        let alone = Source::new(self.from.name, None, self.plan.from, rows, &BTreeMap::new())?;
        let mut sink = LateSink { plan: self.plan, of: &of, id: nobody, late: Vec::new() };
        let report = |_| {};
        prepare(self.plan, alone, false, &report, &mut sink)?.pour(&mut sink)?;
        Ok(sink.late)
    }

    /// Entries of a group here that came from there, and are reset there: those that are set come
    /// to `set`, and of those to `late` what is late.
    fn carry_resets(&mut self, name: &str, set: &BTreeSet<String>, late: &BTreeSet<String>) {
        if !self.trusts_absence {
            return;
        }
        let root = Root::Group(name.to_owned());
        let root_name = root.name();
        let mut own = Vec::new();
        let read = self.into.loaded.document.for_each(&root_name, |key, entry| {
            if !set.contains(key) {
                own.push((key.to_owned(), entry.id));
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = read;
        for (key, id) in own {
            if self.came_from_there(&root_name, &key, id) {
                self.ops.push((root.clone(), key, None));
            }
        }
        let slots = &self.into.loaded.slots;
        let gone: Vec<String> = slots
            .keys(&root_name)
            .filter(|key| !late.contains(*key))
            .map(|key| SlotKey {
                source: self.from.name,
                root: root_name.clone(),
                key: key.to_owned(),
            })
            .filter(|key| slots.get(key).is_some_and(|held| self.has_all(&held.slot.items)))
            .map(|key| key.to_text())
            .collect();
        for key in gone {
            self.ops.push((Root::Forwarded, key, None));
        }
        let others: Vec<String> =
            slots.keys(&root_name).filter(|key| !set.contains(*key)).map(str::to_owned).collect();
        for key in others {
            self.settle_known(&root_name, &key);
        }
    }
}

/// Collects what becomes of one row.
struct LateSink<'l> {
    plan: &'l Plan,
    of: &'l (String, String),
    id: ItemId,
    late: Vec<Late>,
}

impl LateSink<'_> {
    fn push(&mut self, root: Root, key: String, outcome: Outcome, is_made: bool) {
        let (of, items) = (self.of.clone(), vec![self.id]);
        self.late.push(Late { root, key, of, items, outcome, is_made });
    }
}

impl Sink for LateSink<'_> {
    fn row(&mut self, slot: usize, row: NewRow) -> Result<()> {
        let root = Root::Table(self.plan.to.tables[slot].name.to_owned());
        self.push(root, row.key_text, Outcome::Value(row.json), row.origin.is_empty());
        Ok(())
    }

    fn entry(&mut self, slot: usize, name: &str, origin: &str, json: &str) -> Result<()> {
        let root = Root::Group(self.plan.to.groups[slot].name.to_owned());
        self.push(root, name.to_owned(), Outcome::Value(json.to_owned()), origin.is_empty());
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let reason = describe(&rejected);
        let Rejected { root, key, raw, .. } = rejected;
        self.push(root, key, Outcome::Rejected { reason, raw }, false);
        Ok(())
    }
}

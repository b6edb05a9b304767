//! Keeping late edits beside the rows that they belong to.

use super::supersession::Edit;
use super::{Carrying, Late, Outcome, Place, pairs};
use crate::doc::Root;
use crate::engine::{Settled, Slot, SlotKey, are_later, is_made, origin_document};
use crate::epoch::convert::text_of;

impl Carrying<'_> {
    /// Brings what is kept of an edit here up to date with it.
    pub(super) fn settle_or_set(&mut self, late: &Late) {
        let root = late.root.name();
        let items = pairs(&late.items);
        let slot_key = SlotKey::new(late.source, root.clone(), late.key.clone());
        if late.root == Root::Quarantine {
            // What was kept there stays kept, unless somebody has dealt with it here.
            let is_settled = self.into.loaded.slots.settled(&slot_key).is_some();
            if let (Outcome::Value(value), false) = (&late.outcome, is_settled) {
                match SlotKey::parse(&late.key).zip(serde_json::from_str(value).ok()) {
                    Some((key, slot)) => self.quarantine(key, &slot),
                    // What newer code has put there is passed on.
                    None if self.into.main(&root, &late.key).is_some() => return,
                    None => {
                        self.ops.push((late.root.clone(), late.key.clone(), Some(value.clone())))
                    }
                }
                self.settle(&slot_key, &items);
            }
            return;
        }
        self.forget_elsewhere(late, &slot_key);
        let slots = &self.into.loaded.slots;
        let is_settled = slots.settled(&slot_key).is_some_and(|settled| settled.items == items);
        let held = slots.get(&slot_key).map(|held| &held.slot);
        let is_held = held.is_some_and(|slot| slot.items == items);
        let is_of_before = |slot: &Slot| {
            !is_held && slot.of == late.of && self.has_items(late.source, &slot.items)
        };
        if is_settled && held.is_some_and(is_of_before) {
            // Somebody has dealt with it who did not know that an earlier state of it is kept here.
            self.ops.push((Root::Forwarded, slot_key.to_text(), None));
            return;
        }
        if is_settled || is_held || self.is_outdated(late) {
            return;
        }
        let made = match &late.outcome {
            Outcome::Value(value) if late.is_made => Some(value.as_str()),
            _ => None,
        };
        let is_superseded = self.is_superseded(&Edit {
            root: &root,
            key: &late.key,
            source: late.source,
            of: Some(&late.of),
            items: &items,
            made,
            waits_in: late.waits_in(),
        });
        if let Outcome::Value(value) = &late.outcome {
            let copied = late.items.first().and_then(|id| self.from.origin(*id));
            let lineage = copied.map_or_else(|| late.source.to_string(), str::to_owned);
            if self.is_there(&root, &late.key, &lineage, value) {
                // What both migrations brought alike needs no note.
                if copied.is_none() {
                    self.settle_instead(&slot_key, &items);
                }
                return;
            }
            if !is_superseded {
                self.keep_displaced(&root, &late.key, late);
            }
        }
        if is_superseded {
            // What was made of the row before goes with it.
            if late.is_made && self.is_of_known_row && self.is_made_here(&root, &late.key) {
                self.ops.push((late.root.clone(), late.key.clone(), None));
            }
            return self.settle_instead(&slot_key, &items);
        }
        let (value, reason, raw, stood) = match late.outcome.clone() {
            Outcome::Value(value) => (Some(value), None, None, None),
            Outcome::Rejected { reason, raw, stood } => {
                (None, Some(reason).filter(|why| !why.is_empty()), Some(raw), stood)
            }
        };
        let (of, made) = (late.of.clone(), late.is_made);
        let slot = Slot { of, items, value, reason, raw, stood, made };
        // What was kept of an earlier state of the same entry is out of date, unless it was an edit of
        // another document that showed there, and its author could not know that.
        let of = &late.of;
        if self.knew_sources(late.source) && self.from.loaded.slots.open(&of.0, &of.1).is_empty() {
            let displaced = (slot_key.clone().next(), true);
            for (key, is_displaced) in [(slot_key.clone(), false), displaced] {
                if self.noted(&key).is_some_and(|noted| !is_displaced || noted.value.is_some()) {
                    self.notes.insert(key.to_text(), None);
                    self.ops.push((Root::Quarantine, key.to_text(), None));
                }
            }
        }
        if let Ok(json) = serde_json::to_string(&slot) {
            self.ops.push((Root::Forwarded, slot_key.to_text(), Some(json)));
        }
    }

    /// Whether what is noted of an entry here is of a newer state of it than has come of its
    /// document.
    pub(super) fn is_outdated(&self, late: &Late) -> bool {
        let (source, root, key) = (late.source, late.root.name(), late.key.as_str());
        let slot_key = SlotKey::new(source, root.clone(), key.to_owned());
        let slots = &self.into.loaded.slots;
        let items = pairs(&late.items);
        let settled = slots.settled(&slot_key).map(|settled| &settled.items);
        let held = slots.get(&slot_key).map(|held| &held.slot);
        settled.is_some_and(|of| self.is_behind(source, of) && !are_later(&items, of))
            || held.is_some_and(|slot| {
                !self.has_items(source, &slot.items)
                    && !are_later(&items, &slot.items)
                    // Once it has been dealt with elsewhere, it is in nobody's way.
                    && !self.is_superseded(&Edit::kept(&root, key, source, slot))
            })
    }

    /// Whether an edit says no more than the entry that stands here, and shares what becomes of it.
    fn is_there(&self, root: &str, key: &str, lineage: &str, value: &str) -> bool {
        let Place { loaded, claim, .. } = self.into;
        let Some(main) = loaded.document.entry(root, key) else { return false };
        let origin = self.into.origin(main.id);
        origin.is_none_or(|origin| origin == lineage)
            && loaded.slots.showing(claim, root, key, Some(main.id)).is_none()
            && text_of(main.content) == value
    }

    /// An edit that belonged under another key before.
    pub(super) fn forget_elsewhere(&mut self, late: &Late, now: &SlotKey) {
        if self.plan.has_migrate() {
            return;
        }
        let slots = &self.into.loaded.slots;
        for key in slots.made_of(late.source, &late.of) {
            let is_known = slots
                .get(&key)
                .is_some_and(|held| self.has_items(self.from.name, &held.slot.items));
            if key.root == now.root && key != *now && is_known {
                self.ops.push((Root::Forwarded, key.to_text(), None));
            }
        }
    }

    /// Settles an edit, whatever is kept of an earlier one in its place.
    fn settle_instead(&mut self, key: &SlotKey, items: &[(u64, u32)]) {
        if self.into.loaded.slots.get(key).is_some() {
            self.ops.push((Root::Forwarded, key.to_text(), None));
        }
        self.settle(key, items);
    }

    pub(super) fn settle(&mut self, key: &SlotKey, items: &[(u64, u32)]) {
        let settled = Settled { items: items.to_vec(), made: Vec::new() };
        if let Ok(json) = serde_json::to_string(&settled) {
            self.ops.push((Root::Settled, key.to_text(), Some(json)));
        }
    }

    /// Where an edit shows in place of what another document's migration brought, and its author
    /// could not know that: both are kept.
    pub(super) fn keep_displaced(&mut self, root: &str, key: &str, late: &Late) {
        let Some(main) = self.into.loaded.document.entry(root, key) else { return };
        let Some(origin) = self.into.origin(main.id) else { return };
        let document = origin_document(origin);
        // Where it was kept beside the edit, nobody has decided on it.
        let open = self.from.loaded.slots.open(&late.of.0, &late.of.1);
        let is_open = open.iter().any(|(source, _)| Some(*source) == document);
        let is_known = document.is_some_and(|name| late.source <= name)
            || !is_open && self.knew_copy(late.source, root, key, origin)
            // What a `migrate` function made is known to whom the row is that it was made of.
            || is_made(origin) && self.is_of_known_row;
        let Place { loaded, claim, .. } = self.into;
        let is_shown = loaded.slots.showing(claim, root, key, Some(main.id)).is_some();
        if is_shown || is_known {
            return;
        }
        let origin = document.unwrap_or(self.into.name);
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
            stood: None,
            made: false,
        };
        let slot_key = SlotKey::new(origin, root.to_owned(), key.to_owned());
        // The first note of a place is of what could not be converted there.
        self.quarantine(slot_key.next(), &kept);
    }

    /// Puts something in quarantine, beside what else is there about the same place.
    fn quarantine(&mut self, mut key: SlotKey, kept: &Slot) {
        let Ok(json) = serde_json::to_string(kept) else { return };
        let says = |other: &Slot| (&other.value, &other.raw) == (&kept.value, &kept.raw);
        loop {
            match self.noted(&key) {
                None => {
                    self.notes.insert(key.to_text(), Some(kept.clone()));
                    return self.ops.push((Root::Quarantine, key.to_text(), Some(json)));
                }
                Some(other) if says(&other) => return,
                Some(_) => key = key.next(),
            }
        }
    }

    /// What is, or will be, in quarantine here.
    fn noted(&self, key: &SlotKey) -> Option<Slot> {
        let written = self.notes.get(&key.to_text()).cloned();
        written.unwrap_or_else(|| self.into.noted(key))
    }
}

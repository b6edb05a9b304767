//! Keeping late edits beside the rows that they belong to.

use super::supersession::Edit;
use super::{Carrying, Late, Outcome, Place, pairs};
use crate::doc::Root;
use crate::engine::{LateEdit, LateEditKey, Resolution, are_later, is_made, origin_document};
use crate::epoch::convert::text_of;

impl Carrying<'_> {
    /// Brings what is kept of an edit here up to date with it.
    pub(super) fn resolve_or_store(&mut self, late: &Late) {
        let root = late.root.name();
        let items = pairs(&late.items);
        let edit_key = LateEditKey::new(late.source, root.clone(), late.key.clone());
        if late.root == Root::Quarantine {
            // What was kept there stays kept, unless somebody has dealt with it here.
            let is_resolved = self.into.loaded.late_edits.resolution(&edit_key).is_some();
            if let (Outcome::Value(value), false) = (&late.outcome, is_resolved) {
                match LateEditKey::parse(&late.key).zip(serde_json::from_str(value).ok()) {
                    Some((key, edit)) => self.quarantine(key, &edit),
                    // What newer code has put there is passed on.
                    None if self.into.main(&root, &late.key).is_some() => return,
                    None => {
                        self.ops.push((late.root.clone(), late.key.clone(), Some(value.clone())))
                    }
                }
                self.resolve(&edit_key, &items);
            }
            return;
        }
        self.forget_elsewhere(late, &edit_key);
        let late_edits = &self.into.loaded.late_edits;
        let is_resolved =
            late_edits.resolution(&edit_key).is_some_and(|resolution| resolution.items == items);
        let held = late_edits.get(&edit_key).map(|held| &held.edit);
        let is_held = held.is_some_and(|edit| edit.items == items);
        let is_of_before = |edit: &LateEdit| {
            !is_held && edit.of == late.of && self.has_items(late.source, &edit.items)
        };
        if is_resolved && held.is_some_and(is_of_before) {
            // Somebody has dealt with it who did not know that an earlier state of it is kept here.
            self.ops.push((Root::Forwarded, edit_key.to_text(), None));
            return;
        }
        if is_resolved || is_held || self.is_outdated(late) {
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
                    self.resolve_instead(&edit_key, &items);
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
            return self.resolve_instead(&edit_key, &items);
        }
        let (value, reason, raw, stood) = match late.outcome.clone() {
            Outcome::Value(value) => (Some(value), None, None, None),
            Outcome::Rejected { reason, raw, stood } => {
                (None, Some(reason).filter(|why| !why.is_empty()), Some(raw), stood)
            }
        };
        let (of, made) = (late.of.clone(), late.is_made);
        let edit = LateEdit { of, items, value, reason, raw, stood, made };
        // What was kept of an earlier state of the same entry is out of date, unless it was an edit of
        // another document that showed there, and its author could not know that.
        let of = &late.of;
        if self.knew_sources(late.source)
            && self.from.loaded.late_edits.open(&of.0, &of.1).is_empty()
        {
            let displaced = (edit_key.clone().next(), true);
            for (key, is_displaced) in [(edit_key.clone(), false), displaced] {
                if self.noted(&key).is_some_and(|noted| !is_displaced || noted.value.is_some()) {
                    self.notes.insert(key.to_text(), None);
                    self.ops.push((Root::Quarantine, key.to_text(), None));
                }
            }
        }
        if let Ok(json) = serde_json::to_string(&edit) {
            self.ops.push((Root::Forwarded, edit_key.to_text(), Some(json)));
        }
    }

    /// Whether what is noted of an entry here is of a newer state of it than has come of its
    /// document.
    pub(super) fn is_outdated(&self, late: &Late) -> bool {
        let (source, root, key) = (late.source, late.root.name(), late.key.as_str());
        let edit_key = LateEditKey::new(source, root.clone(), key.to_owned());
        let late_edits = &self.into.loaded.late_edits;
        let items = pairs(&late.items);
        let resolution = late_edits.resolution(&edit_key).map(|resolution| &resolution.items);
        let held = late_edits.get(&edit_key).map(|held| &held.edit);
        resolution.is_some_and(|of| self.is_behind(source, of) && !are_later(&items, of))
            || held.is_some_and(|edit| {
                !self.has_items(source, &edit.items)
                    && !are_later(&items, &edit.items)
                    // Once it has been dealt with elsewhere, it is in nobody's way.
                    && !self.is_superseded(&Edit::kept(&root, key, source, edit))
            })
    }

    /// Whether an edit says no more than the entry that stands here, and shares what becomes of it.
    fn is_there(&self, root: &str, key: &str, lineage: &str, value: &str) -> bool {
        let Place { loaded, claim, .. } = self.into;
        let Some(main) = loaded.document.entry(root, key) else { return false };
        let origin = self.into.origin(main.id);
        origin.is_none_or(|origin| origin == lineage)
            && loaded.late_edits.showing(claim, root, key, Some(main.id)).is_none()
            && text_of(main.content) == value
    }

    /// An edit that belonged under another key before.
    pub(super) fn forget_elsewhere(&mut self, late: &Late, now: &LateEditKey) {
        if self.plan.has_migrate() {
            return;
        }
        let late_edits = &self.into.loaded.late_edits;
        for key in late_edits.made_of(late.source, &late.of) {
            let is_known = late_edits
                .get(&key)
                .is_some_and(|held| self.has_items(self.from.name, &held.edit.items));
            if key.root == now.root && key != *now && is_known {
                self.ops.push((Root::Forwarded, key.to_text(), None));
            }
        }
    }

    /// Resolves an edit, whatever is kept of an earlier one in its place.
    fn resolve_instead(&mut self, key: &LateEditKey, items: &[(u64, u32)]) {
        if self.into.loaded.late_edits.get(key).is_some() {
            self.ops.push((Root::Forwarded, key.to_text(), None));
        }
        self.resolve(key, items);
    }

    pub(super) fn resolve(&mut self, key: &LateEditKey, items: &[(u64, u32)]) {
        let resolution = Resolution { items: items.to_vec(), made: Vec::new() };
        if let Ok(json) = serde_json::to_string(&resolution) {
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
        let open = self.from.loaded.late_edits.open(&late.of.0, &late.of.1);
        let is_open = open.iter().any(|(source, _)| Some(*source) == document);
        let is_known = document.is_some_and(|name| late.source <= name)
            || !is_open && self.knew_copy(late.source, root, key, origin)
            // What a `migrate` function made is known to whom the row is that it was made of.
            || is_made(origin) && self.is_of_known_row;
        let Place { loaded, claim, .. } = self.into;
        let is_shown = loaded.late_edits.showing(claim, root, key, Some(main.id)).is_some();
        if is_shown || is_known {
            return;
        }
        let origin = document.unwrap_or(self.into.name);
        let kept = LateEdit {
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
        let edit_key = LateEditKey::new(origin, root.to_owned(), key.to_owned());
        // The first note of a place is of what could not be converted there.
        self.quarantine(edit_key.next(), &kept);
    }

    /// Puts something in quarantine, beside what else is there about the same place.
    fn quarantine(&mut self, mut key: LateEditKey, kept: &LateEdit) {
        let Ok(json) = serde_json::to_string(kept) else { return };
        let says = |other: &LateEdit| (&other.value, &other.raw) == (&kept.value, &kept.raw);
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
    fn noted(&self, key: &LateEditKey) -> Option<LateEdit> {
        let written = self.notes.get(&key.to_text()).cloned();
        written.unwrap_or_else(|| self.into.noted(key))
    }
}

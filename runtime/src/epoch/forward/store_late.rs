//! Storing late edits beside the rows that they belong to.

use super::supersession::Edit;
use super::{Carrying, DocRef, Late, Outcome};
use crate::doc::Root;
use crate::engine::{CopySource, LateEdit, LateEditKey, Resolution, RootOp, are_later};
use crate::epoch::convert::text_of;
use crate::row::{EntryRef, ItemId};

impl Carrying<'_> {
    /// Brings what is stored of an edit here up to date with it: stores it, or records that it is
    /// resolved.
    pub(super) fn resolve_or_store(&mut self, late: &Late) {
        let (at, items) = (late.at(), late.items.as_slice());
        let edit_key = LateEditKey::new(late.source, at.clone());
        if late.root == Root::Quarantine {
            // What is in quarantine there comes along, unless it is resolved here.
            let is_resolved = self.into.loaded.late_edits.resolution(&edit_key).is_some();
            if let (Outcome::Value(value), false) = (&late.outcome, is_resolved) {
                match LateEditKey::parse(&late.key).zip(serde_json::from_str(value).ok()) {
                    Some((key, edit)) => self.quarantine(key, &edit),
                    // What newer code has put there is passed on.
                    None if self.into.main(&at).is_some() => return,
                    None => self.ops.push(RootOp::put(
                        late.root.clone(),
                        late.key.clone(),
                        value.clone(),
                    )),
                }
                self.resolve(&edit_key, items);
            }
            return;
        }
        self.forget_elsewhere(late, &edit_key);
        let late_edits = &self.into.loaded.late_edits;
        let is_resolved =
            late_edits.resolution(&edit_key).is_some_and(|resolution| resolution.items == items);
        let stored = late_edits.get(&edit_key).map(|stored| &stored.edit);
        let is_stored = stored.is_some_and(|edit| edit.items == items);
        let is_of_before = |edit: &LateEdit| {
            !is_stored && edit.of == late.of && self.has_items(late.source, &edit.items)
        };
        if is_resolved && stored.is_some_and(is_of_before) {
            // It was resolved by a device that did not know of the earlier state of it stored here.
            self.ops.push(RootOp::remove(Root::Forwarded, edit_key.to_text()));
            return;
        }
        if is_resolved || is_stored || self.is_outdated(late) {
            return;
        }
        let made = match &late.outcome {
            Outcome::Value(value) if late.is_made => Some(value.as_str()),
            _ => None,
        };
        let is_superseded = self.is_superseded(&Edit {
            at: &at,
            source: late.source,
            of: Some(&late.of),
            items,
            made,
            waits_in: late.waits_in(),
        });
        if let Outcome::Value(value) = &late.outcome {
            let copied = late.items.first().and_then(|id| self.from.copy_source(*id));
            let lineage = copied.unwrap_or(CopySource::Document(late.source));
            if self.is_there(&at, lineage, value) {
                // What both migrations brought alike needs no resolution.
                if copied.is_none() {
                    self.resolve_instead(&edit_key, items);
                }
                return;
            }
            if !is_superseded {
                self.keep_displaced(&at, late);
            }
        }
        if is_superseded {
            // What was made of the row before goes with it.
            if late.is_made && self.is_of_known_row && self.is_made_here(&at) {
                self.ops.push(RootOp::remove(late.root.clone(), late.key.clone()));
            }
            return self.resolve_instead(&edit_key, items);
        }
        let (value, reason, raw, stopped_at) = match late.outcome.clone() {
            Outcome::Value(value) => (Some(value), None, None, None),
            Outcome::Rejected { reason, raw, stopped_at } => {
                (None, Some(reason).filter(|why| !why.is_empty()), Some(raw), stopped_at)
            }
        };
        let (of, items, made) = (late.of.clone(), items.to_vec(), late.is_made);
        let edit = LateEdit { of, items, value, reason, raw, stopped_at, made };
        // What is in quarantine of an earlier state of the same entry is out of date, unless it was an
        // edit of another document that showed there, and its author could not know that.
        if self.knew_sources(late.source) && self.from.loaded.late_edits.open(&late.of).is_empty() {
            let displaced = (edit_key.clone().next(), true);
            for (key, is_displaced) in [(edit_key.clone(), false), displaced] {
                let there = self.quarantined(&key);
                if there.is_some_and(|edit| !is_displaced || edit.value.is_some()) {
                    self.ops.push(RootOp::remove(Root::Quarantine, key.to_text()));
                    self.in_quarantine.insert(key, None);
                }
            }
        }
        if let Ok(json) = serde_json::to_string(&edit) {
            self.ops.push(RootOp::put(Root::Forwarded, edit_key.to_text(), json));
        }
    }

    /// Whether what is recorded of an entry here is of a newer state of it than has come of its
    /// document.
    pub(super) fn is_outdated(&self, late: &Late) -> bool {
        let (source, at, items) = (late.source, late.at(), late.items.as_slice());
        let edit_key = LateEditKey::new(source, at.clone());
        let late_edits = &self.into.loaded.late_edits;
        let resolution = late_edits.resolution(&edit_key).map(|resolution| &resolution.items);
        let stored = late_edits.get(&edit_key).map(|stored| &stored.edit);
        resolution.is_some_and(|of| self.is_behind(source, of) && !are_later(items, of))
            || stored.is_some_and(|edit| {
                !self.has_items(source, &edit.items)
                    && !are_later(items, &edit.items)
                    // Once it is superseded elsewhere, it does not hold up this one.
                    && !self.is_superseded(&Edit::stored(&at, source, edit))
            })
    }

    /// Whether an edit says no more than the entry that stands here, and shares what becomes of it.
    fn is_there(&self, at: &EntryRef, lineage: CopySource, value: &str) -> bool {
        let DocRef { loaded, claim, .. } = self.into;
        let Some(main) = loaded.document.entry(&at.root, &at.key) else { return false };
        let source = self.into.copy_source(main.id);
        source.is_none_or(|source| source == lineage)
            && loaded.late_edits.showing(claim, at, Some(main.id)).is_none()
            && text_of(main.content) == value
    }

    /// Takes out what is stored of an edit under another key, which it had before.
    fn forget_elsewhere(&mut self, late: &Late, now: &LateEditKey) {
        if self.plan.has_migrate() {
            return;
        }
        let late_edits = &self.into.loaded.late_edits;
        for key in late_edits.made_in(late.source, &late.of) {
            let is_known = late_edits
                .get(&key)
                .is_some_and(|stored| self.has_items(self.from.name, &stored.edit.items));
            if key.at.root == now.at.root && key != *now && is_known {
                self.ops.push(RootOp::remove(Root::Forwarded, key.to_text()));
            }
        }
    }

    /// Records that an edit is resolved, and takes out what is stored of an earlier one in its place.
    fn resolve_instead(&mut self, key: &LateEditKey, items: &[ItemId]) {
        if self.into.loaded.late_edits.get(key).is_some() {
            self.ops.push(RootOp::remove(Root::Forwarded, key.to_text()));
        }
        self.resolve(key, items);
    }

    /// Records that an edit is resolved.
    pub(super) fn resolve(&mut self, key: &LateEditKey, items: &[ItemId]) {
        if let Ok(json) = serde_json::to_string(&Resolution::of(items.to_vec())) {
            self.ops.push(RootOp::put(Root::Settled, key.to_text(), json));
        }
    }

    /// Puts into quarantine what another document's migration brought, if an edit shows in its place
    /// whose author could not know it: both are kept.
    fn keep_displaced(&mut self, at: &EntryRef, late: &Late) {
        let Some(main) = self.into.loaded.document.entry(&at.root, &at.key) else { return };
        let Some(copy_source) = self.into.copy_source(main.id) else { return };
        let document = copy_source.document();
        // If it was stored beside the edit, it is not resolved.
        let open = self.from.loaded.late_edits.open(&late.of);
        let is_open = open.iter().any(|(source, _)| Some(*source) == document);
        let is_known = document.is_some_and(|name| late.source <= name)
            || !is_open && self.knew_copy(late.source, at, copy_source)
            // A device that knew the source row is taken to know what `migrate` made of it.
            || copy_source.is_made() && self.is_of_known_row;
        let DocRef { loaded, claim, .. } = self.into;
        let is_shown = loaded.late_edits.showing(claim, at, Some(main.id)).is_some();
        if is_shown || is_known {
            return;
        }
        let source = document.unwrap_or(self.into.name);
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
            stopped_at: None,
            made: false,
        };
        // The first entry of a row in quarantine is of what could not be converted.
        self.quarantine(LateEditKey::new(source, at.clone()).next(), &kept);
    }

    /// Puts something into quarantine, beside what else is there of the same row.
    fn quarantine(&mut self, mut key: LateEditKey, kept: &LateEdit) {
        let Ok(json) = serde_json::to_string(kept) else { return };
        let says = |other: &LateEdit| (&other.value, &other.raw) == (&kept.value, &kept.raw);
        loop {
            match self.quarantined(&key) {
                None => {
                    self.ops.push(RootOp::put(Root::Quarantine, key.to_text(), json));
                    self.in_quarantine.insert(key, Some(kept.clone()));
                    return;
                }
                Some(other) if says(&other) => return,
                Some(_) => key = key.next(),
            }
        }
    }

    /// What is in quarantine here, once `ops` are written.
    fn quarantined(&self, key: &LateEditKey) -> Option<LateEdit> {
        let written = self.in_quarantine.get(key).cloned();
        written.unwrap_or_else(|| self.into.quarantined(key))
    }
}

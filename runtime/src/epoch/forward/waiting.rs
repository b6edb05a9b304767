//! A waiting edit is not given to `migrate` functions: nothing is made of it before it is accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::Carrying;
use super::made::is_of_late;
use crate::doc::Root;
use crate::engine::{
    Candidate, DocName, Document, LateEditKey, LateEdits, Marks, Part, PartOf, Parts, Showing,
    StoredEdit,
};
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};

/// A document with the marks that are about to be written to it.
struct WithMarks<'c> {
    document: &'c Document,
    marks: &'c Parts,
}

impl Marks for WithMarks<'_> {
    fn has_mark(&self, key: &str) -> Result<bool> {
        let is_new = Part::parse(key).is_some_and(|part| self.marks.contains(&part));
        Ok(is_new || self.document.has_mark(key)?)
    }

    fn epoch(&self) -> u32 {
        self.document.epoch()
    }
}

impl Carrying<'_> {
    /// Gives to functions the late edits of entries that may show now, and waited before.
    pub(super) fn give_again(&mut self, arrived: &[LateEditKey]) -> Result<()> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(()) };
        if into.late_edits.is_empty() {
            return Ok(());
        }
        let mut entries: BTreeSet<EntryRef> = arrived.iter().map(|key| key.at.clone()).collect();
        let (copies, stored) = (self.known.copies(self.known.into), into.document.stored());
        for part in &self.marks {
            entries.extend(into.late_edits.entries_of(part.origin).cloned());
            entries.extend(copies.entries_of(&*stored, part.origin)?);
        }
        let late = entries.iter().flat_map(|at| into.late_edits.at(at));
        let is_converted = |(parts, stored): &(&Parts, &StoredEdit)| {
            !is_of_late(parts) && stored.edit.value.is_some()
        };
        let rows: BTreeSet<(DocName, EntryRef)> = late
            .filter(is_converted)
            .map(|(_, stored)| (stored.edit.from, stored.edit.of.clone()))
            .collect();
        for (name, of) in rows {
            if let Some(plan) = Plan::new(&self.known.def, name.epoch)
                && name != self.known.into
                && plan.stretches.iter().any(|stretch| stretch.migrate.is_some())
                && matches!(Root::parse(&of.root), Some(Root::Table(_)))
            {
                self.carry_row(name, &plan, &of)?;
            }
        }
        Ok(())
    }

    /// Leaves out what functions make of edits that wait here.
    pub(super) fn leave_out_of_waiting(&mut self) -> Result<()> {
        let of_late: Vec<LateEditKey> =
            self.values.keys().filter(|key| is_of_late(&key.parts)).cloned().collect();
        if of_late.is_empty() {
            return Ok(());
        }
        let mut own: BTreeMap<PartOf, BTreeSet<EntryRef>> = BTreeMap::new();
        for key in self.values.keys().filter(|key| !is_of_late(&key.parts)) {
            for part in &key.parts {
                own.entry(part.origin).or_default().insert(key.at.clone());
            }
        }
        for key in of_late {
            let grounds = key.parts.iter().filter(|part| part.is_ground());
            let origins: BTreeSet<PartOf> = grounds.map(|part| part.origin).collect();
            let mut waits = false;
            for origin in origins {
                waits |= self.waits(origin, own.get(&origin))?;
            }
            if waits {
                self.values.remove(&key);
            }
        }
        Ok(())
    }

    /// Whether an edit waits under each key that it has here, of which `new` are about to be written.
    fn waits(&self, origin: PartOf, new: Option<&BTreeSet<EntryRef>>) -> Result<bool> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(false) };
        let stored = into.late_edits.entries_of(origin);
        let entries: BTreeSet<&EntryRef> = stored.chain(new.into_iter().flatten()).collect();
        let marks = WithMarks { document: &into.document, marks: &self.marks };
        let copies = self.known.copies(self.known.into);
        let mut waits = false;
        for at in entries {
            let mut late_edits = LateEdits::default();
            for (parts, stored) in into.late_edits.at(at) {
                let key = LateEditKey { at: at.clone(), parts: parts.clone() };
                late_edits.insert(key, stored.clone());
            }
            for (key, edit) in self.values_at(at) {
                let id = ItemId { client: 0, clock: 0 };
                late_edits.insert(key.clone(), StoredEdit { id, edit: edit.clone() });
            }
            let is_of = |late: &Candidate<'_>| {
                let mut parts = late.parts.iter();
                !is_of_late(&late.parts) && parts.any(|part| part.origin == origin)
            };
            // Functions are given what cannot be converted, as in a migration.
            let is_behind = |late: &Candidate<'_>| {
                is_of(late) && !late.stored.is_some_and(|stored| stored.edit.is_rejected())
            };
            let main = into.document.entry(&at.root, &at.key).map(|entry| entry.id);
            let standing = late_edits.standing(&marks, copies, at, main)?;
            match standing.shown {
                Showing::Late(late) if is_of(&late) => return Ok(false),
                _ => waits |= standing.waiting.iter().any(is_behind),
            }
        }
        Ok(waits)
    }
}

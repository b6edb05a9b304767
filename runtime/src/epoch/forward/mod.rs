//! Carrying late edits: what was written to a document after it was migrated, or beside it.
//!
//! What there is to carry follows from the documents alone, so that any device finds the same, and as often
//! as it looks: the values that the document lacks, and marks of what is over. `docs/design/late-edits.md`
//! states the rule.

mod groups;
mod over;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use over::Known;
use values::convert;
pub(super) use values::{Outcome, Value, later};

use crate::doc::items::{Place, ReadItems};
use crate::doc::{Root, key_of, written_over};
use crate::engine::{
    Base, Claims, DocName, Engine, LateEdit, LateEditKey, Loaded, OtherMerged, Part, PartOf, Parts,
    RootOp, entry_of,
};
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};
use crate::schema::descriptor::StoreDef;

/// Of so many items of one key that are dead, and that no claim knew, it is said one by one that they are
/// over: the newest of them.
const MAX_DEAD: u32 = 1 << 10;

/// So many writes of a key are gone back to find what a migration was given.
const MAX_STEPS: usize = 1 << 10;

/// What of a document to look at.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// All of it, where it is not known what has changed.
    All,
    /// What merges have changed.
    Changed(&'s [OtherMerged]),
}

/// What is carried into a document.
pub(super) struct Carrying<'k> {
    known: Known<'k>,
    values: BTreeMap<LateEditKey, LateEdit>,
    marks: Parts,
}

/// What is to be written to a document because of others, and of late edits that have come to it.
pub(super) fn carry(
    engine: &Engine,
    def: StoreDef,
    claims: &Claims,
    into: (DocName, &Loaded),
    others: &BTreeMap<DocName, Loaded>,
    scopes: &BTreeMap<DocName, Scope<'_>>,
    arrived: &[LateEditKey],
) -> Result<Vec<RootOp>> {
    let known = Known::new(engine, def, claims, into, others);
    let mut carrying = Carrying { known, values: BTreeMap::new(), marks: Parts::new() };
    for (name, scope) in scopes {
        carrying.carry_document(*name, *scope)?;
    }
    if scopes.values().any(|scope| matches!(scope, Scope::All)) {
        carrying.review_all()?;
    }
    for key in arrived {
        if let Some(stored) = into.1.late_edits.get(key) {
            carrying.review(&key.at, &key.parts, &stored.edit)?;
        }
    }
    carrying.finish()
}

impl Carrying<'_> {
    fn finish(self) -> Result<Vec<RootOp>> {
        let mut ops: Vec<RootOp> = self.marks.iter().map(RootOp::mark).collect();
        for (key, edit) in self.values {
            ops.push(RootOp::put(Root::Forwarded, key.to_text(), edit.to_json()?));
        }
        Ok(ops)
    }

    fn carry_document(&mut self, name: DocName, scope: Scope<'_>) -> Result<()> {
        let (Some(plan), Some(doc)) =
            (Plan::new(&self.known.def, name.epoch), self.known.doc(name))
        else {
            return Ok(());
        };
        let (mut rows, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let (mut late, mut marks) = (Vec::new(), Vec::new());
        let mut look = |root: &str, key: &str| match Root::parse(root) {
            Some(Root::Group(name)) => drop(groups.insert(name)),
            Some(Root::Forwarded) => late.extend(LateEditKey::parse(key)),
            Some(Root::Seen) => marks.extend(Part::parse(key)),
            _ => rows.extend(entry_of(root, key)),
        };
        match scope {
            Scope::All => {
                for root in doc.document.maps() {
                    doc.document.for_each::<crate::Error>(&root, |key, _| {
                        look(&root, key);
                        Ok(())
                    })?;
                }
            }
            Scope::Changed(merges) => {
                for (root, keys) in merges.iter().flat_map(|merged| &merged.changed) {
                    keys.iter().for_each(|key| look(root, key));
                }
            }
        }
        for at in rows {
            self.carry_row(name, &plan, &at)?;
        }
        for group in groups {
            self.carry_group(name, &plan, &group)?;
        }
        for key in late {
            if let Some(stored) = doc.late_edits.get(&key) {
                let is_shown = self.known.shows(name, &key)?;
                for (key, edit) in later(&plan, name, key, stored.edit.clone(), is_shown)? {
                    self.hold(key, edit)?;
                }
            }
        }
        for part in marks.into_iter().flat_map(|part| with_all_made(&plan, part)) {
            self.mark_if_it_matters(part)?;
        }
        if let Scope::Changed(merges) = scope {
            for (client, clocks) in merges.iter().flat_map(|merged| &merged.dead) {
                self.carry_dead(name, &plan, *client, clocks.clone())?;
            }
        }
        Ok(())
    }

    /// Carries what stands under a key of a table.
    fn carry_row(&mut self, name: DocName, plan: &Plan, at: &EntryRef) -> Result<()> {
        let Some(doc) = self.known.doc(name) else { return Ok(()) };
        let Some(entry) = doc.document.entry(&at.root, &at.key) else { return Ok(()) };
        let parts = self.known.parts_at(name, at)?;
        if !self.is_late(name, &parts)? {
            return Ok(());
        }
        let base = Base::Parts(Arc::new(parts));
        let values = convert(plan, name, at, base, entry.content)?;
        let mut was_given = self.was_given(name, entry.id)?;
        for value in values.iter().filter(|value| !value.is_made()) {
            was_given |= self.was_taken_over(name, at, &value.key.at)?;
        }
        for value in values {
            let (key, mut edit) = value.into_edit();
            edit.replaces = was_given && key.parts.iter().any(Part::is_ground);
            self.hold_or_end(key, edit)?;
        }
        Ok(())
    }

    /// [`hold`](Self::hold); if it is over, so is what it would take the place of.
    fn hold_or_end(&mut self, key: LateEditKey, edit: LateEdit) -> Result<()> {
        let (at, replaces) = (key.at.clone(), edit.replaces);
        if !self.hold(key, edit)? && replaces {
            self.end_copy(&at)?;
        }
        Ok(())
    }

    /// Whether parts are to be carried: some are not over, and not known to the document. Of those that
    /// are over it is said so.
    fn is_late(&mut self, name: DocName, parts: &Parts) -> Result<bool> {
        if parts.iter().all(|part| self.known.is_covered(part, name)) {
            return Ok(false);
        }
        Ok(!self.mark_over(parts, name)?)
    }

    /// Whether the migration was given what an item was written over, or what that was written over, in
    /// whichever documents.
    fn was_given(&self, name: DocName, id: ItemId) -> Result<bool> {
        let frontier = self.known.frontier(self.known.into)?;
        let mut left = vec![(name, id)];
        for _ in 0..MAX_STEPS {
            let Some((name, id)) = left.pop() else { return Ok(false) };
            let Some(doc) = self.known.doc(name) else { continue };
            let stored = doc.document.stored();
            if id.clock >= stored.clock(id.client)? {
                continue;
            }
            let Some(before) = written_over(&*stored, id)? else { continue };
            let parts = self.known.parts_of(name, before)?;
            // What waited was not given to it.
            if parts.iter().all(|part| self.known.is_covered(part, name))
                && parts.is_disjoint(frontier.others())
            {
                return Ok(true);
            }
            left.extend(parts.iter().filter_map(|part| match part.origin {
                PartOf::Edit(name, id) => Some((name, id)),
                PartOf::Made(_) => None,
            }));
        }
        Ok(false)
    }

    /// Whether the migration has taken over to a key here what stood under a key there.
    fn was_taken_over(&self, name: DocName, of: &EntryRef, at: &EntryRef) -> Result<bool> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(false) };
        let stored = into.document.stored();
        let Some(tip) = stored.tip(&at.root, &at.key)? else { return Ok(false) };
        // Whatever was written here since was written after the copy.
        let first = match stored.run(tip.id)?.place {
            Place::After { first, .. } => first,
            _ => ItemId { clock: stored.run(tip.id)?.start, ..tip.id },
        };
        let copied = self.known.copies(self.known.into).parts_of(first)?.unwrap_or_default();
        for part in copied {
            if let PartOf::Edit(document, id) = part.origin
                && (document == name
                    || self.known.claim(name).is_some_and(|claim| claim.covers(document, id)))
                && document.epoch == name.epoch
                && let Some(doc) = self.known.doc(document)
                && id.clock < doc.document.stored().clock(id.client)?
                && let there = doc.document.stored()
                && let Some((root, key)) = key_of(&*there, &there.run(id)?)?
                && entry_of(&root, &key).as_ref() == Some(of)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a function made under a key here is over.
    fn end_copy(&mut self, at: &EntryRef) -> Result<()> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(()) };
        let Some(main) = into.document.entry(&at.root, &at.key) else { return Ok(()) };
        let parts = self.known.copies(self.known.into).parts_of(main.id)?.unwrap_or_default();
        let made = parts.into_iter().filter(|part| part.is_made() && !part.is_ground());
        self.marks.extend(made);
        Ok(())
    }

    /// Holds a value beside what stands in the document, if it lacks it. Returns whether it is not over.
    fn hold(&mut self, key: LateEditKey, edit: LateEdit) -> Result<bool> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(true) };
        if into.late_edits.get(&key).is_some() || self.values.contains_key(&key) {
            return Ok(true);
        }
        if self.known.was_made_of(&key.parts)? || self.mark_over(&key.parts, edit.from)? {
            return Ok(false);
        }
        let main = into.document.entry(&key.at.root, &key.at.key);
        let copied = main.map(|main| self.known.copies(self.known.into).parts_of(main.id));
        let copied = copied.transpose()?.flatten().unwrap_or_default();
        let says = |parts: &Parts| -> Parts {
            parts.iter().filter(|part| !part.is_ground()).cloned().collect()
        };
        if says(&copied) != says(&key.parts) {
            self.values.insert(key, edit);
        }
        Ok(true)
    }

    /// Says which of these parts are over, unless the document says so alone. Returns whether what stands
    /// for them is: all are, or what it was made of. `holder` is the document that has it.
    fn mark_over(&mut self, parts: &Parts, holder: DocName) -> Result<bool> {
        let (grounds, parts): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| part.is_ground());
        let mut is_over = false;
        for ground in &grounds {
            if self.known.is_marked_here(ground)? {
                is_over = true;
            } else if self.known.is_ground_over(ground)? {
                is_over = true;
                self.marks.insert((*ground).clone());
            }
        }
        // The migration of the holder has made what is not known to be made of something.
        let maker = Some(holder).filter(|_| grounds.is_empty());
        let mut are_all_over = !parts.is_empty();
        for part in parts {
            if self.known.is_over_alone(part)? {
                continue;
            }
            if self.known.is_over_elsewhere(part, maker)? {
                self.marks.insert(part.clone());
            } else {
                are_all_over = false;
            }
        }
        Ok(is_over || are_all_over)
    }

    /// Takes over a mark, unless the document says the same already.
    fn mark_if_it_matters(&mut self, part: Part) -> Result<()> {
        if !self.known.is_over_alone(&part)? {
            self.marks.insert(part);
        }
        Ok(())
    }

    /// Says what is over because items of a document are dead.
    fn carry_dead(
        &mut self,
        name: DocName,
        plan: &Plan,
        client: u64,
        clocks: Range<u32>,
    ) -> Result<()> {
        let into = self.known.into;
        let Some(doc) = self.known.doc(name) else { return Ok(()) };
        // What they were copies of.
        if let Some(claim) = self.known.claim(name)
            && claim.client == client
        {
            let frontier = self.known.frontier(name)?;
            let ends = frontier.copies().end.min(claim.baseline);
            for clock in clocks.start..clocks.end.min(ends) {
                if let Some(parts) = frontier.parts_of(clock) {
                    self.mark_over(&parts, name)?;
                }
            }
        }
        // What the document has of them.
        let listed = self.known.frontier(into)?;
        for copy in listed.copies_in(name, client, clocks.clone()) {
            if let Some(parts) = listed.parts_of(copy) {
                self.mark_over(&parts, into)?;
            }
        }
        let Some(here) = self.known.doc(into) else { return Ok(()) };
        for origin in here.late_edits.origins_in(name, client, clocks.clone()) {
            self.mark_over_of(here, origin)?;
        }
        for origin in listed.origins_in(name, client, clocks.clone()) {
            self.mark_over(&listed.open_parts_of(origin), into)?;
        }
        // What no claim knew, should an old copy of the document come again.
        let stored = doc.document.stored();
        let mut dead = Vec::new();
        let from = ItemId { client, clock: clocks.start };
        if clocks.start >= stored.clock(client)? {
            return Ok(());
        }
        stored.runs_from(from, &mut |run| {
            let run_end = run.start.saturating_add(run.len);
            let within = run.start.max(clocks.start)..run_end.min(clocks.end);
            if !within.is_empty()
                && let Some((root, key)) = key_of(&*stored, &run)?
                && entry_of(&root, &key).is_some()
            {
                dead.push(within.start.max(within.end.saturating_sub(MAX_DEAD))..within.end);
            }
            Ok(())
        })?;
        for clock in dead.into_iter().flatten() {
            let id = ItemId { client, clock };
            let part = Part::edit(name, id);
            let is_copy = self.known.claim(name).is_some_and(|claim| claim.is_copy(id));
            if !is_copy && !self.known.is_covered(&part, name) {
                self.mark_over(&with_all_made(plan, part).collect(), name)?;
            }
        }
        Ok(())
    }

    /// Says which of the parts of late edits of an origin are over.
    fn mark_over_of(&mut self, here: &Loaded, origin: PartOf) -> Result<()> {
        for at in here.late_edits.entries_of(origin) {
            for (parts, stored) in here.late_edits.at(at) {
                self.review(at, parts, &stored.edit)?;
            }
        }
        Ok(())
    }

    /// Says what of a late edit is over.
    fn review(&mut self, at: &EntryRef, parts: &Parts, edit: &LateEdit) -> Result<()> {
        let into = self.known.into;
        // Once the row is removed that it was made of, what was made before does not come up again.
        if self.mark_over(parts, edit.from)?
            && edit.replaces
            && let Some(from) = self.known.doc(edit.from).filter(|_| edit.from != into)
            && from.document.entry(&edit.of.root, &edit.of.key).is_none()
        {
            self.end_copy(at)?;
        }
        Ok(())
    }

    /// Looks at everything that the document has of others.
    fn review_all(&mut self) -> Result<()> {
        let into = self.known.into;
        let Some(here) = self.known.doc(into) else { return Ok(()) };
        for (key, stored) in here.late_edits.iter() {
            self.review(&key.at, &key.parts, &stored.edit)?;
        }
        let Some(claim) = self.known.claim(into) else { return Ok(()) };
        let frontier = self.known.frontier(into)?;
        let stored = here.document.stored();
        for clock in frontier.copies() {
            let id = ItemId { client: claim.client, clock };
            if clock < stored.clock(id.client)?
                && !stored.is_dead(id)?
                && let Some(parts) = frontier.parts_of(clock)
            {
                self.mark_over(&parts, into)?;
            }
        }
        Ok(())
    }
}

/// A part, and all that `migrate` functions make of it on the way here: what speaks of it in a document of
/// before means both.
pub(super) fn with_all_made(plan: &Plan, part: Part) -> impl Iterator<Item = Part> {
    let functions = plan.stretches.iter().filter(|stretch| stretch.migrate.is_some());
    let made = functions.map({
        let part = part.clone();
        move |stretch| part.clone().all_made(stretch.to.epoch)
    });
    std::iter::once(part).chain(made)
}

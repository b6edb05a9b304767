//! Carrying late edits: what was written to a document after it was migrated, or beside it.
//!
//! The values to carry follow from the documents alone, so that any device finds the same, and as often
//! as it looks: the values that the document lacks, and marks of what is over. `docs/design/late-edits.md`
//! states the rule.

mod groups;
mod made;
mod over;
mod values;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use over::Known;
use values::convert;
pub(super) use values::{Outcome, Value, later};

use crate::doc::items::ReadItems;
use crate::doc::{Root, key_of};
use crate::engine::{
    Base, Claims, DocName, Document, Engine, LateEdit, LateEditKey, LateEdits, Loaded, MARK,
    OtherMerged, Part, PartOf, Parts, RootOp, entry_of, parse_taken_in, taken_in_key,
};
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};
use crate::schema::descriptor::StoreDef;

/// Of so many items of one key that are dead, and that no claim knew, it is said one by one that they are
/// over: the newest of them.
const MAX_DEAD: u32 = 1 << 10;

/// The part of a document to look at.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// All of it, where it is not known what has changed.
    All,
    /// The entries that merges have changed.
    Changed(&'s [OtherMerged]),
}

/// The carrying of late edits into a document.
pub(super) struct Carrying<'k> {
    known: Known<'k>,
    values: BTreeMap<LateEditKey, LateEdit>,
    /// The rows that functions make of late edits, and that are over.
    over: Vec<(LateEditKey, LateEdit)>,
    marks: Parts,
    /// The documents that are taken in.
    taken_in: BTreeSet<DocName>,
    /// The entries that functions have made.
    made: BTreeSet<EntryRef>,
}

/// Writes to a document the values of others, and of late edits that have come to it.
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
    let mut carrying = Carrying {
        known,
        values: BTreeMap::new(),
        over: Vec::new(),
        marks: Parts::new(),
        taken_in: BTreeSet::new(),
        made: BTreeSet::new(),
    };
    for (name, scope) in scopes {
        carrying.carry_document(*name, *scope)?;
    }
    if scopes.values().any(|scope| matches!(scope, Scope::All)) {
        carrying.review_all()?;
    }
    for key in arrived {
        if into.1.late_edits.get(key).is_some() {
            carrying.review(&key.at, &key.parts)?;
        }
    }
    carrying.give_again(arrived)?;
    carrying.leave_out_of_waiting()?;
    carrying.end_replaced()?;
    carrying.finish()
}

/// Whether a document says alone that an edit of another one is over, so that nothing is lost if that one
/// loses it.
pub(super) fn is_decided(
    engine: &Engine,
    claims: &Claims,
    (name, document): (DocName, &Document),
    of: DocName,
    id: ItemId,
) -> Result<bool> {
    let loaded = Loaded { document: document.clone(), late_edits: LateEdits::default() };
    let others = BTreeMap::new();
    let known = Known::new(engine, engine.def, claims, (name, &loaded), &others);
    for part in known.parts_of(of, id)? {
        if !known.is_over_alone(&part)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Carrying<'_> {
    fn finish(self) -> Result<Vec<RootOp>> {
        let mut ops: Vec<RootOp> = self.marks.iter().map(RootOp::mark).collect();
        for name in self.taken_in {
            if !self.known.says_alone(name)? {
                ops.push(RootOp::put(Root::Seen, taken_in_key(name), MARK.to_owned()));
            }
        }
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
        self.taken_in.extend(name.claim.map(|_| name));
        let (mut rows, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let (mut late, mut marks) = (Vec::new(), Vec::new());
        let mut look = |root: &str, key: &str| match Root::parse(root) {
            Some(Root::Group(name)) => drop(groups.insert(name)),
            Some(Root::Forwarded) => late.extend(LateEditKey::parse(key)),
            Some(Root::Seen) => {
                marks.extend(Part::parse(key));
                self.taken_in.extend(parse_taken_in(key));
            }
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
        if !self.is_late(&parts)? {
            return Ok(());
        }
        let base = Base::Parts(Arc::new(parts));
        for value in convert(plan, name, at, base, entry.content)? {
            let (key, edit) = value.into_edit();
            self.hold(key, edit)?;
        }
        Ok(())
    }

    /// Whether parts are to be carried: some are not over, and not known to the document. Of those that
    /// are over it is said so.
    fn is_late(&mut self, parts: &Parts) -> Result<bool> {
        if parts.iter().all(|part| self.known.is_covered(part)) {
            return Ok(false);
        }
        Ok(!self.mark_over(parts)?)
    }

    /// Holds a value beside what stands in the document, if it lacks it.
    fn hold(&mut self, key: LateEditKey, edit: LateEdit) -> Result<()> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(()) };
        if into.late_edits.get(&key).is_some() || self.values.contains_key(&key) {
            return Ok(());
        }
        let is_of_late = made::is_of_late(&key.parts);
        if is_of_late || key.parts.iter().any(Part::is_made) {
            self.made.insert(key.at.clone());
        }
        if self.known.was_made_of(&key.parts)? || self.mark_over(&key.parts)? {
            self.over.extend(is_of_late.then_some((key, edit)));
        } else if !self.is_copied(&key)? {
            self.mark_known_over(&key.parts)?;
            self.values.insert(key, edit);
        }
        Ok(())
    }

    /// Marks those of several parts that are over by the claim or a copy of the document: what shows is
    /// decided by marks alone.
    fn mark_known_over(&mut self, parts: &Parts) -> Result<()> {
        if parts.len() < 2 {
            return Ok(());
        }
        for part in parts.iter().filter(|part| !part.is_ground()) {
            if !self.known.is_marked_here(part)? && self.known.is_over_alone(part)? {
                self.marks.insert(part.clone());
            }
        }
        Ok(())
    }

    /// Whether the document has a copy of the same.
    fn is_copied(&self, LateEditKey { at, parts }: &LateEditKey) -> Result<bool> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(false) };
        let Some(main) = into.document.entry(&at.root, &at.key) else { return Ok(false) };
        let copied = self.known.copies(self.known.into).parts_of(main.id)?.unwrap_or_default();
        for part in &copied {
            if self.known.is_marked_here(part)? {
                return Ok(false);
            }
        }
        let by_any = |parts: &Parts| parts.iter().cloned().map(Part::by_any_run).collect::<Parts>();
        Ok(by_any(&copied) == by_any(parts))
    }

    /// Says which of these parts are over, unless the document says so alone. Returns whether what stands
    /// for them is: all are, or what it was made of.
    fn mark_over(&mut self, parts: &Parts) -> Result<bool> {
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
        let mut are_all_over = !parts.is_empty();
        for part in parts {
            if self.known.is_over_alone(part)? {
                continue;
            }
            match self.known.is_over_elsewhere(part)? {
                Some(over) => drop(self.marks.insert(over)),
                None => are_all_over = false,
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
        // The parts that they were copies of.
        if let Some(claim) = self.known.claim(name)
            && claim.client == client
        {
            let frontier = self.known.frontier(name)?;
            let ends = frontier.copies().end.min(claim.baseline);
            let copies = self.known.copies(name);
            for clock in clocks.start..clocks.end.min(ends) {
                if let Some(parts) = copies.parts_of(ItemId { client, clock })? {
                    self.mark_over(&parts)?;
                    parts.iter().try_for_each(|part| self.review_origin(part.origin))?;
                }
            }
        }
        // The parts of them that the document has.
        let listed = self.known.frontier(into)?;
        let (copies, by) = (self.known.copies(into), self.known.claim(into).map(|it| it.client));
        for (copy, client) in
            listed.copies_in(name, client, clocks.clone()).zip(by.into_iter().cycle())
        {
            if let Some(parts) = copies.parts_of(ItemId { client, clock: copy })? {
                self.mark_over(&parts)?;
            }
        }
        let Some(here) = self.known.doc(into) else { return Ok(()) };
        for origin in here.late_edits.origins_in(name, client, clocks.clone()) {
            self.mark_over_of(here, origin)?;
        }
        for origin in listed.origins_in(name, client, clocks.clone()) {
            self.mark_over(&listed.open_parts_of(origin))?;
            self.review_origin(origin)?;
        }
        // The parts that no claim knew, should an old copy of the document come again.
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
            if !is_copy && !self.known.is_covered(&part) {
                self.mark_over(&with_all_made(plan, part).collect())?;
            }
        }
        Ok(())
    }

    /// Says what is over of all that stands for an origin, which is over itself: of a removed row with cells,
    /// the counts do not die.
    fn review_origin(&mut self, origin: PartOf) -> Result<()> {
        let into = self.known.into;
        let Some(here) = self.known.doc(into) else { return Ok(()) };
        self.mark_over_of(here, origin)?;
        let Some(client) = self.known.claim(into).map(|claim| claim.client) else {
            return Ok(());
        };
        let copies = self.known.copies(into);
        for clock in self.known.frontier(into)?.copies_of(origin) {
            if let Some(parts) = copies.parts_of(ItemId { client, clock })? {
                self.mark_over(&parts)?;
            }
        }
        Ok(())
    }

    /// Says what is over under the keys of late edits of an origin. If one goes that could not be converted,
    /// so may the copy that it has not replaced.
    fn mark_over_of(&mut self, here: &Loaded, origin: PartOf) -> Result<()> {
        let into = self.known.into;
        for at in here.late_edits.entries_of(origin) {
            if let Some(main) = here.document.entry(&at.root, &at.key)
                && let Some(parts) = self.known.copies(into).parts_of(main.id)?
            {
                self.mark_over(&parts)?;
            }
            for (parts, _) in here.late_edits.at(at) {
                self.review(at, parts)?;
            }
        }
        Ok(())
    }

    /// Says what of a late edit is over.
    fn review(&mut self, at: &EntryRef, parts: &Parts) -> Result<()> {
        if parts.iter().any(|part| part.is_made() || part.is_ground()) {
            self.made.insert(at.clone());
        }
        self.mark_known_over(parts)?;
        self.mark_over(parts).map(drop)
    }

    /// Looks at everything that the document has of others.
    fn review_all(&mut self) -> Result<()> {
        let into = self.known.into;
        let Some(here) = self.known.doc(into) else { return Ok(()) };
        for (key, _) in here.late_edits.iter() {
            self.review(&key.at, &key.parts)?;
        }
        let Some(claim) = self.known.claim(into) else { return Ok(()) };
        let (frontier, copies) = (self.known.frontier(into)?, self.known.copies(into));
        let stored = here.document.stored();
        for clock in frontier.copies() {
            let id = ItemId { client: claim.client, clock };
            if clock < stored.clock(id.client)?
                && !stored.is_dead(id)?
                && let Some(parts) = copies.parts_of(id)?
            {
                self.mark_over(&parts)?;
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

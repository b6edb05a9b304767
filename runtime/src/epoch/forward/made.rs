//! The rows that `migrate` functions make of late edits, in the place of those that they have made before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Carrying;
use super::values::convert;
use crate::doc::items::ReadItems;
use crate::doc::{Root, key_of, written_over};
use crate::engine::{
    Base, Claim, DocName, LateEdit, LateEditKey, Marks, Part, PartOf, Parts, Split, entry_of,
};
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};

/// So many writes of a row are gone back to find what a migration was given of it.
const MAX_STEPS: usize = 1 << 10;

/// Whether a function has made a value of a late edit.
pub(super) fn is_of_late(parts: &Parts) -> bool {
    parts.iter().any(Part::is_ground)
}

/// Whether a migration has made a value of all rows.
fn is_of_all(parts: &Parts) -> bool {
    parts.iter().all(|part| part.is_made() && !part.is_ground())
}

/// A row that a migration has made of all rows.
struct Made {
    part: Part,
    run: DocName,
    is_copy: bool,
}

/// A row that a function has made of a late edit.
type OfLate = (LateEditKey, LateEdit);

impl Carrying<'_> {
    /// Ends what migrations have made under the keys at which something is made of late edits now, if those
    /// were written by who knew what the migration had been given.
    pub(super) fn end_replaced(&mut self) -> Result<()> {
        let mut beside = self.of_late_beside()?;
        for at in std::mem::take(&mut self.made) {
            let mut of_late = self.of_late(&at);
            of_late.extend(beside.remove(&at).into_iter().flatten());
            if of_late.is_empty() {
                continue;
            }
            let made = self.made_at(&at)?;
            for (key, edit) in &of_late {
                for Made { part, run, is_copy } in &made {
                    let is_same = key.parts.contains(&part.clone().by_any_run());
                    let replaces = || -> Result<bool> {
                        Ok(self.was_ended(&key.parts, part, *run)?
                            || self.replaces(&key.parts, edit, *run, *is_copy)?)
                    };
                    if !is_same && replaces()? {
                        self.marks.insert(part.clone());
                    }
                }
            }
            // A row that the document has itself is not written once more.
            let stays = made.iter().filter(|it| it.is_copy && !self.marks.contains(&it.part));
            let stays: Parts = stays.map(|it| it.part.clone().by_any_run()).collect();
            for (key, _) in of_late.iter().filter(|(key, _)| !key.parts.is_disjoint(&stays)) {
                self.values.remove(key);
            }
        }
        Ok(())
    }

    /// Returns edits that another migration did not know, under the keys of the rows that come here of them:
    /// they may not be late for the document that is carried into.
    fn of_late_beside(&self) -> Result<BTreeMap<EntryRef, Vec<OfLate>>> {
        let mut beside: BTreeMap<EntryRef, Vec<OfLate>> = BTreeMap::new();
        let of_all = self.values.keys().filter(|key| is_of_all(&key.parts));
        let of_all: Vec<&LateEditKey> = of_all.collect();
        let runs = of_all.iter().flat_map(|key| &key.parts).filter_map(Part::run);
        let claims: Vec<&Claim> = runs.filter_map(|run| self.known.claim(run)).collect();
        if claims.is_empty() {
            return Ok(beside);
        }
        let is_late = |part: &Part| match part.origin {
            PartOf::Edit(document, id) => claims.iter().any(|it| !it.covers(document, id)),
            PartOf::Made(_) => false,
        };
        for (name, doc) in &self.known.docs {
            let Some(plan) = Plan::new(&self.known.def, name.epoch) else { continue };
            if !plan.stretches.iter().any(|stretch| stretch.migrate.is_some()) {
                continue;
            }
            for root in doc.document.maps() {
                if !matches!(Root::parse(&root), Some(Root::Table(_))) {
                    continue;
                }
                doc.document.for_each::<crate::Error>(&root, |key, entry| {
                    let at = EntryRef::new(&*root, key);
                    let parts = self.known.parts_at(*name, &at)?;
                    if !parts.iter().any(is_late) {
                        return Ok(());
                    }
                    let base = Base::Parts(Arc::new(parts));
                    for value in convert(&plan, *name, &at, base, entry.content)? {
                        let (key, edit) = value.into_edit();
                        if is_of_late(&key.parts) && of_all.iter().any(|it| it.at == key.at) {
                            beside.entry(key.at.clone()).or_default().push((key, edit));
                        }
                    }
                    Ok(())
                })?;
            }
        }
        Ok(beside)
    }

    /// Returns the rows that functions have made of late edits under a key.
    fn of_late(&self, at: &EntryRef) -> Vec<OfLate> {
        let mut all = Vec::new();
        if let Some(into) = self.known.doc(self.known.into) {
            let key = |parts: &Parts| LateEditKey { at: at.clone(), parts: parts.clone() };
            let stored = into.late_edits.at(at);
            all.extend(stored.map(|(parts, stored)| (key(parts), stored.edit.clone())));
        }
        let over = self.over.iter().filter(|(key, _)| key.at == *at);
        all.extend(over.cloned());
        all.extend(self.values_at(at).map(|(key, edit)| (key.clone(), edit.clone())));
        all.retain(|(key, _)| is_of_late(&key.parts));
        all
    }

    pub(super) fn values_at(
        &self,
        at: &EntryRef,
    ) -> impl Iterator<Item = (&LateEditKey, &LateEdit)> {
        let first = LateEditKey { at: at.clone(), parts: Parts::new() };
        self.values.range(first..).take_while(move |(key, _)| key.at == *at)
    }

    /// Returns the rows that migrations have made under a key, and that are not over yet.
    fn made_at(&self, at: &EntryRef) -> Result<Vec<Made>> {
        let Some(into) = self.known.doc(self.known.into) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        let mut add = |parts: &Parts, is_copy| {
            if !is_of_all(parts) {
                return Ok(());
            }
            for part in parts {
                if let Some(run) = part.run()
                    && !self.known.is_marked_here(part)?
                {
                    all.push(Made { part: part.clone(), run, is_copy });
                }
            }
            Ok::<_, crate::Error>(())
        };
        if let Some(main) = into.document.entry(&at.root, &at.key)
            && let Some(parts) = self.known.copies(self.known.into).parts_of(main.id)?
        {
            add(&parts, true)?;
        }
        for (parts, _) in into.late_edits.at(at) {
            add(parts, false)?;
        }
        for (key, _) in self.values_at(at) {
            add(&key.parts, false)?;
        }
        Ok(all)
    }

    /// Whether the same content of another migration was ended here, and this migration did not know of the
    /// edits either: their documents may have been given up since.
    fn was_ended(&self, parts: &Parts, made: &Part, run: DocName) -> Result<bool> {
        let Some(claim) = self.known.claim(run) else { return Ok(false) };
        let knows = |part: &Part| match part.origin {
            PartOf::Edit(document, id) => claim.covers(document, id),
            PartOf::Made(_) => false,
        };
        if parts.iter().filter(|part| part.is_ground()).any(knows) {
            return Ok(false);
        }
        for by in self.known.claims.keys().filter(|by| **by != run) {
            let split = vec![Split::Run { by: *by }];
            let same = Part { origin: made.origin, split };
            if self.known.is_exactly_marked_here(&same)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a late edit was written over what a migration had been given.
    fn replaces(
        &self,
        parts: &Parts,
        edit: &LateEdit,
        run: DocName,
        is_copy: bool,
    ) -> Result<bool> {
        let goes_on = match Root::parse(&edit.of.root) {
            // The conversion of a group is given all of its entries.
            Some(Root::Group(_)) => return Ok(is_copy),
            Some(Root::Table(table)) => {
                let plan = Plan::new(&self.known.def, edit.from.epoch);
                plan.is_none_or(|plan| {
                    plan.to.tables.iter().any(|now| plan.follows(now.name, &table))
                })
            }
            _ => return Ok(false),
        };
        for ground in parts.iter().filter(|part| part.is_ground()) {
            if let PartOf::Edit(name, id) = ground.origin
                && self.knew(name, id, run, goes_on)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an item was written over what a migration had been given, or what that was written over, in
    /// whichever documents. Of rows that go on, the migration has copies; of others, its claim has to tell.
    fn knew(&self, name: DocName, id: ItemId, run: DocName, goes_on: bool) -> Result<bool> {
        let frontier = self.known.frontier(run)?;
        let claim = self.known.claim(run);
        let was_given = |part: &Part| match part.origin {
            _ if goes_on => !frontier.copies_of(part.origin).is_empty(),
            PartOf::Edit(document, id) => {
                claim.is_some_and(|claim| claim.covers(document, id))
                    && !frontier.others().contains(part)
            }
            PartOf::Made(_) => false,
        };
        let mut left = vec![(name, id)];
        for _ in 0..MAX_STEPS {
            let Some((name, id)) = left.pop() else { return Ok(false) };
            let Some(doc) = self.known.doc(name) else { continue };
            let stored = doc.document.stored();
            if id.clock >= stored.clock(id.client)? {
                continue;
            }
            let mut parts = match written_over(&*stored, id)? {
                Some(before) => self.known.parts_of(name, before)?,
                None => Parts::new(),
            };
            // A value of another document that showed there is marked by the write over it.
            if let Some((root, key)) = key_of(&*stored, &stored.run(id)?)?
                && let Some(at) = entry_of(&root, &key)
            {
                for part in doc.late_edits.at(&at).flat_map(|(parts, _)| parts) {
                    if doc.document.is_marked(part)? {
                        parts.insert(part.clone());
                    }
                }
            }
            if parts.iter().any(was_given) {
                return Ok(true);
            }
            left.extend(parts.iter().filter_map(|part| match part.origin {
                PartOf::Edit(name, id) => Some((name, id)),
                PartOf::Made(_) => None,
            }));
        }
        Ok(false)
    }
}

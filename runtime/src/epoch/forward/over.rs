//! Whether a part of an edit is over: the one predicate of `docs/design/late-edits.md`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::values::{Outcome, convert};
use crate::doc::items::ReadItems;
use crate::doc::{is_removed_count, key_of};
use crate::engine::{
    Base, Claim, Claims, Copies, DocName, Engine, Frontier, LateEditKey, Loaded, Marks, Part,
    PartOf, Parts, Showing, Split, entry_of, taken_in_key,
};
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};
use crate::schema::descriptor::StoreDef;

/// All that is known here of edits and of what became of them: the documents that the code reads, and all
/// claims.
pub(super) struct Known<'k> {
    pub(super) engine: &'k Engine,
    pub(super) claims: &'k Claims,
    /// The document that is carried into.
    pub(super) into: DocName,
    pub(super) docs: BTreeMap<DocName, &'k Loaded>,
    /// The code of its epoch.
    pub(super) def: StoreDef,
    unconvertible: RefCell<BTreeMap<(DocName, EntryRef), bool>>,
    counting: RefCell<BTreeMap<DocName, bool>>,
}

impl<'k> Known<'k> {
    pub(super) fn new(
        engine: &'k Engine,
        def: StoreDef,
        claims: &'k Claims,
        into: (DocName, &'k Loaded),
        others: &'k BTreeMap<DocName, Loaded>,
    ) -> Self {
        let below = others.iter().filter(|(name, _)| **name < into.0);
        let mut docs: BTreeMap<DocName, &Loaded> = below.map(|(name, it)| (*name, it)).collect();
        docs.insert(into.0, into.1);
        let (unconvertible, counting) = (RefCell::default(), RefCell::default());
        Self { engine, claims, into: into.0, docs, def, unconvertible, counting }
    }

    pub(super) fn doc(&self, name: DocName) -> Option<&'k Loaded> {
        self.docs.get(&name).copied()
    }

    pub(super) fn claim(&self, name: DocName) -> Option<&'k Claim> {
        self.claims.get(&name)
    }

    /// The claims that count: of documents that are here, or that one which is here has taken in.
    fn counting_claims(&self) -> Result<Vec<(DocName, &'k Claim)>> {
        let mut counting = Vec::new();
        for (name, claim) in self.claims {
            if name.epoch > self.engine.def.epoch {
                continue;
            }
            let known = self.counting.borrow().get(name).copied();
            let counts = match known {
                Some(counts) => counts,
                None => self.docs.contains_key(name) || self.is_taken_in(*name)?,
            };
            self.counting.borrow_mut().insert(*name, counts);
            if counts {
                counting.push((*name, claim));
            }
        }
        Ok(counting)
    }

    fn is_taken_in(&self, name: DocName) -> Result<bool> {
        for doc in self.docs.values() {
            if doc.document.has_mark(&taken_in_key(name))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the document that is carried into says all that the claim of another one says.
    pub(super) fn says_alone(&self, name: DocName) -> Result<bool> {
        if let (Some(claim), Some(other)) = (self.claim(self.into), self.claim(name))
            && claim.covers_all_of(other, self.claims)
        {
            return Ok(true);
        }
        self.doc(self.into).map_or(Ok(false), |into| into.document.has_mark(&taken_in_key(name)))
    }

    pub(super) fn copies(&self, name: DocName) -> Copies<'k> {
        self.engine.copies(name, self.claim(name))
    }

    pub(super) fn frontier(&self, name: DocName) -> Result<Arc<Frontier>> {
        self.engine.frontier(name)
    }

    /// Returns the parts that the entry under a key of a document stands for; none if there is no entry.
    pub(super) fn parts_at(&self, name: DocName, at: &EntryRef) -> Result<Parts> {
        let Some(doc) = self.doc(name) else { return Ok(Parts::new()) };
        let Some(entry) = doc.document.entry(&at.root, &at.key) else { return Ok(Parts::new()) };
        let mut parts = self.parts_of(name, entry.id)?;
        let cells = doc.document.cells(&at.root, &at.key);
        parts.extend(cells.into_iter().map(|cell| Part::edit(name, cell.id)));
        Ok(parts)
    }

    /// Returns the parts of an item: a copy stands for those it is a copy of, an edit for itself.
    pub(super) fn parts_of(&self, name: DocName, id: ItemId) -> Result<Parts> {
        let copied = self.copies(name).parts_of(id)?;
        Ok(copied.unwrap_or_else(|| Parts::from([Part::edit(name, id)])))
    }

    /// Whether a late edit shows in a document.
    pub(super) fn shows(&self, name: DocName, key: &LateEditKey) -> Result<bool> {
        let Some(doc) = self.doc(name) else { return Ok(false) };
        let main = doc.document.entry(&key.at.root, &key.at.key).map(|entry| entry.id);
        let copies = self.copies(name);
        let standing = doc.late_edits.standing(&doc.document, copies, &key.at, main)?;
        Ok(match standing.shown {
            Showing::Late(late) => late.parts == key.parts,
            Showing::Main | Showing::Nothing => false,
        })
    }

    /// Whether the claim of the document that is carried into knew a part.
    pub(super) fn is_covered(&self, part: &Part) -> bool {
        let Some(claim) = self.claim(self.into) else { return false };
        match part.origin {
            PartOf::Edit(document, id) => claim.covers(document, id),
            PartOf::Made(_) => part
                .run()
                .and_then(|run| self.claim(run))
                .is_some_and(|run| self.was_given_all(self.into, claim, run)),
        }
    }

    /// Whether a migration was given all that another one knew: nothing of that waited.
    fn was_given_all(&self, name: DocName, claim: &Claim, other: &Claim) -> bool {
        let waited = |part: &Part| match part.origin {
            PartOf::Edit(document, id) => other.covers(document, id),
            PartOf::Made(_) => false,
        };
        claim.covers_all_of(other, self.claims)
            && self.frontier(name).is_ok_and(|frontier| !frontier.others().iter().any(waited))
    }

    /// Whether the document that is carried into says so alone.
    pub(super) fn is_over_alone(&self, part: &Part) -> Result<bool> {
        let Some(into) = self.doc(self.into) else { return Ok(false) };
        if into.document.is_marked(part)? || self.has_replaced(self.into, part)? {
            return Ok(true);
        }
        let is_covered = match (self.claim(self.into), part.origin) {
            (Some(claim), PartOf::Edit(document, id)) => claim.covers(document, id),
            _ => false,
        };
        Ok(is_covered && !self.lists(self.into, part)?)
    }

    /// Whether the document that is carried into has a mark of a part.
    pub(super) fn is_marked_here(&self, part: &Part) -> Result<bool> {
        self.doc(self.into).map_or(Ok(false), |into| into.document.is_marked(part))
    }

    /// Whether it has that very mark, and not one of a part that contains it.
    pub(super) fn is_exactly_marked_here(&self, part: &Part) -> Result<bool> {
        self.doc(self.into).map_or(Ok(false), |into| into.document.has_mark(&part.to_text()))
    }

    /// Whether an edit is over of which a `migrate` function has made something. Claims do not count: each
    /// migration that knew the edit has made the same of it.
    pub(super) fn is_ground_over(&self, part: &Part) -> Result<bool> {
        for (name, doc) in &self.docs {
            if *name != self.into && doc.document.is_marked(part)? {
                return Ok(true);
            }
            if self.has_replaced(*name, part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a migration was given all that something was made of, and something else came of it.
    pub(super) fn was_made_of(&self, parts: &Parts) -> Result<bool> {
        let (grounds, parts): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| part.is_ground());
        let epochs = grounds.iter().flat_map(|part| &part.split).filter_map(|split| match split {
            Split::Made(epoch, ..) => Some(*epoch),
            Split::Table(_) | Split::Run { .. } => None,
        });
        let Some(epoch) = epochs.max() else { return Ok(false) };
        for (name, claim) in self.counting_claims()? {
            if !(epoch..=self.engine.def.epoch).contains(&name.epoch) {
                continue;
            }
            let frontier = self.frontier(name)?;
            // An edit that waited was known, and not given to the function.
            let was_given = |part: &Part| match part.origin {
                PartOf::Edit(document, id) => {
                    claim.covers(document, id)
                        && !frontier.others().iter().any(|other| other.origin == part.origin)
                }
                PartOf::Made(_) => false,
            };
            if grounds.iter().all(|part| was_given(part)) {
                let is_open = |part: &Part| !frontier.open_parts_of(part.origin).is_empty();
                if !parts.iter().any(|part| is_open(part)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Returns the part that is over because another document or its claim says so: this part, or the same by
    /// whichever migration it was made.
    pub(super) fn is_over_elsewhere(&self, part: &Part) -> Result<Option<Part>> {
        for (name, doc) in self.docs.iter().filter(|(name, _)| **name != self.into) {
            if self.has_replaced(*name, part)? {
                return Ok(Some(part.clone().by_any_run()));
            }
            if doc.document.is_marked(part)? {
                return Ok(Some(part.clone()));
            }
        }
        for (name, claim) in self.counting_claims()? {
            if name != self.into && self.ends(name, claim, part)? {
                return Ok(Some(part.clone()));
            }
        }
        Ok(None)
    }

    /// Whether a claim knew a part, and that it is over.
    fn ends(&self, name: DocName, claim: &Claim, part: &Part) -> Result<bool> {
        let is_covered = match part.origin {
            PartOf::Edit(document, id) => claim.covers(document, id),
            // A row that a function made of less is over where it was given more.
            PartOf::Made(_) => part
                .run()
                .zip(part.run().and_then(|run| self.claim(run)))
                .is_some_and(|(run, of)| {
                    name != run
                        && name.epoch >= run.epoch
                        && self.was_given_all(name, claim, of)
                        && (name > run || !of.covers_all_of(claim, self.claims))
                }),
        };
        Ok(is_covered && !self.lists(name, part)?)
    }

    /// Whether a claim left a part open.
    fn lists(&self, name: DocName, part: &Part) -> Result<bool> {
        let (part, epoch) = (part.clone().by_any_run(), name.epoch);
        let mut open = self.frontier(name)?.open_parts_of(part.origin).into_iter();
        Ok(open.any(|listed| {
            let listed = listed.by_any_run();
            listed.contains(&part, epoch) || part.contains(&listed, epoch)
        }))
    }

    /// Whether what stood for a part in a document was written over or removed there.
    fn has_replaced(&self, name: DocName, part: &Part) -> Result<bool> {
        let Some(doc) = self.doc(name) else { return Ok(false) };
        let stored = doc.document.stored();
        if let PartOf::Edit(document, id) = part.origin
            && document == name
        {
            if id.clock >= stored.clock(id.client)? {
                return Ok(false);
            }
            if !stored.is_dead(id)? {
                let key = key_of(&*stored, &stored.run(id)?)?;
                return key.map_or(Ok(false), |(root, key)| {
                    is_removed_count(&*stored, id, (&root, &key))
                });
            }
            return Ok(!self.is_replaced_by_unreadable(name, doc, id)?);
        }
        let Some(claim) = self.claim(name) else { return Ok(false) };
        let frontier = self.frontier(name)?;
        let part = part.clone().by_any_run();
        for clock in frontier.copies_of(part.origin) {
            let id = ItemId { client: claim.client, clock };
            if clock >= stored.clock(id.client)?
                || !stored.is_dead(id)?
                || self.is_replaced_by_unreadable(name, doc, id)?
            {
                continue;
            }
            for listed in self.copies(name).parts_of(id)?.unwrap_or_default() {
                // If what this migration made was over, that says nothing of what others made.
                let was_over =
                    listed.run().is_some() && doc.document.has_mark(&listed.to_text())?;
                if !was_over && listed.by_any_run().contains(&part, name.epoch) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether an edit was written over by one that this epoch cannot convert: that replaces nothing.
    fn is_replaced_by_unreadable(&self, name: DocName, doc: &Loaded, id: ItemId) -> Result<bool> {
        if name.epoch == self.def.epoch {
            return Ok(false);
        }
        let stored = doc.document.stored();
        let Some((root, key)) = key_of(&*stored, &stored.run(id)?)? else { return Ok(false) };
        let Some(at) = entry_of(&root, &key) else { return Ok(false) };
        let known = self.unconvertible.borrow().get(&(name, at.clone())).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let entry = doc.document.entry(&at.root, &at.key);
        let is_rejected = match (entry, Plan::new(&self.def, name.epoch)) {
            (Some(entry), Some(plan)) => {
                let base = Base::Edit(name, entry.id);
                let values = convert(&plan, name, &at, base, entry.content)?;
                let is_rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
                values.iter().any(|value| is_rejected(&value.outcome))
            }
            _ => false,
        };
        self.unconvertible.borrow_mut().insert((name, at), is_rejected);
        Ok(is_rejected)
    }
}

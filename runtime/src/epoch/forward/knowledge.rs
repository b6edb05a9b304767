//! What the author of an edit knew of other documents, and how much of each is here.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::{Carrying, DocRef, reaches};
use crate::engine::{Claim, Claims, CopySource, DocName, LateEditKey};
use crate::row::{EntryRef, ItemId};

/// Of how many items under one key it is asked who knew them.
const MAX_STOOD: usize = 1 << 14;

/// How much of a document, by client.
type Clocks = BTreeMap<u64, u32>;

/// The documents that a losing migration took rows from, and that are not here, nor known to the
/// one that is carried into: what it brought of them is nowhere else.
pub(super) fn lost_documents(
    into: &DocRef<'_>,
    from: &DocRef<'_>,
    claims: &Claims,
    clocks: &BTreeMap<DocName, Clocks>,
) -> BTreeSet<DocName> {
    let is_had = |name: DocName, needed: &Clocks| {
        let covered = into.claim.and_then(|claim| claim.covers.get(&name));
        let here = clocks.get(&name);
        needed.is_empty()
            || covered.is_some_and(|covered| reaches(covered, needed))
            || here.is_some_and(|here| reaches(here, needed))
    };
    let covers = from.claim.into_iter().flat_map(|claim| &claim.covers);
    let is_lost =
        |(name, needed): &(&DocName, &Clocks)| !is_all_had(claims, (**name, needed), &is_had);
    covers.filter(is_lost).map(|(name, _)| *name).collect()
}

/// Whether a document is to be had that far, or all that the migration into it was given, where
/// nothing else has written in it: that says no more.
fn is_all_had<'c>(
    claims: &'c Claims,
    of: (DocName, &'c Clocks),
    is_had: &dyn Fn(DocName, &Clocks) -> bool,
) -> bool {
    let (mut left, mut opened) = (vec![of], BTreeSet::new());
    while let Some((name, needed)) = left.pop() {
        if is_had(name, needed) {
            continue;
        }
        let Some(claim) = only_migration(claims, name, needed) else { return false };
        if opened.insert(name) {
            left.extend(claim.covers.iter().map(|(name, clocks)| (*name, clocks)));
        }
    }
    true
}

/// The migration into a document, where nothing else has written in it so far.
fn only_migration<'c>(claims: &'c Claims, name: DocName, needed: &Clocks) -> Option<&'c Claim> {
    let claim = claims.get(&name)?;
    let is_its_own =
        |(client, clock): (&u64, &u32)| *client == claim.client && *clock <= claim.baseline;
    needed.iter().all(is_its_own).then_some(claim)
}

impl<'c> Carrying<'c> {
    /// Whether the authors of a document knew what stands here as a copy.
    pub(super) fn knew_copy(&self, who: DocName, at: &EntryRef, source: CopySource) -> bool {
        let Some(covers) = self.into.claim.map(|claim| &claim.covers) else { return false };
        match source {
            CopySource::Document(name) => {
                self.knew_source(who, name) || self.copy_stands(at, name) == Some(false)
            }
            // It was stored there as a late edit: an author who knew it has resolved it.
            CopySource::LateEdit(name) if covers.contains_key(&who) => {
                self.has_resolved(who, name, at)
            }
            CopySource::LateEdit(_) | CopySource::Made => self.knew_sources(who),
        }
    }

    /// Whether the authors of a document knew another as far as the migration which made this one did.
    pub(super) fn knew_source(&self, who: DocName, name: DocName) -> bool {
        let needed = self.into.claim.and_then(|claim| claim.covers.get(&name));
        needed.is_some_and(|needed| self.knew(who, name, needed))
    }

    /// Whether the authors of a document knew all others that far.
    pub(super) fn knew_sources(&self, who: DocName) -> bool {
        self.into.claim.is_some_and(|claim| self.knew_sources_of(who, claim))
    }

    /// Whether the authors of a document knew all that a migration was given.
    fn knew_sources_of(&self, who: DocName, claim: &'c Claim) -> bool {
        let knew = |name: DocName, needed: &Clocks| self.knew(who, name, needed);
        let mut covers = claim.covers.iter();
        covers.all(|(name, clocks)| is_all_had(self.claims, (*name, clocks), &knew))
    }

    /// Whether the authors of a document knew another so far.
    fn knew(&self, who: DocName, name: DocName, needed: &Clocks) -> bool {
        let has = self.claims.get(&who).and_then(|claim| claim.covers.get(&name));
        needed.is_empty() || who == name || has.is_some_and(|has| reaches(has, needed))
    }

    /// Whether the same `migrate` function was given there all that it was given here, or more.
    pub(super) fn knew_all(&self, there: &DocRef<'_>) -> bool {
        // Of late edits that were taken over nothing says which they were.
        let is_late = |(_, source): &(u32, CopySource)| matches!(source, CopySource::LateEdit(_));
        let has_late = self.into.claim.is_some_and(|claim| claim.sources.iter().any(is_late));
        // A rebuild takes over what was made before it, and gives the function nothing.
        let epoch = self.into.name.epoch;
        let rebuilt = |claim: &&'c Claim| {
            let source = Some(claim.source).filter(|source| source.epoch == epoch)?;
            self.claims.get(&source)
        };
        let made = iter::successors(self.into.claim, rebuilt).last();
        there.name.epoch == epoch
            && !has_late
            && made.is_some_and(|claim| self.knew_sources_of(there.name, claim))
    }

    /// Whether the same `migrate` function was given there all late edits of the document that it was
    /// given here.
    pub(super) fn knew_late(&self, there: &DocRef<'_>, source: CopySource) -> bool {
        there.name.epoch == self.into.name.epoch
            && matches!(source, CopySource::LateEdit(name) if self.knew_source(there.name, name))
    }

    /// Whether a late edit was resolved in a document.
    fn has_resolved(&self, who: DocName, source: DocName, at: &EntryRef) -> bool {
        let (Some(there), Some(at)) = (self.doc(who), self.entry_in(who, at)) else {
            return false;
        };
        let (late_edits, key) = (&there.loaded.late_edits, LateEditKey::new(source, at));
        late_edits.resolution(&key).is_some_and(|resolution| {
            late_edits.get(&key).is_none_or(|stored| stored.edit.items == resolution.items)
        })
    }

    /// Whether the migration that made this document knew all of these.
    pub(super) fn covers(&self, name: DocName, items: &[ItemId]) -> bool {
        self.into.claim.is_some_and(|claim| items.iter().all(|id| claim.covers(name, *id)))
    }

    /// All that stood under a key of a document when the migration that made this one read that, or
    /// before, and was written over or removed since; empty if that cannot be told.
    pub(super) fn stood_before(&self, name: DocName, at: &EntryRef) -> Vec<ItemId> {
        let read = || self.others.get(&name).and_then(|other| other.document.history());
        let history =
            self.histories.get(&name).and_then(|history| history.get_or_init(read).as_ref());
        let stood = history.into_iter().flat_map(|history| history.of(&at.root, &at.key));
        let mut stood: Vec<ItemId> = stood.take(MAX_STOOD + 1).collect();
        // What a few bytes say of billions of items is not looked at one by one.
        if stood.len() > MAX_STOOD {
            return Vec::new();
        }
        stood.retain(|id| self.covers(name, &[*id]));
        stood
    }

    /// Whether all that the migration into a document wrote is here: what is not there was removed.
    pub(super) fn is_whole(&self, there: &DocRef<'_>) -> bool {
        there.claim.is_some_and(|claim| {
            claim.baseline == 0
                || self.clocks_of(there.name).get(&claim.client) >= Some(&claim.baseline)
        })
    }

    /// Whether this copy of a document has all of these; if not, another device knows better.
    pub(super) fn has_items(&self, name: DocName, items: &[ItemId]) -> bool {
        let clocks = self.clocks_of(name);
        items.iter().all(|id| clocks.get(&id.client) > Some(&id.clock))
    }

    /// Whether this copy of a document, which is here, lacks some of these.
    pub(super) fn is_behind(&self, name: DocName, items: &[ItemId]) -> bool {
        self.clocks.contains_key(&name) && !self.has_items(name, items)
    }

    pub(super) fn clocks_of(&self, name: DocName) -> &Clocks {
        self.clocks.get(&name).unwrap_or(&self.no_clocks)
    }

    /// All documents that rank below the one that is carried into.
    pub(super) fn docs_below(&self) -> impl Iterator<Item = DocRef<'_>> {
        let below = self.others.keys().filter(|name| **name < self.into.name);
        below.filter_map(|name| self.doc(*name))
    }

    pub(super) fn doc(&self, name: DocName) -> Option<DocRef<'_>> {
        let loaded = self.others.get(&name)?;
        Some(DocRef { name, loaded, claim: self.claims.get(&name) })
    }
}

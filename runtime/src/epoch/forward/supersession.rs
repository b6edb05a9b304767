//! What has become of an edit elsewhere: whether an author who knew it wrote or removed there what it
//! had written.
//!
//! Knowledge only goes up: the authors of a document knew what it was migrated from, and what had
//! been carried into it by then. So an edit is compared with the documents that rank above its own,
//! each in its own names for rows and entries.

use std::iter;

use super::{Carrying, DocRef, reaches};
use crate::doc::Root;
use crate::engine::{
    Claim, CopySource, DocName, LateEdit, LateEditKey, RootOp, are_later, checksum,
};
use crate::epoch::convert::text_of;
use crate::epoch::plan::{Plan, earlier_entry};
use crate::row::{EntryRef, ItemId};

/// An edit of another document, by the entry here that it belongs to.
pub(super) struct Edit<'e> {
    pub(super) at: &'e EntryRef,
    /// The document that it was made in.
    pub(super) source: DocName,
    /// The entry there, if that is known.
    pub(super) of: Option<&'e EntryRef>,
    pub(super) items: &'e [ItemId],
    /// What a `migrate` function has made of it, if one has.
    pub(super) made: Option<&'e str>,
    /// The epoch whose words it is stored in, if no later `migrate` function has been given it here.
    pub(super) waits_in: Option<u32>,
}

impl<'e> Edit<'e> {
    /// An edit that is not stored here, nor made by a `migrate` function.
    fn plain(
        at: &'e EntryRef,
        source: DocName,
        of: Option<&'e EntryRef>,
        items: &'e [ItemId],
    ) -> Self {
        Self { at, source, of, items, made: None, waits_in: None }
    }

    /// An edit that is stored here.
    pub(super) fn stored(at: &'e EntryRef, source: DocName, edit: &'e LateEdit) -> Self {
        // If there is a reason, a later function was given it, and refused.
        let stopped_at = edit.stopped_at.as_ref().filter(|_| edit.reason.is_none());
        Self {
            at,
            source,
            of: Some(&edit.of),
            items: &edit.items,
            made: edit.value.as_deref().filter(|_| edit.made),
            waits_in: stopped_at.map(|stopped_at| stopped_at.epoch),
        }
    }
}

/// The entry of a document that an edit would stand in, and what is made of it there.
struct There<'e> {
    at: EntryRef,
    made: Option<&'e str>,
}

impl Carrying<'_> {
    /// Whether an author who knew an edit has written or removed what it wrote, in another document.
    pub(super) fn is_superseded(&self, edit: &Edit<'_>) -> bool {
        let above = self.others.range(edit.source..).filter(|(name, _)| **name != edit.source);
        above
            .take_while(|(name, _)| **name < self.into.name)
            .any(|(name, _)| self.doc(*name).is_some_and(|doc| self.supersedes(&doc, edit)))
    }

    fn supersedes(&self, there: &DocRef<'_>, edit: &Edit<'_>) -> bool {
        let (Some(claim), Some(There { at, made })) = (there.claim, self.there(there.name, edit))
        else {
            return false;
        };
        let late_edits = &there.loaded.late_edits;
        let edit_key = LateEditKey::new(edit.source, at.clone());
        let resolution = late_edits.resolution(&edit_key);
        // What was resolved there may be newer than what has come here.
        let was_seen = resolution.is_some_and(|resolution| {
            resolution.items == edit.items || self.is_behind(edit.source, &resolution.items)
        });
        // It is not resolved there, either.
        let is_stored =
            late_edits.get(&edit_key).is_some_and(|stored| stored.edit.items == edit.items);
        // What was displaced on the way there, and a migration took over: only the quarantine has it.
        let displaced = edit_key.clone().next().to_text();
        let displaced = there.main(&EntryRef::new(Root::Quarantine.name(), displaced));
        let is_taken_over = displaced.is_some_and(|id| there.copy_source(id).is_some());
        let main = there.main(&at).map(|_| there.source_of(&at));
        // A removal of the row there leaves it in quarantine, which comes along.
        let is_quarantined =
            is_taken_over && main.is_some() || there.quarantined(&edit_key).is_some();
        if !was_seen && (is_stored || is_quarantined) {
            return false;
        }
        let covers = |id: &ItemId| claim.covers(edit.source, *id);
        if !was_seen && (!edit.items.iter().all(covers) || self.was_run(there.name.epoch, edit)) {
            return false;
        }
        match main {
            // What is in quarantine is never written over.
            Some(_) if at.root == Root::Quarantine.name() => false,
            // It was written there since.
            Some(None) => true,
            // What a migration brought is this, or was preferred to it.
            Some(Some(source)) => {
                !source.is_made()
                    && source != CopySource::Document(edit.source)
                    && self.copied_from(edit) != Some(source)
            }
            None if was_seen => !self.has_refused(there, edit, &at),
            None => match made {
                Some(json) => self.made_away(there, &at).contains(&checksum(json)),
                None => self.is_whole(there) && !self.has_rejected(there, edit, &at),
            },
        }
    }

    /// Whether the `migrate` function that an edit still waits for here was given it on the way to
    /// another epoch: a write there in its place has replaced the row, but not what was made of it.
    fn was_run(&self, epoch: u32, edit: &Edit<'_>) -> bool {
        let plan = |from| Plan::new(&self.plan.to.at_epoch(epoch)?, from);
        edit.waits_in.and_then(plan).is_some_and(|plan| plan.has_migrate())
    }

    /// Where an edit, which is a copy itself, was taken from.
    fn copied_from(&self, edit: &Edit<'_>) -> Option<CopySource> {
        self.claims.get(&edit.source)?.copy_source(*edit.items.first()?)
    }

    /// Whether an edit is a mere copy of what a document that is here has.
    pub(super) fn is_represented(&self, edit: &Edit<'_>) -> bool {
        let copied = self.copied_from(edit).and_then(CopySource::copied);
        let (Some(name), Some(claim)) = (copied, self.claims.get(&edit.source)) else {
            return false;
        };
        let (here, covered) = (self.clocks.get(&name), claim.covers.get(&name));
        here.zip(covered).is_some_and(|(here, covered)| reaches(here, covered))
    }

    /// Whether an edit could not be converted there, and is stored beside: it is not gone though
    /// nothing stands there.
    fn has_rejected(&self, there: &DocRef<'_>, edit: &Edit<'_>, at: &EntryRef) -> bool {
        self.keys_of(there, edit, at).any(|key| {
            let stored = there.loaded.late_edits.get(&key).map(|stored| stored.edit.clone());
            let is_rejected = |stored: &LateEdit| {
                stored.value.is_none() && self.may_be_of(edit, key.source, &stored.items)
            };
            [stored, there.quarantined(&key)].iter().flatten().any(is_rejected)
        })
    }

    /// Whether an edit that is resolved there was so by the migration, which took it for a row, and
    /// then could not convert that: nothing ever stood there.
    fn has_refused(&self, there: &DocRef<'_>, edit: &Edit<'_>, at: &EntryRef) -> bool {
        let resolution = LateEditKey::new(edit.source, at.clone()).to_text();
        let resolution = there.main(&EntryRef::new(Root::Settled.name(), resolution));
        let mut quarantined =
            self.keys_of(there, edit, at).filter_map(|key| there.quarantined(&key));
        resolution.is_some_and(|id| there.copy_source(id).is_some())
            && quarantined.any(|edit| edit.items.is_empty())
    }

    /// The keys under which an edit may be stored beside: a migration stores what it could not convert
    /// under the document that it has read.
    fn keys_of(
        &self,
        there: &DocRef<'_>,
        edit: &Edit<'_>,
        at: &EntryRef,
    ) -> impl Iterator<Item = LateEditKey> {
        let read = |claim: &Claim| claim.source;
        let before = move |name: &DocName| self.claims.get(name).map(read);
        let sources = iter::successors(there.claim.map(read), before).chain([edit.source]);
        sources.map(|source| LateEditKey::new(source, at.clone()))
    }

    /// Whether what is stored of some items of a document may be of an edit, or of a copy of it.
    fn may_be_of(&self, edit: &Edit<'_>, source: DocName, items: &[ItemId]) -> bool {
        let Some(first) = items.first() else { return true };
        if source == edit.source {
            return items.iter().any(|item| edit.items.contains(item));
        }
        self.claims.get(&source).is_some_and(|claim| claim.copy_source(*first).is_some())
    }

    /// The checksums of what a `migrate` function made under a key, and was written over or removed
    /// there.
    fn made_away<'p>(&self, there: &DocRef<'p>, at: &EntryRef) -> &'p [String] {
        let own = LateEditKey::new(there.name, at.clone());
        let resolution = there.loaded.late_edits.resolution(&own);
        resolution.map_or(&[], |resolution| resolution.made.as_slice())
    }

    /// Brings what stands here under a key in line with what has become of it elsewhere.
    pub(super) fn review(&mut self, at: &EntryRef) {
        if !self.reviewed.insert(at.clone()) {
            return;
        }
        let late_edits = &self.into.loaded.late_edits;
        let main = self.into.main(at);
        let showing = late_edits.showing(self.into.claim, at, main).map(|(source, _)| source);
        let mut superseded = Vec::new();
        let mut is_gone = self.is_copy_gone(at);
        for (source, stored) in late_edits.open(at) {
            let edit = Edit::stored(at, source, &stored.edit);
            let is_superseded = self.is_superseded(&edit);
            if is_superseded || self.is_represented(&edit) {
                superseded.push((source, stored.edit.items.clone()));
            }
            // It had taken the place of what stands here, and takes it along.
            is_gone |= is_superseded
                && stored.edit.made
                && showing == Some(source)
                && self.is_made_here(at);
        }
        for (source, items) in superseded {
            self.resolve(&LateEditKey::new(source, at.clone()), &items);
        }
        if let Some(root) = Root::parse(&at.root)
            && is_gone
        {
            self.ops.push(RootOp::remove(root, at.key.clone()));
        }
    }

    /// Whether what a migration left here under a key was made by a `migrate` function.
    pub(super) fn is_made_here(&self, at: &EntryRef) -> bool {
        let source = self.into.main(at).and_then(|id| self.into.copy_source(id));
        source.is_some_and(CopySource::is_made)
    }

    /// Whether an entry that a migration brought here is gone where it came from, or where its author
    /// knew it.
    pub(super) fn is_copy_gone(&self, at: &EntryRef) -> bool {
        let Some(entry) = self.into.loaded.document.entry(&at.root, &at.key) else { return false };
        let Some(source) = self.into.source_of(at) else { return false };
        let Some(name) = source.copied() else {
            let json = text_of(entry.content);
            return self.docs_below().any(|there| self.is_made_gone(&there, at, source, &json));
        };
        !self.copy_stands(at, name).unwrap_or(true)
    }

    /// Whether what a `migrate` function made here was made there, too, and was removed there: just
    /// this, or what came of the same rows and newer ones.
    fn is_made_gone(
        &self,
        there: &DocRef<'_>,
        at: &EntryRef,
        source: CopySource,
        json: &str,
    ) -> bool {
        let Some(at) = self.entry_in(there.name, at) else { return false };
        let made = self.made_away(there, &at);
        there.claim.is_some()
            && there.main(&at).is_none()
            && (made.contains(&checksum(json))
                || !made.is_empty() && (self.knew_all(there) || self.knew_late(there, source)))
    }

    /// Whether an entry that a migration brought from the document `name` is still to stand; `None` if
    /// that cannot be told.
    pub(super) fn copy_stands(&self, at: &EntryRef, name: DocName) -> Option<bool> {
        let covered = self.into.claim?.covers.get(&name)?;
        let of = self.entry_in(name, at);
        let is_here = self.clocks.get(&name).is_some_and(|here| reaches(here, covered));
        if let Some(there) = self.doc(name).filter(|_| is_here) {
            let of = of.as_ref()?;
            let Some(id) = there.main(of) else { return Some(false) };
            if self.is_superseded(&Edit::plain(at, name, Some(of), &[id])) {
                return Some(false);
            }
            if self.covers(name, &[id]) {
                return Some(true);
            }
        }
        // What was copied is not there any more, or the document itself is not here: the author of a
        // removal knew it if that author knew all of the document, or all that ever stood there.
        let of = of.filter(|_| is_here);
        let is_removed = self.docs_below().filter(|there| there.name > name).any(|there| {
            let its = self.entry_in(there.name, at);
            let (Some(claim), Some(its)) = (there.claim, its) else { return false };
            if there.has(&its) || !self.is_whole(&there) {
                return false;
            }
            let knew_all = claim.covers.get(&name).is_some_and(|knew| reaches(knew, covered));
            let stood = match &of {
                Some(of) if !knew_all => self.stood_before(name, of),
                _ => Vec::new(),
            };
            let edit_key = LateEditKey::new(name, its.clone());
            let resolution = there.loaded.late_edits.resolution(&edit_key);
            let is_known = |id: &ItemId| {
                claim.covers(name, *id)
                    || resolution.is_some_and(|resolution| {
                        resolution.items.contains(id) || are_later(&resolution.items, &[*id])
                    })
            };
            (knew_all || !stood.is_empty() && stood.iter().all(is_known))
                && !self.has_rejected(&there, &Edit::plain(at, name, None, &stood), &its)
        });
        Some(!is_removed)
    }

    /// Whether a write in a document has taken the place of what a migration brought here from
    /// the document `name`.
    pub(super) fn has_taken_place(&self, there: &DocRef<'_>, at: &EntryRef, name: DocName) -> bool {
        if name >= there.name {
            return false;
        }
        let (Some(doc), Some(of)) = (self.doc(name), self.entry_in(name, at)) else {
            return false;
        };
        doc.main(&of)
            .is_some_and(|id| self.supersedes(there, &Edit::plain(at, name, Some(&of), &[id])))
    }

    /// The entry that an edit would stand in, in another document that ranks above its own.
    fn there<'e>(&self, who: DocName, edit: &Edit<'e>) -> Option<There<'e>> {
        let here = || Some(There { at: self.entry_in(who, edit.at)?, made: edit.made });
        if who.epoch == self.into.name.epoch {
            return here();
        }
        // What it was made of, if nothing had been made of it yet.
        let made = edit.made.and_then(|_| here());
        made.or_else(|| self.source_there(who, edit)).or_else(here)
    }

    fn source_there<'e>(&self, who: DocName, edit: &Edit<'e>) -> Option<There<'e>> {
        let of = edit.of.filter(|of| !of.key.is_empty())?;
        let at = if who.epoch == edit.source.epoch {
            of.clone()
        } else {
            let plan = Plan::new(&self.plan.to.at_epoch(who.epoch)?, edit.source.epoch)?;
            plan.later_entry(of)?
        };
        Some(There { at, made: None })
    }

    /// The entry of another document that a row here goes on from.
    pub(super) fn entry_in(&self, of: DocName, at: &EntryRef) -> Option<EntryRef> {
        if of.epoch == self.into.name.epoch {
            return Some(at.clone());
        }
        match Root::parse(&at.root)? {
            Root::Table(table) => {
                let plan = self.plans.get(&of.epoch)?;
                let moves = |name: DocName, table: &str| {
                    self.claims.get(&name).is_some_and(|claim| claim.moves(table))
                };
                let has_moved = moves(self.into.name, &table)
                    || plan.earlier_table(&table).is_some_and(|(there, _)| moves(of, there.name));
                let (table, key) = plan.earlier_key(&table, &at.key, !has_moved)?;
                Some(EntryRef::new(Root::Table(table.to_owned()).name(), key))
            }
            Root::Group(group) => {
                let (group, entry) = earlier_entry(&self.plan.to, of.epoch, &group, &at.key)?;
                Some(EntryRef::new(Root::Group(group.to_owned()).name(), entry))
            }
            _ => None,
        }
    }
}

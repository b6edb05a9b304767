//! What has become of an edit elsewhere: whether somebody who knew it wrote or removed there what it
//! had written.
//!
//! Knowledge goes up only: what a document was migrated from, and what was carried into it, was
//! known to whoever wrote in it afterwards. So an edit is compared with the documents that rank
//! above its own, each in its own names for rows and entries.

use std::iter;

use super::{Carrying, Place, pairs, reaches};
use crate::doc::Root;
use crate::engine::{Claim, DocName, LateEdit, LateEditKey, are_later, checksum, is_made};
use crate::epoch::convert::text_of;
use crate::epoch::plan::{Plan, earlier_entry};
use crate::row::ItemId;

/// An edit of another document, by what stands here because of it.
pub(super) struct Edit<'e> {
    pub(super) root: &'e str,
    pub(super) key: &'e str,
    /// The document that it was made in.
    pub(super) source: DocName,
    /// The root and key there, where they are known.
    pub(super) of: Option<&'e (String, String)>,
    pub(super) items: &'e [(u64, u32)],
    /// What a `migrate` function has made of it, where one has.
    pub(super) made: Option<&'e str>,
    /// The epoch whose words it is kept in, where no later `migrate` function has been given it here.
    pub(super) waits_in: Option<u32>,
}

impl<'e> Edit<'e> {
    /// An edit that is not kept here, nor made by a `migrate` function.
    fn plain(
        (root, key): (&'e str, &'e str),
        source: DocName,
        of: Option<&'e (String, String)>,
        items: &'e [(u64, u32)],
    ) -> Self {
        Self { root, key, source, of, items, made: None, waits_in: None }
    }

    /// One that is kept here.
    pub(super) fn kept(root: &'e str, key: &'e str, source: DocName, edit: &'e LateEdit) -> Self {
        Self {
            root,
            key,
            source,
            of: Some(&edit.of),
            items: &edit.items,
            made: edit.value.as_deref().filter(|_| edit.made),
            // Where there is a reason, it was given to them, and refused.
            waits_in: edit.stood.as_ref().filter(|_| edit.reason.is_none()).map(|it| it.epoch),
        }
    }
}

/// Where an edit would stand in a document, and what is made of it there.
struct There<'e> {
    root: String,
    key: String,
    made: Option<&'e str>,
}

impl Carrying<'_> {
    /// Whether somebody who knew an edit has written or removed what it wrote, in another document.
    pub(super) fn is_superseded(&self, edit: &Edit<'_>) -> bool {
        let above = self.others.range(edit.source..).filter(|(name, _)| **name != edit.source);
        above
            .take_while(|(name, _)| **name < self.into.name)
            .any(|(name, _)| self.place(*name).is_some_and(|place| self.supersedes(&place, edit)))
    }

    fn supersedes(&self, there: &Place<'_>, edit: &Edit<'_>) -> bool {
        let (Some(claim), Some(at)) = (there.claim, self.there(there.name, edit)) else {
            return false;
        };
        let There { root, key, made } = at;
        let late_edits = &there.loaded.late_edits;
        let edit_key = LateEditKey::new(edit.source, root.clone(), key.clone());
        let resolution = late_edits.resolution(&edit_key);
        // What was dealt with there may be newer than what has come here.
        let was_seen = resolution.is_some_and(|resolution| {
            resolution.items == edit.items || self.is_behind(edit.source, &resolution.items)
        });
        // There, too, somebody has still to decide on it.
        let is_held = late_edits.get(&edit_key).is_some_and(|held| held.edit.items == edit.items);
        // What was displaced on the way there, and a migration took over: it is noted nowhere else.
        let displaced = edit_key.clone().next().to_text();
        let noted = there.main(&Root::Quarantine.name(), &displaced);
        let is_taken_over = noted.is_some_and(|id| there.origin(id).is_some());
        let main = there.main(&root, &key).map(|id| claim.origin(id));
        // Whoever removed the row there has left it in quarantine, which comes along.
        let is_noted = is_taken_over && main.is_some() || there.noted(&edit_key).is_some();
        if !was_seen && (is_held || is_noted) {
            return false;
        }
        let source = edit.source.to_string();
        let covers = |(client, clock): &(u64, u32)| {
            claim.covers(&source, ItemId { client: *client, clock: *clock })
        };
        if !was_seen && (!edit.items.iter().all(covers) || self.was_run(there.name.epoch, edit)) {
            return false;
        }
        match main {
            // What is in quarantine is never written over.
            Some(_) if root == Root::Quarantine.name() => false,
            // It was written there since.
            Some(None) => true,
            // What a migration brought is this, or was preferred to it.
            Some(Some(origin)) => {
                !is_made(origin) && origin != source && self.copied_from(edit) != Some(origin)
            }
            None if was_seen => !self.has_refused(there, edit, &root, &key),
            None => match made {
                Some(json) => self.made_away(there, &root, &key).contains(&checksum(json)),
                None => self.is_whole(there) && !self.has_rejected(there, edit, &root, &key),
            },
        }
    }

    /// Whether the `migrate` function that an edit still waits for here was given it on the way to
    /// another epoch: who wrote there in its place has replaced the row, but not what was made of it.
    fn was_run(&self, epoch: u32, edit: &Edit<'_>) -> bool {
        let plan = |from| Plan::new(&self.plan.to.at_epoch(epoch)?, from);
        edit.waits_in.and_then(plan).is_some_and(|plan| plan.has_migrate())
    }

    /// The document that an edit, which is a copy itself, was taken from.
    fn copied_from(&self, edit: &Edit<'_>) -> Option<&str> {
        let (client, clock) = *edit.items.first()?;
        self.claims.get(&edit.source)?.origin(ItemId { client, clock })
    }

    /// Whether an edit is a mere copy of what a document that is here has.
    pub(super) fn is_represented(&self, edit: &Edit<'_>) -> bool {
        let (Some(origin), Some(claim)) = (self.copied_from(edit), self.claims.get(&edit.source))
        else {
            return false;
        };
        let here = DocName::parse(origin).and_then(|name| self.clocks.get(&name));
        let covered = claim.covers.get(origin);
        here.zip(covered).is_some_and(|(here, covered)| reaches(here, covered))
    }

    /// Whether an edit could not be converted there, and is kept beside: it is not gone though
    /// nothing stands there.
    fn has_rejected(&self, there: &Place<'_>, edit: &Edit<'_>, root: &str, key: &str) -> bool {
        self.keys_of(there, edit, root, key).any(|edit_key| {
            let held = there.loaded.late_edits.get(&edit_key).map(|held| held.edit.clone());
            let is_rejected = |stored: &LateEdit| {
                stored.value.is_none() && self.may_be_of(edit, edit_key.source, &stored.items)
            };
            [held, there.noted(&edit_key)].iter().flatten().any(is_rejected)
        })
    }

    /// Whether an edit that is resolved there was so by the migration, which took it for a row, and
    /// then could not convert that: nothing ever stood there.
    fn has_refused(&self, there: &Place<'_>, edit: &Edit<'_>, root: &str, key: &str) -> bool {
        let note = LateEditKey::new(edit.source, root.to_owned(), key.to_owned());
        let resolution = there.main(&Root::Settled.name(), &note.to_text());
        let mut noted = self.keys_of(there, edit, root, key).filter_map(|key| there.noted(&key));
        resolution.is_some_and(|id| there.origin(id).is_some())
            && noted.any(|edit| edit.items.is_empty())
    }

    /// The keys under which an edit may be kept beside: a migration notes what it could not convert
    /// under the document that it has read.
    fn keys_of(
        &self,
        there: &Place<'_>,
        edit: &Edit<'_>,
        root: &str,
        key: &str,
    ) -> impl Iterator<Item = LateEditKey> {
        let read = |claim: &Claim| DocName::parse(&claim.source);
        let before = move |name: &DocName| self.claims.get(name).and_then(read);
        let sources = iter::successors(there.claim.and_then(read), before).chain([edit.source]);
        sources.map(|source| LateEditKey::new(source, root.to_owned(), key.to_owned()))
    }

    /// Whether what is noted of some items of a document may be of an edit, or of a copy of it.
    fn may_be_of(&self, edit: &Edit<'_>, source: DocName, noted: &[(u64, u32)]) -> bool {
        let Some((client, clock)) = noted.first() else { return true };
        if source == edit.source {
            return noted.iter().any(|item| edit.items.contains(item));
        }
        let id = ItemId { client: *client, clock: *clock };
        self.claims.get(&source).is_some_and(|claim| claim.origin(id).is_some())
    }

    /// What a `migrate` function made under a key, and somebody has written over or removed there.
    fn made_away<'p>(&self, there: &Place<'p>, root: &str, key: &str) -> &'p [String] {
        let note = LateEditKey::new(there.name, root.to_owned(), key.to_owned());
        there.loaded.late_edits.resolution(&note).map_or(&[], |noted| noted.made.as_slice())
    }

    /// Brings what stands here under a key in line with what has become of it elsewhere.
    pub(super) fn review(&mut self, root: &str, key: &str) {
        if !self.reviewed.insert((root.to_owned(), key.to_owned())) {
            return;
        }
        let late_edits = &self.into.loaded.late_edits;
        let main = self.into.main(root, key);
        let showing =
            late_edits.showing(self.into.claim, root, key, main).map(|(source, _)| source);
        let mut superseded = Vec::new();
        let mut is_gone = self.is_copy_gone(root, key);
        for (source, held) in late_edits.open(root, key) {
            let edit = Edit::kept(root, key, source, &held.edit);
            let is_superseded = self.is_superseded(&edit);
            if is_superseded || self.is_represented(&edit) {
                superseded.push((source, held.edit.items.clone()));
            }
            // It had taken the place of what stands here, and takes it along.
            is_gone |= is_superseded
                && held.edit.made
                && showing == Some(source)
                && self.is_made_here(root, key);
        }
        for (source, items) in superseded {
            let edit_key = LateEditKey::new(source, root.to_owned(), key.to_owned());
            self.resolve(&edit_key, &items);
        }
        if let Some(parsed) = Root::parse(root)
            && is_gone
        {
            self.ops.push((parsed, key.to_owned(), None));
        }
    }

    /// Whether what a migration left here under a key is of a `migrate` function.
    pub(super) fn is_made_here(&self, root: &str, key: &str) -> bool {
        let origin = self.into.main(root, key).and_then(|id| self.into.origin(id));
        origin.is_some_and(is_made)
    }

    /// Whether an entry that a migration brought here is gone where it came from, or where somebody
    /// knew it.
    pub(super) fn is_copy_gone(&self, root: &str, key: &str) -> bool {
        let Some(entry) = self.into.loaded.document.entry(root, key) else { return false };
        let Some(origin) = self.into.origin(entry.id) else { return false };
        if is_made(origin) {
            let json = text_of(entry.content);
            return self.places().any(|there| self.is_made_gone(&there, root, key, origin, &json));
        }
        !self.copy_stands(root, key, origin).unwrap_or(true)
    }

    /// Whether what a `migrate` function made here was made there, too, and somebody has removed it
    /// there: just this, or what came of the same rows and newer ones.
    fn is_made_gone(
        &self,
        there: &Place<'_>,
        root: &str,
        key: &str,
        origin: &str,
        json: &str,
    ) -> bool {
        let Some((root, key)) = self.terms(there.name, root, key) else { return false };
        let made = self.made_away(there, &root, &key);
        there.claim.is_some()
            && there.main(&root, &key).is_none()
            && (made.contains(&checksum(json))
                || !made.is_empty() && (self.knew_all(there) || self.knew_late(there, origin)))
    }

    /// Whether an entry that a migration brought from `origin` is still to stand; `None` where that
    /// cannot be told.
    pub(super) fn copy_stands(&self, root: &str, key: &str, origin: &str) -> Option<bool> {
        let covered = self.into.claim?.covers.get(origin)?;
        let name = DocName::parse(origin)?;
        let of = self.terms(name, root, key);
        let is_here = self.clocks.get(&name).is_some_and(|here| reaches(here, covered));
        if let Some(there) = self.place(name).filter(|_| is_here) {
            let of = of.as_ref()?;
            let Some(id) = there.main(&of.0, &of.1) else { return Some(false) };
            let items = pairs(&[id]);
            let edit = Edit::plain((root, key), name, Some(of), &items);
            if self.is_superseded(&edit) {
                return Some(false);
            }
            if self.covers(name, &items) {
                return Some(true);
            }
        }
        // What was copied is not there any more, or the document itself is not here: whoever removed
        // the row knew it if he knew all of that, or all that ever stood there.
        let of = of.filter(|_| is_here);
        let is_removed = self.places().filter(|there| there.name > name).any(|there| {
            let its = self.terms(there.name, root, key);
            let (Some(claim), Some((its_root, its_key))) = (there.claim, its) else { return false };
            if there.has(&its_root, &its_key) || !self.is_whole(&there) {
                return false;
            }
            let knew_all = claim.covers.get(origin).is_some_and(|knew| reaches(knew, covered));
            let stood = match &of {
                Some((root, key)) if !knew_all => self.stood_before(name, root, key),
                _ => Vec::new(),
            };
            let edit_key = LateEditKey::new(name, its_root.clone(), its_key.clone());
            let resolution = there.loaded.late_edits.resolution(&edit_key);
            let is_known = |item: &(u64, u32)| {
                claim.covers(origin, ItemId { client: item.0, clock: item.1 })
                    || resolution.is_some_and(|resolution| {
                        resolution.items.contains(item) || are_later(&resolution.items, &[*item])
                    })
            };
            let edit = Edit::plain((root, key), name, None, &stood);
            (knew_all || !stood.is_empty() && stood.iter().all(is_known))
                && !self.has_rejected(&there, &edit, &its_root, &its_key)
        });
        Some(!is_removed)
    }

    /// Whether somebody has written in a document in place of what a migration brought here from
    /// `origin`.
    pub(super) fn has_taken_place(
        &self,
        there: &Place<'_>,
        root: &str,
        key: &str,
        origin: &str,
    ) -> bool {
        let Some(name) = DocName::parse(origin).filter(|name| *name < there.name) else {
            return false;
        };
        let (Some(place), Some(of)) = (self.place(name), self.terms(name, root, key)) else {
            return false;
        };
        place.main(&of.0, &of.1).is_some_and(|id| {
            let items = pairs(&[id]);
            self.supersedes(there, &Edit::plain((root, key), name, Some(&of), &items))
        })
    }

    /// Where an edit would stand in another document that ranks above its own.
    fn there<'e>(&self, who: DocName, edit: &Edit<'e>) -> Option<There<'e>> {
        let stands = |(root, key): (String, String)| There { root, key, made: edit.made };
        let here = || self.terms(who, edit.root, edit.key).map(stands);
        if who.epoch == self.into.name.epoch {
            return here();
        }
        // What it was made of, where nothing had been made of it yet.
        let made = edit.made.and_then(|_| here());
        made.or_else(|| self.source_there(who, edit)).or_else(here)
    }

    fn source_there<'e>(&self, who: DocName, edit: &Edit<'e>) -> Option<There<'e>> {
        let of = edit.of.filter(|of| !of.1.is_empty())?;
        let (root, key) = if who.epoch == edit.source.epoch {
            of.clone()
        } else {
            let plan = Plan::new(&self.plan.to.at_epoch(who.epoch)?, edit.source.epoch)?;
            plan.later_place(&of.0, &of.1)?
        };
        Some(There { root, key, made: None })
    }

    /// The root and key of a row here, as they are in another document.
    pub(super) fn terms(&self, of: DocName, root: &str, key: &str) -> Option<(String, String)> {
        if of.epoch == self.into.name.epoch {
            return Some((root.to_owned(), key.to_owned()));
        }
        match Root::parse(root)? {
            Root::Table(table) => {
                let plan = self.plans.get(&of.epoch)?;
                let moves = |name: DocName, table: &str| {
                    self.claims.get(&name).is_some_and(|claim| claim.moves(table))
                };
                let has_moved = moves(self.into.name, &table)
                    || plan.earlier_table(&table).is_some_and(|(there, _)| moves(of, there.name));
                let (table, key) = plan.earlier_key(&table, key, !has_moved)?;
                Some((Root::Table(table.to_owned()).name(), key))
            }
            Root::Group(group) => {
                let (group, entry) = earlier_entry(&self.plan.to, of.epoch, &group, key)?;
                Some((Root::Group(group.to_owned()).name(), entry.to_owned()))
            }
            _ => None,
        }
    }
}

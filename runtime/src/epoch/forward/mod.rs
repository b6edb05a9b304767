//! Carrying late edits: what was written to a document after it was migrated, or beside it.
//!
//! What there is to carry follows from the documents alone, so that any device finds the same, and as
//! often as it looks.

mod groups;
mod knowledge;
mod orphaned_edits;
mod rows;
mod store_late;
mod supersession;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use knowledge::lost_documents;

use crate::doc::cells::row_of;
use crate::doc::{History, Root};
use crate::engine::{
    Claim, Claims, CopySource, DocName, LateEdit, LateEditKey, Loaded, OtherMerged, RootOp,
    StoppedAt, StoredEdit,
};
use crate::epoch::convert::text_of;
use crate::epoch::plan::Plan;
use crate::error::Result;
use crate::row::{EntryRef, ItemId};

/// A loaded document with its name and claim: the one that is carried into, or one that is carried
/// from.
#[derive(Clone, Copy)]
pub(super) struct DocRef<'p> {
    pub(super) name: DocName,
    pub(super) loaded: &'p Loaded,
    pub(super) claim: Option<&'p Claim>,
}

impl DocRef<'_> {
    /// The item that stands under a key of the document itself, late edits aside.
    fn main(&self, at: &EntryRef) -> Option<ItemId> {
        self.loaded.document.entry(&at.root, &at.key).map(|entry| entry.id)
    }

    /// The items of what stands under a key: of a row, those of its cells after its own.
    fn items(&self, at: &EntryRef) -> Vec<ItemId> {
        let cells = self.loaded.document.cells(&at.root, &at.key);
        self.main(at).into_iter().chain(cells.into_iter().map(|cell| cell.id)).collect()
    }

    /// Where what stands under a key comes from; `None` if it is, or has in it, an edit of this document.
    fn source_of(&self, at: &EntryRef) -> Option<CopySource> {
        let source = self.copy_source(self.main(at)?)?;
        self.loaded.document.cells(&at.root, &at.key).is_empty().then_some(source)
    }

    /// Where an item comes from that a migration wrote; `None` if it is an edit.
    fn copy_source(&self, id: ItemId) -> Option<CopySource> {
        self.claim.and_then(|claim| claim.copy_source(id))
    }

    /// What is in quarantine under a key: an edit that could not be converted, or was displaced.
    fn quarantined(&self, key: &LateEditKey) -> Option<LateEdit> {
        let entry = self.loaded.document.entry(&Root::Quarantine.name(), &key.to_text());
        entry.and_then(|entry| LateEdit::read(&entry.content))
    }

    /// Whether something stands under a key, be it a late edit.
    fn has(&self, at: &EntryRef) -> bool {
        let Self { loaded, claim, .. } = self;
        loaded.document.entry_in(&at.root, &at.key)
            || loaded.late_edits.showing(*claim, at, None).is_some()
    }
}

/// What of a document to look at.
pub(super) enum Scope<'s> {
    /// All of it, where it is not known what has changed.
    All,
    /// What stands because of it, once all documents have been gone through: what is made of a row
    /// is judged as long as the row stands.
    Outcome,
    /// What a merge has changed.
    Changed(&'s OtherMerged),
    /// What belongs to late edits that have changed here.
    LateEdits(&'s [LateEditKey]),
}

/// In which order whole documents are carried.
pub(super) fn in_turn(sources: &[DocName]) -> impl Iterator<Item = (Scope<'static>, &DocName)> {
    let scopes = [|| Scope::All, || Scope::Outcome];
    scopes.into_iter().flat_map(|scope| sources.iter().map(move |source| (scope(), source)))
}

/// Carries from one document into another.
pub(super) struct Carrying<'c> {
    pub(super) into: DocRef<'c>,
    pub(super) from: DocRef<'c>,
    /// From the epoch of the one to that of the other.
    pub(super) plan: &'c Plan,
    pub(super) claims: &'c Claims,
    /// All other documents that are loaded, the one that is carried from among them.
    pub(super) others: &'c BTreeMap<DocName, Loaded>,
    /// From the epoch of each of them to that of the one that is carried into.
    plans: BTreeMap<u32, Plan>,
    /// How far this copy has each of them.
    clocks: BTreeMap<DocName, BTreeMap<u64, u32>>,
    no_clocks: BTreeMap<u64, u32>,
    /// What stood in each of them before, once it was asked for.
    histories: BTreeMap<DocName, OnceCell<Option<History>>>,
    /// The documents whose rows only the migration has that took them over.
    lost: BTreeSet<DocName>,
    /// Whether what is not there was removed there, and has not merely not arrived.
    trusts_absence: bool,
    /// Whether what is carried now was made of a row that is here as it was there.
    is_of_known_row: bool,
    reviewed: BTreeSet<EntryRef>,
    ops: Vec<RootOp>,
    /// What `ops` puts into quarantine; `None` for what they take out.
    in_quarantine: BTreeMap<LateEditKey, Option<LateEdit>>,
}

/// A late edit as it is to stand here.
struct Late {
    /// The document that it was made in.
    source: DocName,
    root: Root,
    key: String,
    of: EntryRef,
    items: Vec<ItemId>,
    outcome: Outcome,
    /// Whether a `migrate` function has made it.
    is_made: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Value(String),
    Rejected { reason: String, raw: String, stopped_at: Option<StoppedAt> },
}

impl Late {
    /// The entry here that it belongs to.
    fn at(&self) -> EntryRef {
        EntryRef::new(self.root.name(), self.key.as_str())
    }

    /// The epoch in whose words it stays because a `migrate` function was not given it, and not
    /// because it was refused.
    fn waits_in(&self) -> Option<u32> {
        match &self.outcome {
            Outcome::Rejected { reason, stopped_at: Some(stopped_at), .. } if reason.is_empty() => {
                Some(stopped_at.epoch)
            }
            _ => None,
        }
    }
}

/// Whether a copy that has `has` knows all that one at `needed` does.
fn reaches(has: &BTreeMap<u64, u32>, needed: &BTreeMap<u64, u32>) -> bool {
    needed.iter().all(|(client, clock)| has.get(client) >= Some(clock))
}

impl<'c> Carrying<'c> {
    pub(super) fn new(
        into: DocRef<'c>,
        from: DocRef<'c>,
        plan: &'c Plan,
        claims: &'c Claims,
        others: &'c BTreeMap<DocName, Loaded>,
    ) -> Self {
        let of = others.iter().map(|(name, other)| (*name, other.document.clocks()));
        let clocks: BTreeMap<_, _> = of.collect();
        let epochs: BTreeSet<u32> = others.keys().map(|name| name.epoch).collect();
        let plans =
            epochs.into_iter().filter_map(|epoch| Some((epoch, Plan::new(&plan.to, epoch)?)));
        let here = from.loaded.document.clocks();
        let covered = into.claim.and_then(|claim| claim.covers.get(&from.name));
        let own = from.claim.map(|claim| BTreeMap::from([(claim.client, claim.baseline)]));
        let trusts_absence = covered.is_none_or(|covered| reaches(&here, covered))
            && own.is_none_or(|own| own.values().all(|n| *n == 0) || reaches(&here, &own));
        Self {
            lost: lost_documents(&into, &from, claims, &clocks),
            into,
            from,
            plan,
            claims,
            others,
            plans: plans.collect(),
            clocks,
            no_clocks: BTreeMap::new(),
            histories: others.keys().map(|name| (*name, OnceCell::new())).collect(),
            trusts_absence,
            is_of_known_row: false,
            reviewed: BTreeSet::new(),
            ops: Vec::new(),
            in_quarantine: BTreeMap::new(),
        }
    }
}

impl Carrying<'_> {
    /// Whether nothing is left to find out once more of the document has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.trusts_absence
    }

    pub(super) fn carry(mut self, scope: &Scope<'_>) -> Result<Vec<RootOp>> {
        let (mut rows, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let mut add = |at: EntryRef| match Root::parse(&at.root) {
            Some(Root::Table(_) | Root::Quarantine) => {
                rows.insert(at);
            }
            Some(Root::Group(name)) => {
                groups.insert(name);
            }
            Some(Root::Cells(_)) => {
                let row = row_of(&at.root, &at.key);
                rows.extend(row.map(|(table, row, _)| EntryRef::new(table, row)));
            }
            _ => {}
        };
        let mut was: BTreeMap<EntryRef, String> = BTreeMap::new();
        let mut lost = BTreeSet::new();
        match scope {
            Scope::All => {
                for root in self.from.loaded.document.maps() {
                    self.from.loaded.document.for_each(&root, |key, entry| {
                        if self.is_late(entry.id) {
                            add(EntryRef::new(&*root, key));
                        }
                        Ok::<(), crate::Error>(())
                    })?;
                }
                lost.extend(self.from.loaded.late_edits.iter().map(|(key, _)| key));
                // Groups are few, and compared whole.
                for group in self.plan.from.groups {
                    add(EntryRef::new(Root::Group(group.name.to_owned()).name(), ""));
                }
                // What was carried and is gone there now.
                for (key, stored) in self.into.loaded.late_edits.iter() {
                    if key.source == self.from.name {
                        add(stored.edit.of.clone());
                    }
                }
            }
            Scope::Changed(merged) => {
                for (root, keys) in &merged.changed {
                    let is_of_late_edits =
                        matches!(Root::parse(root), Some(Root::Forwarded | Root::Settled));
                    for key in keys {
                        match LateEditKey::parse(key).filter(|_| is_of_late_edits) {
                            // A row that has come late there may have been removed there.
                            Some(key) => {
                                add(key.at.clone());
                                lost.insert(key);
                            }
                            None => add(EntryRef::new(&**root, &**key)),
                        }
                    }
                }
                // An edit that another copy of that document carried may be gone in what has come now,
                // though this merge has not shown its removal.
                let late_edits = &self.into.loaded.late_edits;
                for (client, now) in self.clocks_of(self.from.name) {
                    let before = merged.before.get(client).copied().unwrap_or_default();
                    for key in late_edits.made_from(self.from.name, *client, before..*now) {
                        let Some(StoredEdit { edit, .. }) = late_edits.get(&key) else { continue };
                        if self.has_items(key.source, &edit.items)
                            && !self.stands_there(&edit.of, &edit.items)
                        {
                            add(edit.of.clone());
                        }
                    }
                }
                for removed in &merged.removed {
                    let at = EntryRef::new(&*removed.root, &*removed.key);
                    was.insert(at, text_of(removed.content.clone()));
                }
            }
            Scope::Outcome => {}
            Scope::LateEdits(keys) => {
                let ours = keys.iter().filter(|key| key.source == self.from.name);
                for key in ours {
                    match self.into.loaded.late_edits.get(key) {
                        Some(stored) => add(stored.edit.of.clone()),
                        // It was taken out elsewhere; it may belong here all the same.
                        None => self.add_earlier(&key.at, &mut add),
                    }
                }
            }
        }
        for at in rows {
            let was = was.get(&at).cloned();
            self.carry_row(&at, was)?;
        }
        for name in groups {
            self.carry_group(&name)?;
        }
        for key in lost {
            self.carry_orphan(&key)?;
        }
        match scope {
            Scope::Outcome => self.review_all()?,
            Scope::All | Scope::Changed(..) => {}
            Scope::LateEdits(keys) => {
                for key in *keys {
                    self.review(&key.at);
                }
            }
        }
        Ok(self.ops)
    }

    /// Whether an item was written where the migration could not know of it.
    fn is_late(&self, id: ItemId) -> bool {
        let is_covered = self.into.claim.is_some_and(|claim| claim.covers(self.from.name, id));
        let is_lost = |source: CopySource| match source.copied() {
            Some(name) => self.lost.contains(&name),
            // What a `migrate` function made comes again once all the rows do that it was given.
            None => !self.lost.is_empty(),
        };
        !is_covered && self.from.copy_source(id).is_none_or(is_lost)
    }

    /// Whether one of these is what stands there.
    pub(super) fn stands_there(&self, at: &EntryRef, items: &[ItemId]) -> bool {
        self.from.items(at).iter().any(|id| items.contains(id))
    }

    fn add_earlier(&self, at: &EntryRef, add: &mut dyn FnMut(EntryRef)) {
        match Root::parse(&at.root) {
            Some(Root::Table(table)) => {
                if let Some((table, key)) = self.plan.earlier_key(&table, &at.key, false) {
                    add(EntryRef::new(Root::Table(table.to_owned()).name(), key));
                }
            }
            Some(Root::Group(_)) => add(at.clone()),
            _ => {}
        }
    }

    /// Looks at everything here that the document which is carried may say something of.
    fn review_all(&mut self) -> Result<()> {
        let late_edits = self.into.loaded.late_edits.iter();
        let mut entries: BTreeSet<EntryRef> = late_edits.map(|(key, _)| key.at).collect();
        for root in self.into.loaded.document.maps() {
            let Some(Root::Table(_)) = Root::parse(&root) else { continue };
            self.into.loaded.document.for_each(&root, |key, entry| {
                let source = self.into.copy_source(entry.id);
                let is_below = |source: CopySource| {
                    source.document().is_none_or(|name| name <= self.from.name)
                };
                if source.is_some_and(is_below) {
                    let at = EntryRef::new(&*root, key);
                    if self.is_copy_gone(&at) {
                        entries.insert(at);
                    }
                }
                Ok::<(), crate::Error>(())
            })?;
        }
        for at in entries {
            self.review(&at);
        }
        Ok(())
    }
}

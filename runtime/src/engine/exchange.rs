//! Changes to and from other devices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::damage::MAX_LISTED;
use super::documents::{DocFact, Documents};
use super::hub::{Change, ChangeKind, Origin, Topic};
use super::indexes::RowChange;
use super::internal_writes::{RootOp, entry_of, show, write_ops};
use super::late_edits::{LateEditKey, LateEdits};
use super::meta_keys;
use super::open::Engine;
use super::part::Parts;
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::write::not_loaded;
use super::writer::Writer;
use crate::disk::{
    Commit, EntryChange, HEAD_DOCUMENT, IndexFacts, StagedDocument, StoredDocument, View,
};
use crate::doc::items::{ReadItems, Waiting};
use crate::doc::{
    ChangedKeys, DocVersion, Met, OwnIds, Root, Writes, changes_since, contents_of, merge,
};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::descriptor::TableIdx;

/// The state of a copy, by the documents of a store. Two that hold the same are equal, whatever they held
/// before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) versions: BTreeMap<String, DocVersion>,
    /// The documents among them that the copy has given up: of what it lacks, it needs all.
    pub(crate) pruned: BTreeSet<String>,
    /// Hashes of the deletions that it had in each document at some moments.
    pub(crate) marks: BTreeMap<String, Vec<u64>>,
    /// Hashes of the updates that wait there for others.
    pub(crate) waiting: BTreeSet<u64>,
    /// Items whose content is damaged there, by document.
    pub(crate) damaged: BTreeMap<String, Vec<ItemId>>,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        (&self.versions, &self.pruned) == (&other.versions, &other.pruned)
    }
}

impl Eq for Held {}

/// The documents of a view, the head document first: who is given all must know of a version before its
/// rows; then those that are not current, with what is known of each.
pub(crate) fn documents_in(view: &View) -> Result<Vec<(String, Option<DocFact>)>> {
    let meta = view.meta()?;
    let documents =
        meta.text(meta_keys::DOCUMENTS).and_then(|json| serde_json::from_str(json).ok());
    let Documents(others) = documents.unwrap_or_default();
    let current = meta.text(meta_keys::DOCUMENT).map(|name| (name.to_owned(), None));
    let others = others.into_iter().map(|(name, fact)| (name.to_string(), Some(fact)));
    Ok([(HEAD_DOCUMENT.to_owned(), None)].into_iter().chain(others).chain(current).collect())
}

/// Joins two sets of changes, one after the other, each key once.
fn in_turn(
    first: Vec<(String, ChangeKind)>,
    then: Vec<(String, ChangeKind)>,
) -> Vec<(String, ChangeKind)> {
    let mut all: BTreeMap<_, _> = first.into_iter().collect();
    for (key, kind) in then {
        let Some(first) = all.remove(&key) else {
            all.insert(key, kind);
            continue;
        };
        let (existed, exists) = (first != ChangeKind::Inserted, kind != ChangeKind::Removed);
        // An entry that came and is gone again shows in neither view.
        if existed || exists {
            all.insert(key, ChangeKind::of(existed, exists));
        }
    }
    all.into_iter().collect()
}

/// The effects of a merge, by table or group name.
#[derive(Debug, Default)]
pub(crate) struct MergeOutcome {
    /// Changed rows of declared tables and entries of all groups.
    pub(crate) changed: Vec<(Root, Vec<(String, ChangeKind)>)>,
    /// Whether updates wait for others that have not arrived.
    pub(crate) pending: bool,
    /// Late edits of entries that have changed.
    pub(crate) late_edits: Vec<LateEditKey>,
}

impl MergeOutcome {
    /// Adds what a later merge did.
    pub(crate) fn add(&mut self, later: Self) {
        self.pending |= later.pending;
        self.late_edits.extend(later.late_edits);
        for (root, changes) in later.changed {
            match self.changed.iter_mut().find(|(known, _)| *known == root) {
                Some((_, known)) => *known = in_turn(std::mem::take(known), changes),
                None => self.changed.push((root, changes)),
            }
        }
        self.changed.retain(|(_, changes)| !changes.is_empty());
    }
}

/// One entry that readers see otherwise than before.
struct ChangedEntry {
    key: String,
    kind: ChangeKind,
    content: Option<Content>,
    /// The key's bytes; `None` if its text does not parse as the table's key type.
    bytes: Option<Vec<u8>>,
}

/// The table or group that changed entries belong to.
enum Target {
    Table(TableIdx),
    /// Declared or not: entries are kept under their names, which need no type.
    Group(String),
    /// No reader: the code does not declare the table, or the root is not for readers.
    Unknown,
}

/// The changed entries of a root.
struct ChangedRoot {
    name: Arc<str>,
    target: Target,
    rows: Vec<ChangedEntry>,
}

/// The late edits of entries that have changed.
fn late_edits_in(late_edits: &LateEdits, changed: &ChangedKeys) -> Vec<LateEditKey> {
    if late_edits.is_empty() {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    for (root, keys) in changed {
        for at in keys.iter().filter_map(|key| entry_of(root, key)) {
            let key = |parts: &Parts| LateEditKey { at: at.clone(), parts: parts.clone() };
            found.extend(late_edits.at(&at).map(|(parts, _)| key(parts)));
        }
    }
    found.into_iter().collect()
}

/// The result of taking a change into a document.
struct Learnt {
    is_new: bool,
    /// Whether it holds writes under the id of this device that this device does not know.
    is_of_own_id: bool,
    /// The keys where edits met.
    met: Met,
}

impl Engine {
    /// Returns the version of each document that this copy holds.
    pub(crate) fn held(&self) -> Result<Held> {
        self.in_view(|view| {
            let mut held = Held::default();
            for (name, fact) in documents_in(&view)? {
                if let Some(fact) = fact.filter(|fact| fact.is_pruned) {
                    held.versions.insert(name.clone(), fact.version());
                    held.pruned.insert(name);
                    continue;
                }
                let document = StoredDocument::new(view.clone(), &name);
                held.waiting.extend(document.waiting()?.into_iter().map(|waiting| waiting.hash));
                held.versions.insert(name.clone(), document.version()?);
                held.marks.insert(name, document.marks()?);
            }
            for (document, id) in self.damage.left(&view)?.into_keys().take(MAX_LISTED) {
                held.damaged.entry(document).or_default().push(id);
            }
            Ok(held)
        })
    }

    /// The updates that a copy with `theirs` lacks, with the name of the document each belongs to:
    /// of each everything that is integrated here as one, without what is damaged, then what is damaged
    /// there, and then those that wait. Of what they
    /// have given up, either nothing or all.
    pub(crate) fn changes_since(&self, theirs: &Held) -> Result<Vec<(String, Vec<u8>)>> {
        // Items that others have must not be lost here, or their numbers would be given out again.
        self.flush().map_err(|error| self.placed(error))?;
        self.in_view(|view| {
            let nothing = DocVersion::default();
            let mut updates = Vec::new();
            for (name, fact) in documents_in(&view)? {
                if fact.is_some_and(|fact| fact.is_pruned) {
                    continue;
                }
                let document = StoredDocument::new(view.clone(), &name);
                let known = theirs.versions.get(&name).unwrap_or(&nothing);
                if !document.version()?.is_known_to(known) {
                    let is_given_up = theirs.pruned.contains(&name);
                    let known = if is_given_up { &nothing } else { known };
                    let mut marks = vec![known.deletions];
                    marks.extend(
                        theirs.marks.get(&name).filter(|_| !is_given_up).into_iter().flatten(),
                    );
                    let deletions = document.deletions_since(&marks)?;
                    let given = changes_since(&document, &known.clocks, &deletions)?;
                    self.damage.add(&name, given.damaged);
                    if !given.is_empty {
                        updates.push((name.clone(), given.update));
                    }
                }
                if let Some(damaged) = theirs.damaged.get(&name) {
                    let contents = contents_of(&document, damaged)?;
                    updates.extend(contents.map(|update| (name.clone(), update)));
                }
                for Waiting { hash, .. } in document.waiting()? {
                    if !theirs.waiting.contains(&hash) {
                        let update = document.waiting_update(hash)?;
                        updates.extend(update.map(|update| (name.clone(), update)));
                    }
                }
            }
            Ok(updates)
        })
    }

    /// Reads documents without waiting for writers.
    pub(crate) fn in_view<T>(&self, read: impl FnOnce(Arc<View>) -> Result<T>) -> Result<T> {
        let read = || {
            if self.with_view(View::is_of_older_format) {
                self.upgrade(&mut *self.lock_writer()?)?;
            }
            read(self.view())
        };
        read().map_err(|error| self.placed(error))
    }

    /// Takes in an update of the current document.
    pub(crate) fn merge(&self, writer: &mut Writer, update: &[u8]) -> Result<MergeOutcome> {
        self.load(writer)?;
        let damaged = self.damage.of(&writer.current.to_string());
        self.change_current(writer, Origin::Remote, |document, own, changed| {
            document.begin_merge(damaged);
            let merged = merge(document, own, update)?;
            *changed = merged.changed;
            Ok(Learnt { is_new: merged.is_new, is_of_own_id: merged.is_of_own_id, met: merged.met })
        })
    }

    /// Writes to the current document what is not a transaction of the app's.
    pub(crate) fn write_roots(
        &self,
        writer: &mut Writer,
        ops: &[RootOp],
        origin: Origin,
    ) -> Result<MergeOutcome> {
        self.load(writer)?;
        let mut outcome = self.change_current(writer, origin, |document, own, changed| {
            write_ops(document, own.device, ops, changed)?;
            Ok(Learnt { is_new: true, is_of_own_id: false, met: Met::default() })
        })?;
        // The caller knows which it wrote.
        outcome.late_edits.clear();
        Ok(outcome)
    }

    /// Changes the current document in one commit, with what follows of it: an edit of this device is
    /// written again, late edits show or do not, and indexes are brought up to date.
    fn change_current(
        &self,
        writer: &mut Writer,
        origin: Origin,
        change: impl FnOnce(&mut StagedDocument<'_>, OwnIds<'_>, &mut ChangedKeys) -> Result<Learnt>,
    ) -> Result<MergeOutcome> {
        // Taken out, so that after an error, or a panic, it is read again.
        let Some(mut loaded) = writer.loaded.take() else { return Err(not_loaded()) };
        let view = self.view();
        self.cover_indexes(writer, &view)?;
        let base = loaded.document.stored();
        let done = self.store_if(writer, |writer, commit| {
            let mut document = commit.document(&base, self.declared(writer.current))?;
            let mut changed = ChangedKeys::new();
            let learnt = change(&mut document, writer.own_ids(), &mut changed)?;
            if !learnt.is_new {
                return Ok(None);
            }
            if learnt.is_of_own_id {
                // Another copy has written under our id, so this one is a restored backup. The new id
                // is recorded along with what told of it, and what follows is written under it.
                writer.renew_device(self.new_device());
            }
            let device = writer.device.unwrap_or_default();
            let edits = learnt.met.conclude(&mut document, writer.own_ids(), Writes::Again)?;
            for (root, key) in edits.rewritten {
                changed.entry(root).or_default().insert(key);
            }
            let lost = self.record_lost(commit, writer.current, &edits.lost, &edits.found)?;
            let had_late_edits = !loaded.late_edits.is_empty();
            let copies = self.copies(writer.current, writer.claim());
            loaded.update_late_edits(&mut changed, &document, copies)?;
            let late_edits = late_edits_in(&loaded.late_edits, &changed);
            if had_late_edits
                || !loaded.late_edits.is_empty()
                || changed.contains_key(Root::Seen.name().as_str())
            {
                let over = show(&loaded.late_edits, &mut document, copies, &changed)?;
                write_ops(&mut document, device, &over, &mut changed)?;
            }
            let pending = document.has_waiting()?;
            let effect = self.effect(document.finish()?);
            self.write_changed(commit, &view, &writer.indexes.facts, &effect)?;
            Ok(Some((effect, pending, late_edits, lost)))
        })?;
        let Some((effect, pending, late_edits, lost)) = done else {
            let pending = loaded.document.has_pending();
            writer.failure.take()?;
            writer.loaded = Some(loaded);
            return Ok(MergeOutcome { pending, ..MergeOutcome::default() });
        };
        loaded.document.follow(self.view());
        writer.loaded = Some(loaded);
        let mut outcome = self.outcome(effect, pending, origin, &view);
        outcome.late_edits = late_edits;
        self.tell_lost(lost)?;
        Ok(outcome)
    }

    /// Queues what observers are told, and says what happened.
    fn outcome(
        &self,
        effect: Vec<ChangedRoot>,
        pending: bool,
        origin: Origin,
        before: &Arc<View>,
    ) -> MergeOutcome {
        self.hub.push(origin, self.remote_changes(&effect), before, || self.view());
        let changed = effect.into_iter().filter_map(|changed| {
            let rows = changed.rows.into_iter().map(|row| (row.key, row.kind));
            Some((Root::parse(&changed.name)?, rows.collect()))
        });
        MergeOutcome { changed: changed.collect(), pending, late_edits: Vec::new() }
    }

    /// Returns the changes that readers see of a change of the current document.
    fn effect(&self, changes: Vec<EntryChange>) -> Vec<ChangedRoot> {
        let mut effect: Vec<ChangedRoot> = Vec::new();
        for change in changes.into_iter().filter(|change| change.is_visible) {
            let EntryChange { root, key, bytes, existed, now, .. } = change;
            let is_same = effect.last().is_some_and(|last| last.name == root);
            if !is_same {
                let target = match Root::parse(&root) {
                    Some(Root::Group(name)) => Target::Group(name),
                    Some(Root::Table(name)) => match self.def.table_idx(&name) {
                        Some(table_idx) => Target::Table(table_idx),
                        None => Target::Unknown,
                    },
                    _ => Target::Unknown,
                };
                effect.push(ChangedRoot { name: root, target, rows: Vec::new() });
            }
            let kind = ChangeKind::of(existed, now.is_some());
            let content = now.map(|(_, content)| content);
            if let Some(last) = effect.last_mut() {
                last.rows.push(ChangedEntry { key: key.to_string(), kind, content, bytes });
            }
        }
        effect.retain(|changed| !matches!(changed.target, Target::Unknown));
        effect
    }

    /// Brings the indexes up to date.
    fn write_changed(
        &self,
        commit: &Commit,
        view: &View,
        facts: &IndexFacts,
        changed: &[ChangedRoot],
    ) -> Result<()> {
        let total = changed.iter().map(|changed| changed.rows.len() as u64).sum();
        let mut done = 0;
        for ChangedRoot { target, rows, .. } in changed {
            if let Target::Table(table_idx) = target {
                let changes = rows.iter().filter_map(ChangedEntry::for_indexes);
                self.write_indexes(commit, view, facts, *table_idx, changes, false)?;
            }
            for _ in rows {
                done += 1;
                if done % REPORT_EVERY_ROWS == 0 {
                    self.settings.report(Progress::Merge { done, total });
                }
            }
        }
        Ok(())
    }

    fn remote_changes(&self, changed: &[ChangedRoot]) -> BTreeMap<Topic, Vec<Change>> {
        let mut by_topic = BTreeMap::new();
        for ChangedRoot { target, rows, .. } in changed {
            let topic = match target {
                Target::Table(table_idx) => Some(Topic::Table(*table_idx)),
                Target::Group(name) => self.def.group_idx(name).map(Topic::Group),
                Target::Unknown => None,
            };
            let Some(topic) = topic.filter(|topic| self.hub.listens(*topic)) else { continue };
            let changes: Vec<Change> = rows.iter().map(ChangedEntry::change).collect();
            if !changes.is_empty() {
                by_topic.insert(topic, changes);
            }
        }
        by_topic
    }
}

impl ChangedEntry {
    fn for_indexes(&self) -> Option<RowChange<'_>> {
        let after = self.content.as_ref().map(|content| match content {
            Content::Text(json) => Some(&**json),
            Content::Foreign(_) => None,
        });
        let existed = self.kind != ChangeKind::Inserted;
        Some(RowChange { key: self.bytes.as_deref()?, existed, after })
    }

    fn change(&self) -> Change {
        let json = self.content.as_ref().map(|content| match content {
            Content::Text(json) => json.to_string(),
            Content::Foreign(json) => json.clone(),
        });
        Change { key: self.key.clone(), kind: self.kind, json }
    }
}

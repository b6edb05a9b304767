//! Changes to and from other devices.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::claim::Claim;
use super::documents::DocName;
use super::hub::{Change, ChangeKind, Origin, Topic};
use super::indexes::RowChange;
use super::internal_writes::{LateEditChanges, RootOp};
use super::late_edits::{self, LateEditKey};
use super::loaded::{Loaded, LogState};
use super::open::Engine;
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::write::not_loaded;
use super::writer::Writer;
use crate::disk::{Commit, IndexFacts, Record, RecordKind, View};
use crate::doc::{BadUpdate, ChangedKeys, DocVersion, Document, Entry, Merged, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::TableIdx;

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
        // What came and is gone again shows in neither view.
        if existed || exists {
            all.insert(key, ChangeKind::of(existed, exists));
        }
    }
    all.into_iter().collect()
}

/// What a merge did, by table or group name.
#[derive(Debug, Default)]
pub(crate) struct MergeOutcome {
    /// Changed rows of declared tables and entries of all groups.
    pub(crate) changed: Vec<(Root, Vec<(String, ChangeKind)>)>,
    /// Whether updates wait for others that have not arrived.
    pub(crate) pending: bool,
    /// Late edits that changed, or were resolved.
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

/// One changed entry of the document and what it was.
struct ChangedEntry {
    key: String,
    kind: ChangeKind,
    entry: Option<Entry>,
    /// The key's bytes; `None` if its text does not parse as the table's key type.
    bytes: Option<Vec<u8>>,
}

/// Where changed entries belong in the read model.
enum Target {
    Table(TableIdx),
    /// Declared or not: entries are kept under their names, which need no type.
    Group(String),
    /// What the document keeps beside its rows.
    Bookkeeping(Root),
}

/// The changed entries of a root.
struct ChangedRoot {
    root: Root,
    target: Target,
    rows: Vec<ChangedEntry>,
}

/// What a change of the current document means to the read model.
#[derive(Default)]
struct Effect {
    roots: Vec<ChangedRoot>,
    /// Changed tables that this code does not declare.
    missed: Vec<String>,
}

impl Engine {
    /// How much of each document this copy holds, and which of them it has given up.
    pub(crate) fn versions(&self) -> Result<(BTreeMap<String, DocVersion>, BTreeSet<String>)> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer).map_err(|error| self.placed(error))?;
        self.complete_facts(&mut writer).map_err(|error| self.placed(error))?;
        let documents = writer.loaded_documents();
        let mut versions: BTreeMap<String, DocVersion> =
            documents.map(|(name, document)| (name, document.version())).collect();
        let mut pruned = BTreeSet::new();
        for (name, fact) in &writer.documents.0 {
            versions.insert(name.to_string(), fact.version());
            if fact.is_pruned {
                pruned.insert(name.to_string());
            }
        }
        Ok((versions, pruned))
    }

    /// The updates that a copy at `theirs` lacks, with the name of the document each belongs to:
    /// of each everything that is integrated here as one, and then those that wait. Of what they
    /// have given up, either nothing or all.
    pub(crate) fn changes_since(
        &self,
        theirs: &BTreeMap<String, DocVersion>,
        given_up: &BTreeSet<String>,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let mut writer = self.lock_writer()?;
        // What others have must not be lost here, or its numbers would be given out again.
        self.flush_held(&mut writer).map_err(|error| self.placed(error))?;
        self.load(&mut writer).map_err(|error| self.placed(error))?;
        self.complete_facts(&mut writer).map_err(|error| self.placed(error))?;
        let nothing = DocVersion::default();
        let known = |name: &str| theirs.get(name).unwrap_or(&nothing);
        let others: Vec<DocName> = writer
            .documents
            .present()
            .filter(|(name, fact)| {
                fact.waits || !fact.version().is_known_to(known(&name.to_string()))
            })
            .map(|(name, _)| name)
            .collect();
        for name in &others {
            self.load_other(&mut writer, *name).map_err(|error| self.placed(error))?;
        }
        let others = others
            .iter()
            .filter_map(|name| Some((name.to_string(), &writer.others.get(name)?.document)));
        let mut updates = Vec::new();
        let mut documents = writer.loaded_documents();
        for (name, document) in documents.next().into_iter().chain(others).chain(documents) {
            let theirs = known(&name);
            if !document.is_known_to(theirs) {
                let theirs = if given_up.contains(&name) { &nothing } else { theirs };
                updates.push((name.clone(), document.changes_since(theirs)));
            }
            let waiting = document.waiting().iter();
            updates.extend(waiting.map(|update| (name.clone(), update.clone())));
        }
        Ok(updates)
    }

    /// Takes in an update of the current document.
    pub(crate) fn merge(&self, writer: &mut Writer, update: &[u8]) -> Result<MergeOutcome> {
        self.load(writer)?;
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(mut loaded) = writer.loaded.take() else { return Err(not_loaded()) };
        let mut merged = merge_guarded(&mut loaded.document, update)?;
        let pending = loaded.document.has_pending();
        let LateEditChanges { late_edits, outrun } = loaded.update_late_edits(&mut merged.changed);
        // Under a new id the documents are loaded anew.
        let (now, later) =
            if merged.is_of_own_id { (Vec::new(), outrun) } else { (outrun, Vec::new()) };
        let rewritten = loaded.write(&now, &mut merged.changed)?;
        let view = self.view();
        let effect = self.effect(&loaded, writer.claim(), &view, merged.changed)?;

        if merged.is_of_own_id {
            // Another copy has written under our id, so this one is a restored backup. The new id
            // is recorded along with what told of it.
            writer.device = Some(self.new_device());
            writer.unrecorded.device = true;
        }
        if let Some(record) = &merged.record {
            let kind = if merged.waits { RecordKind::Waiting } else { RecordKind::Remote };
            let mut records = vec![Record::encode(record, kind)];
            records.extend(rewritten);
            self.store_effect(writer, &mut loaded.log, &view, &effect, records)?;
        }
        if merged.is_of_own_id {
            writer.forget_loaded();
        } else {
            writer.loaded = Some(loaded);
        }
        let mut outcome = self.outcome(effect, pending, Origin::Remote);
        outcome.late_edits = late_edits;
        if !later.is_empty() {
            outcome.add(self.write_roots(writer, &later, Origin::Remote)?);
        }
        Ok(outcome)
    }

    /// Writes to the current document what is not a transaction of the app's.
    pub(crate) fn write_roots(
        &self,
        writer: &mut Writer,
        ops: &[RootOp],
        origin: Origin,
    ) -> Result<MergeOutcome> {
        self.load(writer)?;
        let Some(mut loaded) = writer.loaded.take() else { return Err(not_loaded()) };
        let mut changed = ChangedKeys::new();
        let record = loaded.write(ops, &mut changed)?;
        let view = self.view();
        let effect = self.effect(&loaded, writer.claim(), &view, changed)?;
        self.store_effect(writer, &mut loaded.log, &view, &effect, record.into_iter().collect())?;
        let pending = loaded.document.has_pending();
        writer.loaded = Some(loaded);
        Ok(self.outcome(effect, pending, origin))
    }

    fn store_effect(
        &self,
        writer: &mut Writer,
        log: &mut LogState,
        view: &Arc<View>,
        effect: &Effect,
        records: Vec<Vec<u8>>,
    ) -> Result<()> {
        for table in &effect.missed {
            writer.coverage.miss(table);
            writer.unrecorded.coverage = true;
        }
        writer.unrecorded.coverage |= writer.coverage.cover(&self.def);
        self.cover_indexes(writer, view)?;
        let read_model = |writer: &mut Writer, commit: &Commit| {
            self.write_changed(commit, view, &writer.indexes.facts, &effect.roots)
        };
        self.store_with(writer, Some(log), read_model, || Ok(records))
    }

    /// Queues what observers are told, and says what happened.
    fn outcome(&self, effect: Effect, pending: bool, origin: Origin) -> MergeOutcome {
        self.hub.push(origin, self.remote_changes(&effect.roots), || self.view());
        let changed = effect.roots.into_iter().filter(|changed| {
            !changed.rows.is_empty() && !matches!(changed.target, Target::Bookkeeping(_))
        });
        let changed = changed.map(|changed| {
            let rows = changed.rows.into_iter().map(|row| (row.key, row.kind));
            (changed.root, rows.collect())
        });
        MergeOutcome { changed: changed.collect(), pending, late_edits: Vec::new() }
    }

    /// What the change of these keys means to readers.
    fn effect(
        &self,
        Loaded { document, late_edits, .. }: &Loaded,
        claim: Option<&Claim>,
        view: &Arc<View>,
        changed: ChangedKeys,
    ) -> Result<Effect> {
        let mut effect = Effect::default();
        for (root_name, keys) in &changed {
            let Some(root) = Root::parse(root_name) else { continue };
            let target = match &root {
                Root::Group(name) => Target::Group(name.clone()),
                Root::Table(name) => match self.def.table_idx(name) {
                    Some(table_idx) => Target::Table(table_idx),
                    None => {
                        effect.missed.push(name.clone());
                        continue;
                    }
                },
                other => Target::Bookkeeping(other.clone()),
            };
            let mut rows = Vec::with_capacity(keys.len());
            let mut at = EntryRef::new(&**root_name, "");
            for key in keys {
                (**key).clone_into(&mut at.key);
                let entry = late_edits::entry(document, late_edits, claim, &at);
                let (bytes, was) = self.row_before(view, &target, key)?;
                if was != entry.as_ref().map(|entry| entry.id) {
                    let kind = ChangeKind::of(was.is_some(), entry.is_some());
                    rows.push(ChangedEntry { key: key.to_string(), kind, entry, bytes });
                }
            }
            // In the order of the file, which redb writes fastest.
            rows.sort_by(|a, b| a.bytes.cmp(&b.bytes));
            effect.roots.push(ChangedRoot { root, target, rows });
        }
        Ok(effect)
    }

    /// The key's bytes, where it is one of a table's type, and the item that readers see.
    fn row_before(
        &self,
        view: &View,
        target: &Target,
        key: &str,
    ) -> Result<(Option<Vec<u8>>, Option<ItemId>)> {
        let document = view.document_name();
        Ok(match target {
            Target::Table(table_idx) => match (self.def.tables[*table_idx].read_key)(key) {
                Some(bytes) => {
                    let was = view.row(*table_idx, &bytes)?.map(|row| row.id());
                    (Some(bytes), was)
                }
                None => (None, view.stray(*table_idx, key)?),
            },
            Target::Group(name) => (None, view.entry_id(document, name, key)?),
            Target::Bookkeeping(root) => (None, view.bookkeeping_id(document, &root.name(), key)?),
        })
    }

    fn write_changed(
        &self,
        commit: &Commit,
        view: &View,
        facts: &IndexFacts,
        changed: &[ChangedRoot],
    ) -> Result<()> {
        let total = changed.iter().map(|changed| changed.rows.len() as u64).sum();
        let mut done = 0;
        let mut count = || {
            done += 1;
            if done % REPORT_EVERY_ROWS == 0 {
                self.settings.report(Progress::Merge { done, total });
            }
        };
        let document = view.document_name();
        for ChangedRoot { target, rows, .. } in changed {
            let mut entries = match target {
                Target::Table(table_idx) => {
                    let changes = rows.iter().filter_map(ChangedEntry::for_indexes);
                    self.write_indexes(commit, view, facts, *table_idx, changes, false)?;
                    let mut table = commit.rows(document, self.def.tables[*table_idx].name)?;
                    for row in rows {
                        match (&row.bytes, &row.entry) {
                            (Some(key), Some(entry)) => {
                                table.put(key, entry.id, &entry.content)?;
                            }
                            (Some(key), None) => table.remove(key)?,
                            (None, entry) => {
                                let entry = entry.as_ref().map(|entry| (entry.id, &entry.content));
                                table.set_stray(&row.key, entry)?;
                            }
                        }
                        count();
                    }
                    continue;
                }
                Target::Group(name) => commit.entries(document, name)?,
                Target::Bookkeeping(root) => commit.bookkeeping(document, &root.name())?,
            };
            for row in rows {
                match &row.entry {
                    Some(entry) => entries.put(&row.key, entry.id, &entry.content)?,
                    None => entries.remove(&row.key)?,
                }
                count();
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
                Target::Bookkeeping(_) => None,
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

/// Refuses bytes that are no update, before any of the changes they came with are taken in.
pub(crate) fn check_update(update: &[u8]) -> Result<()> {
    refusing(|| Document::check_update(update))
}

pub(super) fn merge_guarded(document: &mut Document, update: &[u8]) -> Result<Merged> {
    refusing(|| document.merge(update))
}

/// Runs yrs on bytes from elsewhere. A panic on what no yrs has written must not reach the app.
fn refusing<T>(read: impl FnOnce() -> Result<T, BadUpdate>) -> Result<T> {
    let refused = || {
        Error::new(ErrorKind::InvalidUpdate, "the changes do not decode")
            .help("nothing was changed; ask the other device for its changes again")
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| refused().because(error)),
        Err(_) => Err(refused()),
    }
}

impl ChangedEntry {
    fn for_indexes(&self) -> Option<RowChange<'_>> {
        let after = self.entry.as_ref().map(|entry| match &entry.content {
            Content::Text(json) => Some(&**json),
            Content::Foreign(_) => None,
        });
        let existed = self.kind != ChangeKind::Inserted;
        Some(RowChange { key: self.bytes.as_deref()?, existed, after })
    }

    fn change(&self) -> Change {
        let json = self.entry.as_ref().map(|entry| match &entry.content {
            Content::Text(json) => json.to_string(),
            Content::Foreign(json) => json.clone(),
        });
        Change { key: self.key.clone(), kind: self.kind, json }
    }
}

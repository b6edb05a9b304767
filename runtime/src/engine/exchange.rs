//! Changes to and from other devices.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::hub::{Change, ChangeKind, Origin, Topic};
use super::indexes::RowChange;
use super::loaded::{Loaded, new_device};
use super::open::Engine;
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::write::not_loaded;
use super::writer::Writer;
use crate::disk::{Commit, DATA_DOCUMENT, Record, RecordKind, View};
use crate::doc::{BadUpdate, DocVersion, Document, Entry, Merged, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::row::Content;

/// What a merge did, by table or group name.
#[derive(Debug, Default)]
pub(crate) struct MergeOutcome {
    /// Changed rows of declared tables and entries of all groups.
    pub(crate) changed: Vec<(Root, Vec<(String, ChangeKind)>)>,
    /// Whether updates wait for others that have not arrived.
    pub(crate) pending: bool,
}

impl MergeOutcome {
    /// Adds what a later merge did.
    pub(crate) fn add(&mut self, later: Self) {
        self.pending = later.pending;
        for (root, changes) in later.changed {
            match self.changed.iter_mut().find(|(known, _)| *known == root) {
                Some((_, known)) => known.extend(changes),
                None => self.changed.push((root, changes)),
            }
        }
    }
}

/// One changed entry of the document and what it was.
struct Touched {
    key: String,
    kind: ChangeKind,
    entry: Option<Entry>,
    /// The key's bytes; `None` where it is none of the table's type.
    bytes: Option<Vec<u8>>,
}

/// Where changed entries belong in the read model.
enum Target {
    Table(usize),
    /// Declared or not: entries are kept under their names, which need no type.
    Group(String),
}

impl Engine {
    /// How much of each document this copy holds.
    pub(crate) fn versions(&self) -> Result<BTreeMap<String, DocVersion>> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer).map_err(|error| self.placed(error))?;
        let documents = writer.documents();
        let versions = documents.map(|(name, document)| (name.to_owned(), document.version()));
        Ok(versions.collect())
    }

    /// The updates that a copy at `theirs` lacks, with the name of the document each belongs to:
    /// of each everything that is integrated here as one, and then those that wait.
    pub(crate) fn changes_since(
        &self,
        theirs: &BTreeMap<String, DocVersion>,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let mut writer = self.lock_writer()?;
        // What others have must not be lost here, or its numbers would be given out again.
        self.flush_held(&mut writer).map_err(|error| self.placed(error))?;
        self.load(&mut writer).map_err(|error| self.placed(error))?;
        let nothing = DocVersion::default();
        let mut updates = Vec::new();
        for (name, document) in writer.documents() {
            let theirs = theirs.get(name).unwrap_or(&nothing);
            if !document.is_known_to(theirs) {
                updates.push((name.to_owned(), document.changes_since(theirs)));
            }
            let waiting = document.waiting().iter();
            updates.extend(waiting.map(|update| (name.to_owned(), update.clone())));
        }
        Ok(updates)
    }

    /// Takes in an update of the data document.
    pub(crate) fn merge(&self, update: &[u8]) -> Result<MergeOutcome> {
        let mut writer = self.lock_writer()?;
        let outcome = self.merge_locked(&mut writer, update).map_err(|error| self.placed(error))?;
        drop(writer);
        self.hub.deliver();
        Ok(outcome)
    }

    fn merge_locked(&self, writer: &mut Writer, update: &[u8]) -> Result<MergeOutcome> {
        self.load(writer)?;
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(Loaded { mut document, mut log }) = writer.loaded.take() else {
            return Err(not_loaded());
        };
        let merged = merge_guarded(&mut document, update)?;
        let pending = document.has_pending();
        let (touched, missed) = self.touched(&document, &self.view(), &merged)?;

        if merged.is_of_own_id {
            // Another copy has written under our id, so this one is a restored backup. The new id
            // is recorded along with what told of it.
            writer.device = Some(new_device());
            writer.unrecorded.device = true;
        }
        for table in &missed {
            writer.coverage.miss(table);
            writer.unrecorded.coverage = true;
        }
        if let Some(record) = &merged.record {
            writer.unrecorded.coverage |= writer.coverage.cover(&self.def);
            let view = self.view();
            self.cover_indexes(writer, &view)?;
            let kind = if merged.waits { RecordKind::Waiting } else { RecordKind::Remote };
            let record = Record::encode(record, kind);
            let read_model = |commit: &Commit| self.write_touched(commit, &view, &touched);
            self.store(writer, Some(&mut log), read_model, || Ok(Some(record)))?;
        }
        // Under a new id the documents are loaded anew.
        if merged.is_of_own_id {
            writer.head = None;
        } else {
            writer.loaded = Some(Loaded { document, log });
        }
        self.hub.push(Origin::Remote, self.noted_remote(&touched), || self.view());
        let changed = touched.into_iter().filter(|(_, _, rows)| !rows.is_empty());
        let changed = changed.map(|(root, _, rows)| {
            (root, rows.into_iter().map(|row| (row.key, row.kind)).collect())
        });
        Ok(MergeOutcome { changed: changed.collect(), pending })
    }

    /// The entries that really changed, by root, and the tables that this code does not declare.
    #[expect(clippy::type_complexity, reason = "named nowhere else")]
    fn touched(
        &self,
        document: &Document,
        view: &Arc<View>,
        merged: &Merged,
    ) -> Result<(Vec<(Root, Target, Vec<Touched>)>, Vec<String>)> {
        let mut touched = Vec::new();
        let mut missed = Vec::new();
        for (root_name, keys) in &merged.changed {
            let Some(root) = Root::parse(root_name) else { continue };
            let target = match &root {
                Root::Group(name) => Target::Group(name.clone()),
                Root::Table(name) => {
                    match self.def.tables.iter().position(|table| table.name == name) {
                        Some(slot) => Target::Table(slot),
                        None => {
                            missed.push(name.clone());
                            continue;
                        }
                    }
                }
            };
            let before = match &target {
                Target::Group(name) => view.entries(DATA_DOCUMENT, name)?,
                Target::Table(_) => Vec::new(),
            };
            let mut rows = Vec::with_capacity(keys.len());
            for key in keys {
                let entry = document.entry(root_name, key);
                let (bytes, was) = match &target {
                    Target::Table(slot) => match (self.def.tables[*slot].read_key)(key) {
                        Some(bytes) => {
                            let was = view.row(*slot, &bytes)?.map(|row| row.id());
                            (Some(bytes), was)
                        }
                        None => (None, view.stray(*slot, key)?),
                    },
                    Target::Group(_) => {
                        let was = before.iter().find(|(name, ..)| **name == **key);
                        (None, was.map(|(_, id, _)| *id))
                    }
                };
                if was != entry.as_ref().map(|entry| entry.id) {
                    let kind = ChangeKind::of(was.is_some(), entry.is_some());
                    rows.push(Touched { key: key.to_string(), kind, entry, bytes });
                }
            }
            // In the order of the file, which redb writes fastest.
            rows.sort_by(|a, b| a.bytes.cmp(&b.bytes));
            touched.push((root, target, rows));
        }
        Ok((touched, missed))
    }

    fn write_touched(
        &self,
        commit: &Commit,
        view: &View,
        touched: &[(Root, Target, Vec<Touched>)],
    ) -> Result<()> {
        let total = touched.iter().map(|(_, _, rows)| rows.len() as u64).sum();
        let mut done = 0;
        let mut count = || {
            done += 1;
            if done % REPORT_EVERY_ROWS == 0 {
                self.settings.report(Progress::Merge { done, total });
            }
        };
        for (_, target, rows) in touched {
            match target {
                Target::Table(slot) => {
                    let changes = rows.iter().filter_map(Touched::for_indexes);
                    self.write_indexes(commit, view, *slot, changes, false)?;
                    let mut table = commit.rows(DATA_DOCUMENT, self.def.tables[*slot].name)?;
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
                }
                Target::Group(name) => {
                    let mut group = commit.entries(DATA_DOCUMENT, name)?;
                    for row in rows {
                        match &row.entry {
                            Some(entry) => group.put(&row.key, entry.id, &entry.content)?,
                            None => group.remove(&row.key)?,
                        }
                        count();
                    }
                }
            }
        }
        Ok(())
    }

    fn noted_remote(
        &self,
        touched: &[(Root, Target, Vec<Touched>)],
    ) -> BTreeMap<Topic, Vec<Change>> {
        let mut noted = BTreeMap::new();
        for (_, target, rows) in touched {
            let topic = match target {
                Target::Table(slot) => Some(Topic::Table(*slot)),
                Target::Group(name) => {
                    let slot = self.def.groups.iter().position(|group| group.name == name);
                    slot.map(Topic::Group)
                }
            };
            let Some(topic) = topic.filter(|topic| self.hub.listens(*topic)) else { continue };
            let changes: Vec<Change> = rows.iter().map(Touched::noted).collect();
            if !changes.is_empty() {
                noted.insert(topic, changes);
            }
        }
        noted
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
        Error::new(ErrorKind::Update, "the changes do not decode")
            .help("nothing was changed; ask the other device for its changes again")
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| refused().because(error)),
        Err(_) => Err(refused()),
    }
}

impl Touched {
    fn for_indexes(&self) -> Option<RowChange<'_>> {
        let after = self.entry.as_ref().map(|entry| match &entry.content {
            Content::Text(json) => Some(&**json),
            Content::Foreign(_) => None,
        });
        let existed = self.kind != ChangeKind::Inserted;
        Some(RowChange { key: self.bytes.as_deref()?, existed, after })
    }

    fn noted(&self) -> Change {
        let json = self.entry.as_ref().map(|entry| match &entry.content {
            Content::Text(json) => json.to_string(),
            Content::Foreign(json) => json.clone(),
        });
        Change { key: self.key.clone(), kind: self.kind, json }
    }
}

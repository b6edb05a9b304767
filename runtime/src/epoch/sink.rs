//! A new document being filled: rows go into the document and into the file side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use super::convert::{NewRow, Rejected, Sink};
use super::row_chunk::{ChunkRow, RowChunk};
use crate::disk::{Commit, Record, RecordKind, RowsMut};
use crate::doc::{Root, update_of};
use crate::engine::{CopySource, DocName, LateEdit, LateEditKey, StoppedAt};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};
use crate::schema::step::Failure;

/// New entries of one root, on their way into document and file.
pub(super) struct EntryChunk {
    root: Root,
    /// The item of the first one.
    first: ItemId,
    entries: RowChunk,
}

/// Gives the record of the document for each chunk.
pub(super) fn write_records(chunks: &Receiver<Arc<EntryChunk>>, records: &Sender<Vec<u8>>) {
    for chunk in chunks {
        let entries = chunk.entries.rows().map(|row| (row.key_text, row.json));
        let update = update_of(&chunk.root, chunk.first, entries);
        if records.send(Record::encode(&update, RecordKind::Local)).is_err() {
            return;
        }
    }
}

/// What the migration wrote, once it is done.
pub(super) struct Written {
    pub(super) baseline: u32,
    /// Up to which clock, and where that comes from.
    pub(super) sources: Vec<(u32, CopySource)>,
    /// How many records the document has.
    pub(super) last: u64,
    pub(super) rejected: u64,
    /// The tables in which rows have come under other keys, with their epochs.
    pub(super) moved: BTreeSet<(u32, &'static str)>,
}

pub(super) struct DocumentSink<'s> {
    commit: &'s Commit,
    def: &'s StoreDef,
    /// The document that is filled.
    name: String,
    /// The one that rows come from.
    source: DocName,
    /// The client that writes it.
    client: u64,
    /// The source of the rows that are taken in this pass; that of all others is counted as left.
    pub(super) pass: Option<CopySource>,
    /// Sources that were left out so far.
    pub(super) left: Vec<CopySource>,
    /// What is being collected, the root that it belongs to, and the table if the code declares it.
    entries: RowChunk,
    root: Root,
    table_idx: Option<TableIdx>,
    /// The greatest key of the table that is in the file.
    greatest: Option<Vec<u8>>,
    /// The other entries in the document: nothing is written twice.
    known: BTreeSet<EntryRef>,
    clock: u32,
    last: u64,
    rejected: BTreeMap<String, LateEdit>,
    moved: BTreeSet<(u32, &'static str)>,
    sources: Vec<(u32, CopySource)>,
    chunks: SyncSender<Arc<EntryChunk>>,
    records: Receiver<Vec<u8>>,
    on_reject: &'s mut dyn FnMut(&Rejected) -> Result<()>,
}

impl<'s> DocumentSink<'s> {
    #[expect(clippy::too_many_arguments, reason = "made in one place")]
    pub(super) fn new(
        commit: &'s Commit,
        def: &'s StoreDef,
        name: &DocName,
        source: DocName,
        client: u64,
        chunks: SyncSender<Arc<EntryChunk>>,
        records: Receiver<Vec<u8>>,
        on_reject: &'s mut dyn FnMut(&Rejected) -> Result<()>,
    ) -> Self {
        Self {
            commit,
            def,
            name: name.to_string(),
            source,
            client,
            pass: None,
            left: Vec::new(),
            entries: RowChunk::default(),
            root: Root::Quarantine,
            table_idx: None,
            greatest: None,
            known: BTreeSet::new(),
            clock: 0,
            last: 0,
            rejected: BTreeMap::new(),
            moved: BTreeSet::new(),
            sources: Vec::new(),
            chunks,
            records,
            on_reject,
        }
    }

    /// Whether rows of this source are taken now; the first one found decides for the pass.
    fn takes(&mut self, source: CopySource) -> bool {
        let is_taken = *self.pass.get_or_insert(source) == source;
        if !is_taken && !self.left.contains(&source) {
            self.left.push(source);
        }
        is_taken
    }

    /// Ends a pass: what was written in it is all of one source.
    pub(super) fn end_pass(&mut self) -> Result<()> {
        self.flush()?;
        // The next pass begins with its first table again, which may be the one that this ended with.
        (self.root, self.table_idx) = (Root::Quarantine, None);
        let source = self.pass.take().unwrap_or(CopySource::Made);
        match self.sources.last_mut() {
            Some((end, last)) if *last == source => *end = self.clock,
            _ if self.clock > 0 => self.sources.push((self.clock, source)),
            _ => {}
        }
        Ok(())
    }

    /// Goes to a root; what was collected for another one is written.
    fn at(&mut self, root: Root, table_idx: Option<TableIdx>) -> Result<()> {
        if self.root != root {
            self.flush()?;
            self.root = root;
            self.table_idx = table_idx;
            self.greatest = None;
            if let Some(table_idx) = table_idx {
                let rows = self.commit.rows(&self.name, self.def.tables[table_idx].name)?;
                self.greatest = rows.greatest()?;
            }
        }
        Ok(())
    }

    fn at_table(&mut self, table_idx: TableIdx) -> Result<()> {
        if self.table_idx == Some(table_idx) {
            return Ok(());
        }
        self.at(Root::Table(self.def.tables[table_idx].name.to_owned()), Some(table_idx))
    }

    fn flush(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.entries);
        self.write(entries)
    }

    /// Writes entries of the root to document and file.
    fn write(&mut self, mut entries: RowChunk) -> Result<()> {
        let mut rows = match (&self.root, self.table_idx) {
            (Root::Table(table), Some(_)) => Some(self.commit.rows(&self.name, table)?),
            _ => None,
        };
        if let Some(rows) = &rows {
            for row in entries.sort(|key| {
                let is_new = self.greatest.as_deref().is_none_or(|greatest| greatest < key);
                if is_new { Ok(false) } else { rows.contains(key) }
            })? {
                self.reject_twice(row)?;
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let first = ItemId { client: self.client, clock: self.clock };
        self.clock = u32::try_from(entries.len())
            .ok()
            .and_then(|written| first.clock.checked_add(written))
            .ok_or_else(too_many)?;
        let chunk = Arc::new(EntryChunk { root: self.root.clone(), first, entries });
        self.chunks.send(chunk.clone()).map_err(|_| stopped())?;
        match &mut rows {
            Some(rows) => self.greatest = write_rows(rows, &chunk)?.max(self.greatest.take()),
            None => self.write_entries(&chunk)?,
        }
        while let Ok(record) = self.records.try_recv() {
            self.append(&record)?;
        }
        Ok(())
    }

    /// Writes entries that are no rows of the code to the file.
    fn write_entries(&self, chunk: &EntryChunk) -> Result<()> {
        let mut entries = match &chunk.root {
            // A table that the code does not know is read out of the document once some code does.
            Root::Table(_) => return Ok(()),
            Root::Group(group) => self.commit.entries(&self.name, group)?,
            other => self.commit.bookkeeping(&self.name, &other.name())?,
        };
        let mut rows = chunk.ids().zip(chunk.entries.rows());
        rows.try_for_each(|(id, row)| {
            entries.put(row.key_text, id, &Content::Text(row.json.into()))
        })?;
        drop(entries);
        if chunk.root == Root::Forwarded { self.show_late(chunk) } else { Ok(()) }
    }

    /// Late edits are carried over, and show where there is no row: the row could not be converted.
    fn show_late(&self, chunk: &EntryChunk) -> Result<()> {
        let mut highest: BTreeMap<(TableIdx, Vec<u8>), (DocName, ItemId, String)> = BTreeMap::new();
        for (id, row) in chunk.ids().zip(chunk.entries.rows()) {
            let edit = LateEdit::read(&Content::Text(row.json.into()));
            let (Some(LateEditKey { source, at, .. }), Some(value)) =
                (LateEditKey::parse(row.key_text), edit.and_then(|edit| edit.value))
            else {
                continue;
            };
            let Some(Root::Table(name)) = Root::parse(&at.root) else { continue };
            let Some(table) = self.def.table_idx(&name) else { continue };
            let Some(key) = (self.def.tables[table].read_key)(&at.key) else { continue };
            let shown = highest.entry((table, key)).or_insert((source, id, value.clone()));
            if shown.0 < source {
                *shown = (source, id, value);
            }
        }
        for ((table, key), (_, id, json)) in highest {
            let mut rows = self.commit.rows(&self.name, self.def.tables[table].name)?;
            if !rows.contains(&key)? {
                rows.write_sorted(std::iter::once((key.as_slice(), Some((id, json.as_str())))))?;
            }
        }
        Ok(())
    }

    fn append(&mut self, record: &[u8]) -> Result<()> {
        self.last += 1;
        self.commit.append_snapshot(&self.name, self.last, record)
    }

    fn add(&mut self, row: ChunkRow<'_>) -> Result<()> {
        self.entries.push(row);
        if self.entries.is_full() { self.flush() } else { Ok(()) }
    }

    /// Keeps an entry as it is, whatever it is; of several under one key the first.
    pub(super) fn keep(&mut self, root: &Root, key: &str, json: &str) -> Result<()> {
        if !self.known.insert(EntryRef::new(root.name(), key)) {
            return Ok(());
        }
        self.at(root.clone(), None)?;
        self.add(ChunkRow { key: None, key_text: key, source: CopySource::Made, json })
    }

    fn reject_twice(&mut self, row: NewRow) -> Result<()> {
        let failure = Failure {
            field: None,
            expected: Some("a key of its own".to_owned()),
            found: None,
            reason: "another row has been given the same key".to_owned(),
        };
        let (root, key) = (self.root.clone(), row.key_text);
        // It was converted all the way.
        let stopped_at = StoppedAt::new(self.def.epoch, EntryRef::new(root.name(), key.as_str()));
        self.reject(Rejected { root, key, raw: row.json, stopped_at, failure })
    }

    /// Writes what could not be converted, and waits until everything is in the document.
    pub(super) fn finish(mut self) -> Result<Written> {
        let rejected = std::mem::take(&mut self.rejected);
        let count = rejected.len() as u64;
        for (key, edit) in &rejected {
            let json = serde_json::to_string(edit).map_err(|error| {
                Error::new(ErrorKind::Storage, "a quarantined row does not serialize")
                    .because(error)
            })?;
            self.keep(&Root::Quarantine, key, &json)?;
        }
        self.end_pass()?;
        let Self { commit, name, clock, mut last, sources, moved, chunks, records, .. } = self;
        drop(chunks);
        for record in records {
            last += 1;
            commit.append_snapshot(&name, last, &record)?;
        }
        Ok(Written { baseline: clock, sources, last, rejected: count, moved })
    }
}

impl EntryChunk {
    fn ids(&self) -> impl Iterator<Item = ItemId> + use<> {
        let client = self.first.client;
        (self.first.clock..).map(move |clock| ItemId { client, clock })
    }
}

/// Writes the rows of a sorted chunk to their table; gives the greatest key.
fn write_rows(rows: &mut RowsMut<'_>, chunk: &EntryChunk) -> Result<Option<Vec<u8>>> {
    let keyed = chunk.entries.keyed_rows();
    let strays = chunk.ids().zip(chunk.entries.rows()).skip(keyed.len());
    for (id, row) in strays {
        rows.set_stray(row.key_text, Some((id, &Content::Text(row.json.into()))))?;
    }
    rows.write_sorted(keyed.zip(chunk.ids()).map(|((key, json), id)| (key, Some((id, json)))))?;
    Ok(chunk.entries.keyed_rows().last().map(|(key, _)| key.to_vec()))
}

impl Sink for DocumentSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        if !self.takes(row.source) {
            return Ok(());
        }
        self.at_table(table_idx)?;
        self.add(ChunkRow {
            key: row.key.as_deref(),
            key_text: &row.key_text,
            source: row.source,
            json: &row.json,
        })
    }

    fn rows(&mut self, table_idx: TableIdx, mut chunk: RowChunk) -> Result<()> {
        chunk.retain(|source| self.takes(source));
        self.at_table(table_idx)?;
        self.flush()?;
        self.write(chunk)
    }

    fn entry(
        &mut self,
        group_idx: GroupIdx,
        name: &str,
        source: CopySource,
        json: &str,
    ) -> Result<()> {
        if !self.takes(source) {
            return Ok(());
        }
        self.keep(&Root::Group(self.def.groups[group_idx].name.to_owned()), name, json)
    }

    fn moved(&mut self, epoch: u32, table: &'static str) {
        self.moved.insert((epoch, table));
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let of = EntryRef::new(rejected.root.name(), rejected.key.as_str());
        let mut key = LateEditKey::new(self.source, of.clone());
        // Of two rows under one key each is kept.
        let is_other = |edit: &LateEdit| edit.raw.as_deref() != Some(&rejected.raw);
        while self.rejected.get(&key.to_text()).is_some_and(is_other) {
            key = key.next();
        }
        let text = key.to_text();
        if !self.rejected.contains_key(&text) {
            (self.on_reject)(&rejected)?;
            let reason = describe(&rejected.failure);
            self.rejected.insert(
                text,
                LateEdit {
                    stopped_at: rejected.stopped_at.unless_in(self.source, &of),
                    of,
                    items: Vec::new(),
                    value: None,
                    reason: Some(reason),
                    raw: Some(rejected.raw),
                    made: false,
                },
            );
        }
        Ok(())
    }
}

/// Why something could not be converted, with its field.
pub(super) fn describe(failure: &Failure) -> String {
    let mut text = failure.reason.clone();
    if let Some(field) = &failure.field {
        text.push_str(&format!(" (field `{field}`"));
        if let Some(expected) = &failure.expected {
            text.push_str(&format!(", expected {expected}"));
        }
        if let Some(found) = &failure.found {
            text.push_str(&format!(", found {found}"));
        }
        text.push(')');
    }
    text
}

fn stopped() -> Error {
    Error::new(ErrorKind::Corrupt, "the new document refuses a row")
        .help("nothing was changed; run `check` on the file")
}

fn too_many() -> Error {
    Error::new(ErrorKind::Migration, "a document holds at most 4,294,967,295 rows and entries")
        .help("nothing was changed; split the store")
}

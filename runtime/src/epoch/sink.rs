//! A new document being filled.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::{NewRow, Rejected, Sink};
use super::row_chunk::{ChunkRow, RowChunk};
use crate::disk::StagedDocument;
use crate::doc::{EntryOp, EntryWrite, Root, write};
use crate::engine::{CopySource, DocName, LateEdit, LateEditKey, StoppedAt};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};
use crate::schema::step::Failure;

/// What the migration wrote, once it is done.
pub(super) struct Written {
    pub(super) baseline: u32,
    /// Up to which clock, and where that comes from.
    pub(super) sources: Vec<(u32, CopySource)>,
    pub(super) rejected: u64,
    /// The tables in which rows have come under other keys, with their epochs.
    pub(super) moved: BTreeSet<(u32, &'static str)>,
}

pub(super) struct DocumentSink<'s> {
    /// The document that is filled.
    document: StagedDocument<'s>,
    def: &'s StoreDef,
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
    rejected: BTreeMap<String, LateEdit>,
    moved: BTreeSet<(u32, &'static str)>,
    sources: Vec<(u32, CopySource)>,
    on_reject: &'s mut dyn FnMut(&Rejected) -> Result<()>,
}

impl<'s> DocumentSink<'s> {
    pub(super) fn new(
        document: StagedDocument<'s>,
        def: &'s StoreDef,
        source: DocName,
        client: u64,
        on_reject: &'s mut dyn FnMut(&Rejected) -> Result<()>,
    ) -> Self {
        Self {
            document,
            def,
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
            rejected: BTreeMap::new(),
            moved: BTreeSet::new(),
            sources: Vec::new(),
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
            if table_idx.is_some() {
                self.greatest = self.document.greatest_row(&self.root.name())?;
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

    /// Writes entries of the root.
    fn write(&mut self, mut entries: RowChunk) -> Result<()> {
        let root = self.root.name();
        if self.table_idx.is_some() {
            let (greatest, document) = (self.greatest.as_deref(), &mut self.document);
            for row in entries.sort(|key| {
                let is_new = greatest.is_none_or(|greatest| greatest < key);
                if is_new { Ok(false) } else { document.has_row(&root, key) }
            })? {
                self.reject_twice(row)?;
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let first = self.clock;
        self.clock = u32::try_from(entries.len())
            .ok()
            .and_then(|written| first.checked_add(written))
            .ok_or_else(too_many)?;
        let ops = entries.rows().map(|row| EntryOp {
            root: &root,
            key: row.key_text,
            write: EntryWrite::Put(row.json),
        });
        write(&mut self.document, self.client, ops)?;
        if self.table_idx.is_some() {
            let last = entries.keyed_rows().last().map(|(key, _)| key.to_vec());
            self.greatest = last.max(self.greatest.take());
        }
        if self.root == Root::Forwarded { self.show_late(first, &entries) } else { Ok(()) }
    }

    /// Late edits are carried over, and show where there is no row: the row could not be converted.
    fn show_late(&mut self, first: u32, entries: &RowChunk) -> Result<()> {
        let mut highest: BTreeMap<EntryRef, (DocName, ItemId, String)> = BTreeMap::new();
        for (clock, row) in (first..).zip(entries.rows()) {
            let edit = LateEdit::read(&Content::Text(row.json.into()));
            let (Some(LateEditKey { source, at, .. }), Some(value)) =
                (LateEditKey::parse(row.key_text), edit.and_then(|edit| edit.value))
            else {
                continue;
            };
            let Some(Root::Table(_)) = Root::parse(&at.root) else { continue };
            let id = ItemId { client: self.client, clock };
            let shown = highest.entry(at).or_insert((source, id, value.clone()));
            if shown.0 < source {
                *shown = (source, id, value);
            }
        }
        for (at, (_, id, json)) in highest {
            self.document.show_where_nothing_is(&at, id, &json)?;
        }
        Ok(())
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

    /// Writes what could not be converted, and what is still collected.
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
        let Self { document, clock, sources, moved, .. } = self;
        document.finish()?;
        Ok(Written { baseline: clock, sources, rejected: count, moved })
    }
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

fn too_many() -> Error {
    Error::new(ErrorKind::Migration, "a document holds at most 4,294,967,295 rows and entries")
        .help("nothing was changed; split the store")
}

//! A new document being filled.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::{NewRow, Rejected, Sink};
use super::row_chunk::{ChunkRow, RowChunk};
use crate::disk::StagedDocument;
use crate::doc::{EntryOp, EntryWrite, Root, write};
use crate::engine::{
    Base, DocName, FrontierWriter, LateEdit, LateEditKey, MARK, Part, Parts, StoppedAt, rank_of,
    taken_in_key,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};
use crate::schema::step::Failure;

/// The writes of a migration, once it is done.
pub(super) struct Written {
    pub(super) baseline: u32,
    /// The parts that its copies stand for.
    pub(super) frontier: FrontierWriter,
    /// The parts that it stored beside them: late edits, and rows that could not be converted.
    pub(super) late: Parts,
    /// Those of them that could not be converted.
    pub(super) rejected: Parts,
}

pub(super) struct DocumentSink<'s> {
    /// The document that is filled.
    document: StagedDocument<'s>,
    def: &'s StoreDef,
    /// The one that rows come from.
    source: DocName,
    /// The client that writes it.
    client: u64,
    /// The rows being collected, the root that they belong to, and the table if the code declares it.
    entries: RowChunk,
    root: Root,
    table_idx: Option<TableIdx>,
    /// The greatest key of the table that is in the file.
    greatest: Option<Vec<u8>>,
    /// The other entries in the document: nothing is written twice.
    known: BTreeSet<EntryRef>,
    clock: u32,
    /// The late edits that are stored beside the copies.
    late: BTreeMap<LateEditKey, LateEdit>,
    rejected: Parts,
    frontier: FrontierWriter,
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
            entries: RowChunk::default(),
            root: Root::Seen,
            table_idx: None,
            greatest: None,
            known: BTreeSet::new(),
            clock: 0,
            late: BTreeMap::new(),
            rejected: Parts::new(),
            frontier: FrontierWriter::default(),
            on_reject,
        }
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
        if !matches!(self.root, Root::Forwarded | Root::Seen) {
            for ChunkRow { base, key_text, json, .. } in entries.rows() {
                self.frontier.push(base, &root, key_text, json);
            }
        }
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
        let mut highest: BTreeMap<EntryRef, (DocName, Parts, ItemId, String)> = BTreeMap::new();
        for (clock, row) in (first..).zip(entries.rows()) {
            let edit = LateEdit::read(&Content::Text(row.json.into()));
            let (Some(LateEditKey { at, parts }), Some(LateEdit { from, value: Some(value), .. })) =
                (LateEditKey::parse(row.key_text), edit)
            else {
                continue;
            };
            let Some(Root::Table(_)) = Root::parse(&at.root) else { continue };
            let id = ItemId { client: self.client, clock };
            let shown = highest.entry(at).or_insert((from, parts.clone(), id, value.clone()));
            if (shown.0, &shown.1) < (from, &parts) {
                *shown = (from, parts, id, value);
            }
        }
        for (at, (_, _, id, json)) in highest {
            self.document.show_where_nothing_is(&at, id, &json)?;
        }
        Ok(())
    }

    fn add(&mut self, row: ChunkRow<'_>) -> Result<()> {
        self.entries.push(row);
        if self.entries.is_full() { self.flush() } else { Ok(()) }
    }

    /// Keeps an entry as it is, whatever it is; of several under one key the first.
    pub(super) fn keep(&mut self, root: &Root, key: &str, base: &Base, json: &str) -> Result<()> {
        if !self.known.insert(EntryRef::new(root.name(), key)) {
            return Ok(());
        }
        self.at(root.clone(), None)?;
        self.add(ChunkRow { key: None, key_text: key, base, json })
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
        self.reject(Rejected { root, key, base: row.base, raw: row.json, stopped_at, failure })
    }

    /// Stores a late edit beside the copies.
    pub(super) fn keep_late(&mut self, key: LateEditKey, edit: LateEdit) {
        self.late.insert(key, edit);
    }

    /// Says that a part of another document was decided on.
    pub(super) fn mark(&mut self, part: &Part) -> Result<()> {
        self.keep(&Root::Seen, &part.to_text(), &Base::Made, MARK)
    }

    /// Says that a document was taken in.
    pub(super) fn take_in(&mut self, name: DocName) -> Result<()> {
        self.keep(&Root::Seen, &taken_in_key(name), &Base::Made, MARK)
    }

    /// Writes what is stored beside the copies, and what is still collected.
    pub(super) fn finish(mut self) -> Result<Written> {
        let late = std::mem::take(&mut self.late);
        for (key, edit) in &late {
            self.keep(&Root::Forwarded, &key.to_text(), &Base::Made, &edit.to_json()?)?;
        }
        self.flush()?;
        let Self { document, clock, frontier, rejected, .. } = self;
        document.finish()?;
        let late = late.into_keys().flat_map(|key| key.parts).collect();
        Ok(Written { baseline: clock, frontier, late, rejected })
    }
}

impl Sink for DocumentSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        self.at_table(table_idx)?;
        self.add(ChunkRow {
            key: row.key.as_deref(),
            key_text: &row.key_text,
            base: &row.base,
            json: &row.json,
        })
    }

    fn rows(&mut self, table_idx: TableIdx, chunk: RowChunk) -> Result<()> {
        self.at_table(table_idx)?;
        self.flush()?;
        self.write(chunk)
    }

    fn entry(&mut self, group_idx: GroupIdx, name: &str, base: &Base, json: &str) -> Result<()> {
        self.keep(&Root::Group(self.def.groups[group_idx].name.to_owned()), name, base, json)
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let (key, edit) = rejected.to_late(self.source);
        if !self.late.contains_key(&key) {
            (self.on_reject)(&rejected)?;
            self.rejected.extend(key.parts.iter().cloned());
            self.late.insert(key, edit);
        }
        Ok(())
    }
}

impl Rejected {
    /// The late edit that it is kept as; `from` is the document that it was read of.
    pub(super) fn to_late(&self, from: DocName) -> (LateEditKey, LateEdit) {
        let of = EntryRef::new(self.root.name(), self.key.as_str());
        let parts = self.base.parts(&of.root, &of.key, &self.raw);
        let from = rank_of(&parts).unwrap_or(from);
        let (raw, reason) = (self.raw.clone(), describe(&self.failure));
        let stopped_at = self.stopped_at.clone().unless_in(from, &of);
        let edit = LateEdit { stopped_at, ..LateEdit::rejected(from, &of, raw, reason) };
        (LateEditKey { at: of, parts }, edit)
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

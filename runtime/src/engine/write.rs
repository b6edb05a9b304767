//! Transactions: collected, then written in one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Document, Loaded};
use super::hub::{Change, ChangeKind, Origin, Topic};
use super::indexes::RowChange;
use super::internal_writes::MARK;
use super::late_edits::{Copies, LateEdits, Showing, StoredEdit, base_text};
use super::lock::WriterGuard;
use super::open::Engine;
use super::part::{Part, Parts};
use super::write_batch::{RowOp, RowOps, WriteBatch};
use super::writer::Writer;
use crate::disk::{Commit, IndexFacts, StagedDocument, View};
use crate::doc::cells::row_with;
use crate::doc::{Entry, EntryOp, EntryWrite, Root, write};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{CellWrite, Content, EntryRef, ItemId, difference, is_changed, may_have_cells};
use crate::schema::descriptor::{GroupIdx, GroupTexts, TableIdx};

impl Engine {
    /// Runs `work` on what is committed, then commits what it put into the batch.
    ///
    /// If `work` fails or panics, nothing happened.
    pub(crate) fn transaction<T>(
        &self,
        work: impl FnOnce(&Arc<View>, &mut WriteBatch) -> Result<T>,
    ) -> Result<T> {
        // The part that does not depend on `work` is compiled once, not again for each use.
        let writer = self.begin()?;
        let mut batch = WriteBatch::at(self.now());
        let view = self.view();
        let value = work(&view, &mut batch)?;
        self.keep_rules(&view, &mut batch).map_err(|error| self.placed(error))?;
        self.finish(writer, batch)?;
        Ok(value)
    }

    pub(super) fn begin(&self) -> Result<WriterGuard<'_>> {
        self.refuse_if_read_only()?;
        let mut writer = self.lock_writer()?;
        self.upgrade(&mut writer).map_err(|error| self.placed(error))?;
        Ok(writer)
    }

    pub(super) fn finish(&self, mut writer: WriterGuard<'_>, batch: WriteBatch) -> Result<()> {
        self.commit(&mut writer, batch).map_err(|error| self.placed(error))?;
        drop(writer);
        self.hub.deliver();
        Ok(())
    }

    /// Makes a new store with what `seed` puts into the batch, in one commit.
    pub(crate) fn create<T>(
        &self,
        seed: impl FnOnce(&Arc<View>, &mut WriteBatch) -> Result<T>,
    ) -> Result<T> {
        let mut writer = self.lock_writer()?;
        let mut batch = WriteBatch::at(self.now());
        let view = self.view();
        let value = seed(&view, &mut batch)?;
        self.keep_rules(&view, &mut batch)
            .and_then(|()| self.commit(&mut writer, batch))
            .and_then(|()| self.disk.publish())
            .map_err(|error| self.placed(error))?;
        Ok(value)
    }

    /// Refuses a batch that breaks a rule of a kv group, or leaves a reference to nothing. Rules of rows are
    /// checked with each row.
    pub(super) fn keep_rules(&self, view: &Arc<View>, batch: &mut WriteBatch) -> Result<()> {
        self.keep_references(view, batch)?;
        for (group_idx, entries) in &batch.groups {
            let Some(def) = self.def.groups.get(group_idx.0) else { continue };
            if def.checks.is_empty() {
                continue;
            }
            (def.keep_rules)(&GroupTexts {
                text: &|name| match entries.get(name) {
                    Some(op) => Ok(op.json.as_deref().map(str::to_owned)),
                    None => stored_text(view, *group_idx, name),
                },
                is_written: &|name| entries.contains_key(name),
            })?;
        }
        Ok(())
    }

    fn commit(&self, writer: &mut Writer, mut batch: WriteBatch) -> Result<()> {
        batch.finish();
        if batch.is_empty() && !writer.unrecorded.identity {
            return Ok(());
        }
        let table_idxs: Vec<TableIdx> = batch.tables.keys().copied().collect();
        self.prepare(writer, &table_idxs)?;
        let view = self.view();
        if batch.is_empty() {
            return self.store(writer, |_, _| Ok(()));
        }
        let Some(loaded) = &writer.loaded else { return Err(not_loaded()) };
        let copies = self.copies(writer.current, writer.claim());
        let edits = self.edits(&batch, loaded, copies)?;
        let seen = self.seen(&batch, &edits, loaded, copies)?;
        let (base, device) = (loaded.document.stored(), writer.device.unwrap_or_default());
        writer.failure.take()?;
        let ops = Ops::of(self, &seen, &edits);
        let written = self.store(writer, |writer, commit| {
            self.write_batch_indexes(commit, &view, &writer.indexes.facts, &batch)?;
            let mut document = commit.document_once(&base, self.declared(writer.current))?;
            let mut written = BTreeMap::new();
            for (table_idx, rows) in std::mem::take(&mut batch.tables) {
                let of_table = ops.write_rows(&mut document, device, table_idx, rows)?;
                written.insert(table_idx, of_table);
            }
            write(&mut document, device, ops.others(&batch))?;
            for op in ops.others(&batch).filter(|op| op.write == EntryWrite::Remove) {
                document.hide_late(op.root, op.key)?;
            }
            document.finish()?;
            Ok(written)
        })?;
        self.hub.push(Origin::Local, self.changes_of(written, batch), &view, || self.view());
        Ok(())
    }

    /// Makes everything ready for a commit that writes to these tables.
    pub(super) fn prepare(&self, writer: &mut Writer, table_idxs: &[TableIdx]) -> Result<()> {
        let view = self.view();
        self.cover_indexes(writer, &view)?;
        self.build_unique(writer, table_idxs)?;
        self.load(writer)?;
        self.record_versions(writer)
    }

    fn write_batch_indexes(
        &self,
        commit: &Commit,
        view: &View,
        facts: &IndexFacts,
        batch: &WriteBatch,
    ) -> Result<()> {
        for (table_idx, rows) in &batch.tables {
            let changes = rows.iter().map(|(key, op)| RowChange {
                key,
                existed: op.existed,
                after: op.json.as_deref().map(Some),
            });
            self.write_indexes(commit, view, facts, *table_idx, changes, true)?;
        }
        Ok(())
    }

    /// The marks of what stands under keys that the batch writes, and is of other documents. The author
    /// of the batch has seen it.
    fn seen(
        &self,
        batch: &WriteBatch,
        edits: &Edits,
        Loaded { document, late_edits }: &Loaded,
        copies: Copies<'_>,
    ) -> Result<Vec<String>> {
        let mut seen = Parts::new();
        if late_edits.is_empty() {
            return Ok(Vec::new());
        }
        let mut fields_seen = Parts::new();
        let mut see = |root: &Root, op: &RowOp| {
            let at = EntryRef::new(root.name(), &*op.key);
            seen.extend(late_edits.seen(document, copies, &at, op.json.is_none())?);
            Ok::<_, Error>(())
        };
        for (table_idx, rows) in &batch.tables {
            let root = Root::Table(self.def.tables[*table_idx].name.to_owned());
            let mut whole = rows.iter().filter(|(key, op)| {
                let edit = edits.get(&(*table_idx, key.to_vec())).filter(|_| op.is_edit);
                edit.is_none_or(|edit| !edit.has_base)
            });
            whole.try_for_each(|(_, op)| see(&root, op))?;
            for (key, op) in rows {
                let edit = edits.get(&(*table_idx, key.to_vec())).filter(|_| op.is_edit);
                if let Some(FieldEdit { cells, late: Some((_, late)), has_base: true }) = edit {
                    let at = EntryRef::new(root.name(), &*op.key);
                    fields_seen.extend(seen_fields(
                        (document, late_edits, copies),
                        &at,
                        cells,
                        late,
                    )?);
                }
            }
        }
        for (group_idx, entries) in &batch.groups {
            let root = Root::Group(self.def.groups[*group_idx].name.to_owned());
            entries.values().try_for_each(|op| see(&root, op))?;
        }
        seen.extend(fields_seen);
        Ok(seen.iter().map(Part::to_text).collect())
    }

    /// The cells of the rows of which only fields were changed, in tables that merge by field: what makes
    /// the row as the document has it the one that was written.
    fn edits(&self, batch: &WriteBatch, loaded: &Loaded, copies: Copies<'_>) -> Result<Edits> {
        let mut edits = Edits::new();
        for (table_idx, rows) in &batch.tables {
            let table = &self.def.tables[*table_idx];
            if !table.merges_fields {
                continue;
            }
            let root = Root::Table(table.name.to_owned()).name();
            let merge_of = |name: &str| {
                table.fields.iter().find(|field| field.name == name).and_then(|field| field.merge)
            };
            for (key, op) in rows.iter().filter(|(_, op)| op.is_edit && may_have_cells(&op.key)) {
                let stands = match loaded.document.entry(&root, &op.key) {
                    Some(Entry { id, content: Content::Text(text) }) => Some((id, text)),
                    Some(_) => continue,
                    None => None,
                };
                let Some(json) = &op.json else { continue };
                let at = EntryRef::new(root.as_str(), &*op.key);
                let id = stands.as_ref().map(|(id, _)| *id);
                let late = loaded.late_edits.showing(&loaded.document, copies, &at, id)?;
                let with_cells = |text: &str| {
                    let cells = loaded.document.cells(&root, &op.key);
                    row_with(text, &cells)
                };
                let late = late.map(StoredEdit::shown);
                let has_base = stands.is_some();
                let cells = match (&late, stands) {
                    (None, None) => continue,
                    (None, Some((_, stands))) => difference(&stands, json, &merge_of),
                    (Some((_, late)), _) => difference(&with_cells(late), json, &merge_of),
                };
                edits.insert((*table_idx, key.to_vec()), FieldEdit { cells, late, has_base });
            }
        }
        Ok(edits)
    }

    /// Returns the changes of a local batch, for observers.
    fn changes_of(
        &self,
        written: BTreeMap<TableIdx, WrittenRows>,
        batch: WriteBatch,
    ) -> BTreeMap<Topic, Vec<Change>> {
        let mut by_topic = BTreeMap::new();
        for (table_idx, rows) in written {
            if self.hub.listens(Topic::Table(table_idx)) {
                let changes = rows.changes(self.def.tables[table_idx].key_text);
                by_topic.insert(Topic::Table(table_idx), changes);
            }
        }
        for (group_idx, entries) in batch.groups {
            if self.hub.listens(Topic::Group(group_idx)) {
                by_topic.insert(
                    Topic::Group(group_idx),
                    entries.into_values().map(Change::of).collect(),
                );
            }
        }
        by_topic
    }
}

/// The JSON text of an entry that is committed.
fn stored_text(view: &View, group_idx: GroupIdx, name: &str) -> Result<Option<String>> {
    match view.entry(group_idx, name)? {
        Some(stored) if stored.is_damaged() || stored.is_foreign() => {
            Err(Error::new(ErrorKind::InvalidRow, "the entry cannot be read").at_field(name))
        }
        Some(stored) => Ok(Some(String::from_utf8_lossy(stored.json()).into_owned())),
        None => Ok(None),
    }
}

impl Change {
    fn of(op: RowOp) -> Self {
        let kind = ChangeKind::of(op.existed, op.json.is_some());
        Self { key: op.key.into(), kind, json: op.json.map(String::from) }
    }
}

/// Returns the parts of a late edit that edits of fields have seen while it shows and stays open:
/// the fields of it that they write over.
fn seen_fields(
    (document, late_edits, copies): (&Document, &LateEdits, Copies<'_>),
    at: &EntryRef,
    cells: &[CellWrite],
    late: &str,
) -> Result<Parts> {
    let mut seen = Parts::new();
    let main = document.entry(&at.root, &at.key).map(|entry| entry.id);
    let Some(base) = base_text(&*document.stored(), at)? else { return Ok(seen) };
    let Showing::Late(shown) = late_edits.standing(document, copies, at, main)?.shown else {
        return Ok(seen);
    };
    for write in cells {
        if let CellWrite::Set { path, .. } = write
            && is_changed(&base, late, path)
        {
            seen.extend(shown.open.iter().map(|part| part.clone().of_field(path)));
        }
    }
    Ok(seen)
}

/// Which fields of a row a transaction changes.
struct FieldEdit {
    cells: Vec<CellWrite>,
    /// The item and the text of the late edit that shows, which stays open: its other fields still show.
    late: Option<(ItemId, String)>,
    /// Without one in the document, the late edit is written as it first.
    has_base: bool,
}

/// The edits of fields, by table and key.
type Edits = BTreeMap<(TableIdx, Vec<u8>), FieldEdit>;

/// Rows that were written: of each its key, and what was done.
#[derive(Default)]
pub(super) struct WrittenRows {
    keys: Vec<u8>,
    /// The end of each key.
    rows: Vec<(usize, ChangeKind)>,
}

impl WrittenRows {
    pub(super) fn push(&mut self, key: &[u8], kind: ChangeKind) {
        self.keys.extend(key);
        self.rows.push((self.keys.len(), kind));
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn changes(&self, key_text: fn(&[u8]) -> Option<String>) -> Vec<Change> {
        let mut start = 0;
        let changes = self.rows.iter().filter_map(|(end, kind)| {
            let key = key_text(self.keys.get(start..*end)?)?;
            start = *end;
            Some(Change { key, kind: *kind, json: None })
        });
        changes.collect()
    }
}

/// So many rows are written together, and then let go of.
const CHUNK_ROWS: usize = 1_024;

/// The batch as the document sees it.
struct Ops<'b> {
    edits: &'b Edits,
    seen: &'b [String],
    tables: Vec<String>,
    groups: Vec<String>,
    marks: String,
}

impl<'b> Ops<'b> {
    fn of(engine: &Engine, seen: &'b [String], edits: &'b Edits) -> Self {
        let table = |name: &str| Root::Table(name.to_owned()).name();
        let group = |name: &str| Root::Group(name.to_owned()).name();
        Self {
            edits,
            seen,
            tables: engine.def.tables.iter().map(|def| table(def.name)).collect(),
            groups: engine.def.groups.iter().map(|def| group(def.name)).collect(),
            marks: Root::Seen.name(),
        }
    }

    fn row<'o>(&'o self, table_idx: TableIdx, key: &[u8], row: &'o RowOp) -> EntryOp<'o> {
        let root = &self.tables[table_idx.0];
        let is_edit = row.is_edit && !self.edits.is_empty();
        let edit = is_edit.then(|| self.edits.get(&(table_idx, key.to_vec()))).flatten();
        match (edit, &row.json) {
            (Some(FieldEdit { cells, late, .. }), Some(row_json)) => EntryOp {
                root,
                key: &row.key,
                write: EntryWrite::Edit {
                    cells,
                    row: row_json,
                    late: late.as_ref().map(|(id, json)| (*id, json.as_str())),
                },
            },
            _ => op(root, row),
        }
    }

    /// Writes the rows of a table in the order of their keys. They are let go of as they are written, since
    /// the file needs as much memory again until the commit is made.
    fn write_rows(
        &self,
        document: &mut StagedDocument<'_>,
        device: u64,
        table_idx: TableIdx,
        rows: RowOps,
    ) -> Result<WrittenRows> {
        let mut written = WrittenRows::default();
        let mut rows = rows.into_iter();
        loop {
            let chunk: Vec<(Box<[u8]>, RowOp)> = rows.by_ref().take(CHUNK_ROWS).collect();
            if chunk.is_empty() {
                return Ok(written);
            }
            let ops = chunk.iter().map(|(key, row)| self.row(table_idx, key, row));
            write(document, device, ops)?;
            for (key, row) in &chunk {
                if row.json.is_none() {
                    document.hide_late(&self.tables[table_idx.0], &row.key)?;
                }
                written.push(key, ChangeKind::of(row.existed, row.json.is_some()));
            }
        }
    }

    /// Returns the entries that are written after the rows.
    fn others<'o>(&'o self, batch: &'o WriteBatch) -> impl Iterator<Item = EntryOp<'o>> {
        let entries = batch.groups.iter().flat_map(|(group_idx, entries)| {
            entries.values().map(|entry| op(&self.groups[group_idx.0], entry))
        });
        let strays = batch.strays.iter().map(|(table_idx, key)| EntryOp {
            root: &self.tables[table_idx.0],
            key,
            write: EntryWrite::Remove,
        });
        let seen = self.seen.iter().map(|key| EntryOp {
            root: &self.marks,
            key,
            write: EntryWrite::Put(MARK),
        });
        entries.chain(strays).chain(seen)
    }
}

fn op<'o>(root: &'o str, op: &'o RowOp) -> EntryOp<'o> {
    EntryOp { root, key: &op.key, write: EntryWrite::of(op.json.as_deref()) }
}

pub(crate) fn not_loaded() -> Error {
    Error::new(ErrorKind::Corrupt, "the document is not ready").help("try again")
}

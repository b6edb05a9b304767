//! Transactions: collected, then written to document and file in one commit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use super::claim::Claim;
use super::documents::DocName;
use super::hub::{Change, ChangeKind, Origin, Topic};
use super::indexes::RowChange;
use super::late_edits::LateEdits;
use super::loaded::Loaded;
use super::lock::WriterGuard;
use super::open::Engine;
use super::write_batch::{RowOp, WriteBatch};
use super::writer::Writer;
use crate::disk::{Commit, IndexFacts, Record, RecordKind, View};
use crate::doc::{Document, Op, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::TableIdx;

/// From so many writes on, a second thread is worth starting.
const PARALLEL_FROM_OPS: usize = 2_000;

impl Engine {
    /// Runs `work` on what is committed, then commits what it put into the batch.
    ///
    /// Where `work` fails or panics, nothing happened.
    pub(crate) fn transaction<T>(
        &self,
        work: impl FnOnce(&Arc<View>, &mut WriteBatch) -> Result<T>,
    ) -> Result<T> {
        // What does not depend on `work` is compiled once, not again for each use.
        let writer = self.begin()?;
        let mut batch = WriteBatch::default();
        let value = work(&self.view(), &mut batch)?;
        self.finish(writer, batch)?;
        Ok(value)
    }

    fn begin(&self) -> Result<WriterGuard<'_>> {
        self.refuse_if_read_only()?;
        self.lock_writer()
    }

    fn finish(&self, mut writer: WriterGuard<'_>, batch: WriteBatch) -> Result<()> {
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
        let mut batch = WriteBatch::default();
        let value = seed(&self.view(), &mut batch)?;
        self.commit(&mut writer, batch)
            .and_then(|()| self.disk.publish())
            .map_err(|error| self.placed(error))?;
        Ok(value)
    }

    fn commit(&self, writer: &mut Writer, mut batch: WriteBatch) -> Result<()> {
        batch.finish();
        if batch.is_empty() && !writer.unrecorded.identity {
            return Ok(());
        }
        writer.unrecorded.coverage |= writer.coverage.cover(&self.def);
        let view = self.view();
        self.cover_indexes(writer, &view)?;
        let table_idxs: Vec<TableIdx> = batch.tables.keys().copied().collect();
        self.build_unique(writer, &table_idxs)?;
        self.load(writer)?;
        self.record_versions(writer)?;
        if batch.is_empty() {
            return self.store(writer, None, |_| Ok(()), || Ok(Vec::new()));
        }
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(Loaded { mut document, mut late_edits, mut log }) = writer.loaded.take() else {
            return Err(not_loaded());
        };
        let seen = self.seen(&batch, &document, &late_edits, writer.current, writer.claim());
        let ops = Ops::of(self, &batch, &seen);
        let first = document.next_id();
        let read_model = |writer: &mut Writer, commit: &Commit| {
            write_read_model(self, commit, &view, &writer.indexes.facts, &batch, &seen, first)
        };
        if ops.ops.len() < PARALLEL_FROM_OPS {
            let record = write_document(&mut document, &ops)?;
            self.store_with(writer, Some(&mut log), read_model, || Ok(vec![record]))?;
        } else {
            // Document and read model are written side by side: each needs of the other only the
            // ids of the items, and those count up from `first`.
            thread::scope(|scope| {
                let record = scope.spawn(|| write_document(&mut document, &ops));
                self.store_with(writer, Some(&mut log), read_model, || match record.join() {
                    Ok(record) => record.map(|record| vec![record]),
                    Err(_) => Err(refused()),
                })
            })?;
        }
        drop(ops);
        for (key, _) in &seen {
            late_edits.update(
                &Root::Settled,
                key,
                document.entry(&Root::Settled.name(), key).as_ref(),
            );
        }
        writer.loaded = Some(Loaded { document, late_edits, log });
        self.hub.push(Origin::Local, self.changes_of(batch), || self.view());
        Ok(())
    }

    /// What stands under keys that the batch writes, and is of other documents: late edits, and what
    /// a `migrate` function made. The author of the batch has seen it.
    fn seen(
        &self,
        batch: &WriteBatch,
        document: &Document,
        late_edits: &LateEdits,
        source: DocName,
        claim: Option<&Claim>,
    ) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        if late_edits.is_empty() && !claim.is_some_and(Claim::has_made) {
            return seen;
        }
        let mut see = |root: &Root, op: &RowOp| {
            let at = EntryRef::new(root.name(), op.key.as_str());
            seen.extend(late_edits.seen(document, claim, source, &at, op.json.is_none()));
        };
        for (table_idx, rows) in &batch.tables {
            let root = Root::Table(self.def.tables[*table_idx].name.to_owned());
            rows.values().for_each(|op| see(&root, op));
        }
        for (group_idx, entries) in &batch.groups {
            let root = Root::Group(self.def.groups[*group_idx].name.to_owned());
            entries.values().for_each(|op| see(&root, op));
        }
        seen
    }

    /// What observers are told of a local batch.
    fn changes_of(&self, batch: WriteBatch) -> BTreeMap<Topic, Vec<Change>> {
        let mut by_topic = BTreeMap::new();
        for (table_idx, rows) in batch.tables {
            if self.hub.listens(Topic::Table(table_idx)) {
                by_topic
                    .insert(Topic::Table(table_idx), rows.into_values().map(Change::of).collect());
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

impl Change {
    fn of(op: RowOp) -> Self {
        let kind = ChangeKind::of(op.existed, op.json.is_some());
        Self { key: op.key, kind, json: op.json }
    }
}

/// The batch as the document sees it.
struct Ops<'b> {
    roots: Vec<Root>,
    ops: Vec<Op<'b>>,
}

impl<'b> Ops<'b> {
    fn of(engine: &Engine, batch: &'b WriteBatch, seen: &'b [(String, String)]) -> Self {
        let mut this = Self { roots: Vec::new(), ops: Vec::new() };
        for (table_idx, rows) in &batch.tables {
            this.add(Root::Table(engine.def.tables[*table_idx].name.to_owned()), rows.values());
        }
        for (group_idx, entries) in &batch.groups {
            this.add(Root::Group(engine.def.groups[*group_idx].name.to_owned()), entries.values());
        }
        for (table_idx, key) in &batch.strays {
            let root = this.roots.len();
            this.roots.push(Root::Table(engine.def.tables[*table_idx].name.to_owned()));
            this.ops.push(Op { root, key, value: None });
        }
        if !seen.is_empty() {
            let root = this.roots.len();
            this.roots.push(Root::Settled);
            this.ops.extend(seen.iter().map(|(key, value)| Op { root, key, value: Some(value) }));
        }
        this
    }

    fn add(&mut self, root: Root, ops: impl Iterator<Item = &'b RowOp>) {
        let index = self.roots.len();
        self.roots.push(root);
        self.ops.extend(ops.map(|op| Op { root: index, key: &op.key, value: op.json.as_deref() }));
    }
}

/// Writes the ops to the document in memory, and gives the log record of it.
fn write_document(document: &mut Document, ops: &Ops<'_>) -> Result<Vec<u8>> {
    let expected = ops.ops.iter().filter(|op| op.value.is_some()).count();
    let first = document.next_id();
    let written = catch_unwind(AssertUnwindSafe(|| document.write(&ops.roots, &ops.ops)));
    let update = written.map_err(|_| refused())?;
    // The read model counts on it that every value is one item.
    if u64::from(document.next_id().clock) != u64::from(first.clock) + expected as u64 {
        return Err(refused());
    }
    Ok(Record::encode(&update, RecordKind::Local))
}

pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Corrupt, "the document refuses the write")
        .help("run `check` on the file; nothing was changed")
}

pub(crate) fn not_loaded() -> Error {
    Error::new(ErrorKind::Corrupt, "the document is not loaded").help("try again")
}

/// Writes the batch to the read model; the first value is the item `first` of the document.
fn write_read_model(
    engine: &Engine,
    commit: &Commit,
    view: &View,
    facts: &IndexFacts,
    batch: &WriteBatch,
    seen: &[(String, String)],
    first: ItemId,
) -> Result<()> {
    let mut next = first;
    let id_of = |op: &RowOp, next: &mut ItemId| {
        let id = *next;
        next.clock = next.clock.wrapping_add(u32::from(op.json.is_some()));
        id
    };
    for (table_idx, rows) in &batch.tables {
        let changes = rows.iter().map(|(key, op)| RowChange {
            key,
            existed: op.existed,
            after: op.json.as_deref().map(Some),
        });
        engine.write_indexes(commit, view, facts, *table_idx, changes, true)?;
        let rows = rows.iter().map(|(key, op)| {
            let id = id_of(op, &mut next);
            (key.as_slice(), op.json.as_deref().map(|json| (id, json)))
        });
        commit
            .rows(view.document_name(), engine.def.tables[*table_idx].name)?
            .write_sorted(rows)?;
    }
    for (group_idx, entries) in &batch.groups {
        let mut group = commit.entries(view.document_name(), engine.def.groups[*group_idx].name)?;
        for (name, op) in entries {
            let id = id_of(op, &mut next);
            match &op.json {
                Some(json) => group.put(name, id, &Content::Text(json.as_str().into()))?,
                None => group.remove(name)?,
            }
        }
    }
    for (table_idx, key) in &batch.strays {
        commit
            .rows(view.document_name(), engine.def.tables[*table_idx].name)?
            .set_stray(key, None)?;
    }
    if !seen.is_empty() {
        let root = Root::Settled.name();
        let mut settled = commit.bookkeeping(view.document_name(), &root)?;
        for (key, json) in seen {
            settled.put(key, next, &Content::Text(json.as_str().into()))?;
            next.clock = next.clock.wrapping_add(1);
        }
    }
    Ok(())
}

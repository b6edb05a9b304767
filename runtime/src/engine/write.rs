//! Transactions: collected, then written to document and file in one commit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::batch::{Batch, RowOp};
use super::fact;
use super::hub::{Change, ChangeKind, Topic};
use super::loaded::Loaded;
use super::open::Engine;
use super::writer::{Unrecorded, Writer};
use crate::disk::{Commit, DATA_DOCUMENT, FORMAT, Origin, Record, View};
use crate::doc::{Op, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId};

impl Engine {
    /// Runs `work` on what is committed, then commits what it put into the batch.
    ///
    /// Where `work` fails or panics, nothing happened.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Arc<View>, &mut Batch) -> Result<T>,
    ) -> Result<T> {
        let mut writer = self.lock_writer()?;
        let mut batch = Batch::default();
        let value = work(&self.view(), &mut batch)?;
        self.commit(&mut writer, batch).map_err(|error| self.placed(error))?;
        drop(writer);
        self.hub.deliver();
        Ok(value)
    }

    /// Makes a new store with what `seed` puts into the batch, in one commit.
    pub(crate) fn create<T>(
        &self,
        seed: impl FnOnce(&Arc<View>, &mut Batch) -> Result<T>,
    ) -> Result<T> {
        let mut writer = self.lock_writer()?;
        let mut batch = Batch::default();
        let value = seed(&self.view(), &mut batch)?;
        self.commit(&mut writer, batch)
            .and_then(|()| self.disk.publish())
            .map_err(|error| self.placed(error))?;
        Ok(value)
    }

    fn commit(&self, writer: &mut Writer, mut batch: Batch) -> Result<()> {
        batch.settle();
        if batch.is_empty() && !writer.unrecorded.identity {
            return Ok(());
        }
        let roots = Roots::of(self, &batch);
        let (record, ids) = if batch.is_empty() {
            (None, Vec::new())
        } else {
            self.load(writer)?;
            let (update, ids) = write_document(writer, &roots)?;
            (Some(Record::encode(&update, Origin::Local)), ids)
        };
        writer.unrecorded.coverage |= writer.coverage.cover(&self.def);
        let stored = self
            .store(writer, record.as_deref(), |commit| write_read_model(self, commit, &batch, ids));
        drop(roots);
        stored?;
        self.hub.push(Origin::Local, self.noted(batch));
        Ok(())
    }

    /// One commit of a log record, the facts that changed, and what `read_model` writes. After an
    /// error memory and file are as before.
    pub(super) fn store(
        &self,
        writer: &mut Writer,
        record: Option<&[u8]>,
        read_model: impl FnOnce(&Commit) -> Result<()>,
    ) -> Result<()> {
        let next = writer.loaded.as_ref().map_or(1, |loaded| loaded.log.last + 1);
        let stored = self.disk.commit(self.settings.durable, |commit| {
            self.record_facts(writer, commit)?;
            if let Some(record) = record {
                commit.append_log(DATA_DOCUMENT, next, record)?;
            }
            read_model(commit)
        });
        if let Err(error) = stored {
            // The document is ahead of the file: it is loaded again before its next use.
            writer.loaded = None;
            // The file may have been opened again, and then readers need it, too. Where even that
            // fails, they keep what they have.
            let _ = self.refresh_view();
            return Err(error);
        }
        writer.unrecorded = Unrecorded::default();
        if !self.settings.durable {
            self.unflushed.store(true, Ordering::Release);
        }
        if let (Some(Loaded { log, .. }), Some(record)) = (&mut writer.loaded, record) {
            log.grow(next, record.len() as u64);
            self.outgrown.store(log.is_outgrown(), Ordering::Release);
        }
        self.refresh_view()
    }

    fn record_facts(&self, writer: &Writer, commit: &Commit) -> Result<()> {
        if writer.unrecorded.identity {
            commit.set_meta(fact::FORMAT, &FORMAT.to_le_bytes())?;
            commit.set_meta(fact::STORE, self.def.name.as_bytes())?;
            commit.set_meta(fact::DOCUMENT, DATA_DOCUMENT.as_bytes())?;
        }
        if let (true, Some(device)) = (writer.unrecorded.device, writer.device) {
            commit.set_meta(fact::DEVICE, &device.to_le_bytes())?;
            commit.set_meta(fact::WHEREABOUTS, &self.disk.whereabouts().0.to_le_bytes())?;
            if let Some(damage) = writer.damage {
                commit.set_meta(fact::DAMAGE, &damage.to_le_bytes())?;
            }
        }
        if writer.unrecorded.coverage {
            let json = serde_json::to_vec(&writer.coverage).map_err(|error| {
                Error::new(ErrorKind::Storage, "the coverage does not serialize").because(error)
            })?;
            commit.set_meta(fact::COVERAGE, &json)?;
        }
        Ok(())
    }

    /// What observers are told of a local batch.
    fn noted(&self, batch: Batch) -> BTreeMap<Topic, Vec<Change>> {
        let mut noted = BTreeMap::new();
        for (slot, rows) in batch.tables {
            if self.hub.listens(Topic::Table(slot)) {
                noted.insert(Topic::Table(slot), rows.into_values().map(Change::of).collect());
            }
        }
        for (slot, entries) in batch.groups {
            if self.hub.listens(Topic::Group(slot)) {
                noted.insert(Topic::Group(slot), entries.into_values().map(Change::of).collect());
            }
        }
        noted
    }
}

impl Change {
    fn of(op: RowOp) -> Self {
        let kind = ChangeKind::of(op.existed, op.json.is_some());
        Self { key: op.key, kind, json: op.json }
    }
}

/// The batch as the document sees it: roots and ops.
struct Roots<'b> {
    roots: Vec<Root>,
    ops: Vec<Op<'b>>,
}

impl<'b> Roots<'b> {
    fn of(engine: &Engine, batch: &'b Batch) -> Self {
        let mut this = Self { roots: Vec::new(), ops: Vec::new() };
        for (slot, rows) in &batch.tables {
            this.add(Root::Table(engine.def.tables[*slot].name.to_owned()), rows.values());
        }
        for (slot, entries) in &batch.groups {
            this.add(Root::Group(engine.def.groups[*slot].name.to_owned()), entries.values());
        }
        for (slot, key) in &batch.strays {
            let root = this.roots.len();
            this.roots.push(Root::Table(engine.def.tables[*slot].name.to_owned()));
            this.ops.push(Op { root, key, value: None });
        }
        this
    }

    fn add(&mut self, root: Root, ops: impl Iterator<Item = &'b RowOp>) {
        let index = self.roots.len();
        self.roots.push(root);
        self.ops.extend(ops.map(|op| Op { root: index, key: &op.key, value: op.json.as_deref() }));
    }
}

/// Writes the ops to the document in memory.
fn write_document(
    writer: &mut Writer,
    roots: &Roots<'_>,
) -> Result<(Vec<u8>, Vec<Option<ItemId>>)> {
    let Some(loaded) = &mut writer.loaded else {
        return Err(Error::new(ErrorKind::Corrupt, "the document is not loaded"));
    };
    let written =
        catch_unwind(AssertUnwindSafe(|| loaded.document.write(&roots.roots, &roots.ops)));
    written.map_err(|_| {
        writer.loaded = None;
        Error::new(ErrorKind::Corrupt, "the document refuses the write")
            .help("run `check` on the file; nothing was changed")
    })
}

fn write_read_model(
    engine: &Engine,
    commit: &Commit,
    batch: &Batch,
    ids: Vec<Option<ItemId>>,
) -> Result<()> {
    let mut ids = ids.into_iter();
    for (slot, rows) in &batch.tables {
        let rows = rows.iter().map(|(key, op)| {
            let id = ids.next().flatten();
            (key.as_slice(), id.zip(op.json.as_deref()))
        });
        commit.rows(DATA_DOCUMENT, engine.def.tables[*slot].name)?.write_sorted(rows)?;
    }
    for (slot, entries) in &batch.groups {
        let mut group = commit.entries(DATA_DOCUMENT, engine.def.groups[*slot].name)?;
        for (name, op) in entries {
            match (&op.json, ids.next().flatten()) {
                (Some(json), Some(id)) => {
                    group.put(name, id, &Content::Text(json.as_str().into()))?;
                }
                _ => group.remove(name)?,
            }
        }
    }
    for (slot, key) in &batch.strays {
        commit.rows(DATA_DOCUMENT, engine.def.tables[*slot].name)?.set_stray(key, None)?;
    }
    Ok(())
}

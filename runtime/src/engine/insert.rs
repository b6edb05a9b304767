//! Inserting many rows in one commit: a thread of its own writes them while others come.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::document::Loaded;
use super::hub::{ChangeKind, Origin, Topic};
use super::indexes::{IndexChanges, RowChange};
use super::lock::WriterGuard;
use super::open::Engine;
use super::write::{WrittenRows, not_loaded};
use super::write_batch::WriteBatch;
use super::writer::Writer;
use crate::disk::{Commit, StagedDocument, View};
use crate::doc::{EntryOp, EntryWrite, Root, write};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::TableIdx;

/// So many chunks of rows wait to be written.
const WAITING_CHUNKS: usize = 4;

/// Rows to be inserted, as their types see them.
pub(crate) trait NewRows {
    /// Takes the first of them, at the time of the transaction; returns whether there may be more.
    fn begin(&mut self, now: i64) -> bool;

    /// Puts all of them into a batch, and returns their number.
    fn put_into(self, view: &Arc<View>, batch: &mut WriteBatch) -> Result<usize>;

    /// Gives all of them, some at a time.
    fn give_to(self, feed: &Feed);
}

/// A new row, ready to be stored.
pub(crate) struct NewRow {
    pub(crate) key: String,
    pub(crate) bytes: Box<[u8]>,
    pub(crate) json: String,
}

/// The result of inserting rows while they come.
enum Inserted<'w, R> {
    Done(Result<usize>),
    /// The system has no thread left, and nothing has happened.
    NoThread(WriterGuard<'w>, R),
}

/// Takes rows to where they are written.
pub(crate) struct Feed(SyncSender<Fed>);

enum Fed {
    Rows(Vec<NewRow>),
    /// The row of this key cannot be stored.
    Refused(String, Box<[u8]>, Error),
    /// All rows have come.
    End,
}

impl Feed {
    /// Gives rows; returns whether more are wanted.
    pub(crate) fn rows(&self, rows: Vec<NewRow>) -> bool {
        self.0.send(Fed::Rows(rows)).is_ok()
    }

    /// Says that the next row, which has this key, cannot be stored.
    pub(crate) fn refuse(&self, key: String, bytes: Box<[u8]>, error: Error) {
        // If it is not taken, an earlier row could not be stored.
        let _ = self.0.send(Fed::Refused(key, bytes, error));
    }
}

impl Engine {
    /// Inserts rows into a table, in one commit, and returns their number.
    ///
    /// Of many rows, a thread of its own writes those that have come, while this one takes others. Rows that refer
    /// to others are looked at together, and so they come together, as few rows do.
    pub(crate) fn insert_rows(&self, table_idx: TableIdx, mut rows: impl NewRows) -> Result<usize> {
        let mut writer = self.begin()?;
        let now = self.now();
        if rows.begin(now) && self.def.tables[table_idx].references.is_empty() {
            let prepared = self.prepare(&mut writer, &[table_idx]);
            prepared.map_err(|error| self.placed(error))?;
            if writer.loaded.as_ref().is_some_and(|loaded| loaded.late_edits.is_empty()) {
                match self.insert_fed(writer, table_idx, rows) {
                    Inserted::Done(done) => return done,
                    Inserted::NoThread(locked, untouched) => (writer, rows) = (locked, untouched),
                }
            }
        }
        let mut batch = WriteBatch::at(now);
        let view = self.view();
        let count = rows.put_into(&view, &mut batch)?;
        self.keep_rules(&view, &mut batch).map_err(|error| self.placed(error))?;
        self.finish(writer, batch)?;
        Ok(count)
    }

    /// Inserts rows while they come.
    fn insert_fed<'w, R: NewRows>(
        &self,
        mut writer: WriterGuard<'w>,
        table_idx: TableIdx,
        rows: R,
    ) -> Inserted<'w, R> {
        let view = self.view();
        let mut rows = Some(rows);
        let written = thread::scope(|scope| {
            let (feed, fed) = sync_channel(WAITING_CHUNKS);
            let (view, writer) = (&view, &mut *writer);
            let work = move || self.store_fed(writer, view, table_idx, &fed);
            let writing = thread::Builder::new().spawn_scoped(scope, work).ok()?;
            let feed = Feed(feed);
            rows.take()?.give_to(&feed);
            // If it is not taken, a row could not be stored.
            let _ = feed.0.send(Fed::End);
            drop(feed);
            Some(writing.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        match (written, rows) {
            (None, Some(rows)) => Inserted::NoThread(writer, rows),
            (written, _) => {
                let written = written.unwrap_or_else(|| Err(not_loaded()));
                Inserted::Done(self.tell(writer, table_idx, &view, written))
            }
        }
    }

    /// Notifies observers of new rows, and returns their number.
    fn tell(
        &self,
        writer: WriterGuard<'_>,
        table_idx: TableIdx,
        view: &Arc<View>,
        written: Result<WrittenRows>,
    ) -> Result<usize> {
        let written = written.map_err(|error| self.placed(error))?;
        let topic = Topic::Table(table_idx);
        let mut changes = BTreeMap::new();
        if self.hub.listens(topic) {
            changes.insert(topic, written.changes(self.def.tables[table_idx].key_text));
        }
        self.hub.push(Origin::Local, changes, view, || self.view());
        drop(writer);
        self.hub.deliver();
        Ok(written.len())
    }

    fn store_fed(
        &self,
        writer: &mut Writer,
        view: &View,
        table_idx: TableIdx,
        fed: &Receiver<Fed>,
    ) -> Result<WrittenRows> {
        let Some(Loaded { document, .. }) = &writer.loaded else { return Err(not_loaded()) };
        let base = document.stored();
        self.store(writer, |writer, commit: &Commit| {
            let table = &self.def.tables[table_idx];
            let mut insertion = Insertion {
                document: commit.document_once(&base, self.declared(writer.current))?,
                device: writer.device.unwrap_or_default(),
                table: table.name,
                root: Root::Table(table.name.to_owned()).name(),
                greatest: view.greatest_key(table_idx)?,
                others: BTreeMap::new(),
                indexes: self.index_changes(view, &writer.indexes.facts, table_idx),
                written: WrittenRows::default(),
            };
            loop {
                match fed.recv() {
                    Ok(Fed::Rows(rows)) => insertion.add(rows)?,
                    Ok(Fed::Refused(key, bytes, error)) => {
                        insertion.refuse_if_there(&key, &bytes)?;
                        return Err(error);
                    }
                    Ok(Fed::End) => return insertion.finish(commit),
                    // The thread that gave them has panicked.
                    Err(_) => {
                        return Err(Error::new(ErrorKind::Storage, "rows did not come to an end"));
                    }
                }
            }
        })
    }
}

/// Rows of one table on their way into a commit.
struct Insertion<'c> {
    document: StagedDocument<'c>,
    device: u64,
    table: &'static str,
    root: String,
    /// The greatest key in the file so far.
    greatest: Option<Vec<u8>>,
    /// Rows that came after one with a greater key: the file is written in its own order.
    others: BTreeMap<Box<[u8]>, NewRow>,
    indexes: IndexChanges<'c>,
    written: WrittenRows,
}

impl Insertion<'_> {
    fn add(&mut self, rows: Vec<NewRow>) -> Result<()> {
        let mut next = Vec::with_capacity(rows.len());
        for row in rows {
            // New ids come after all others, and need no look-up.
            let is_beyond = self.greatest.as_deref().is_none_or(|greatest| *greatest < *row.bytes);
            if is_beyond {
                let greatest = self.greatest.get_or_insert_default();
                greatest.clear();
                greatest.extend_from_slice(&row.bytes);
                next.push(row);
                continue;
            }
            // Those before it are to be seen there.
            self.write(&std::mem::take(&mut next))?;
            self.refuse_if_there(&row.key, &row.bytes)?;
            self.others.insert(row.bytes.clone(), row);
        }
        self.write(&next)
    }

    /// Refuses a key under which there is a row.
    fn refuse_if_there(&mut self, key: &str, bytes: &[u8]) -> Result<()> {
        let is_there = self.document.has_row(&self.root, bytes)? || self.others.contains_key(bytes);
        match is_there {
            true => Err(already_exists().at_table(self.table).at_key(key)),
            false => Ok(()),
        }
    }

    fn write(&mut self, rows: &[NewRow]) -> Result<()> {
        let (root, indexes, written) = (&*self.root, &mut self.indexes, &mut self.written);
        let ops = rows.iter().map(|NewRow { key, json, .. }| EntryOp {
            root,
            key,
            write: EntryWrite::Put(json),
        });
        write(&mut self.document, self.device, ops)?;
        for NewRow { bytes, json, .. } in rows {
            indexes.add(&RowChange { key: bytes, existed: false, after: Some(Some(json)) })?;
            written.push(bytes, ChangeKind::of(false, true));
        }
        Ok(())
    }

    fn finish(mut self, commit: &Commit) -> Result<WrittenRows> {
        let others = std::mem::take(&mut self.others);
        let others: Vec<NewRow> = others.into_values().collect();
        self.write(&others)?;
        self.document.finish()?;
        self.indexes.write(commit, true)?;
        Ok(self.written)
    }
}

/// There is a row under the key of one that is to be inserted.
pub(crate) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "there is a row under this key already")
        .help("use `put` to replace it, or `update` to change it")
}

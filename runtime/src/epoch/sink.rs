//! A new document being filled: rows go into the document and into the file side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use super::convert::{NewRow, Rejected, Sink};
use crate::disk::{Commit, Record, RecordKind};
use crate::doc::{Document, Op, Root};
use crate::engine::{DocName, Slot, SlotKey};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId};
use crate::schema::descriptor::StoreDef;

/// How many entries go into the document in one piece.
const PIECE_ENTRIES: usize = 4_096;

/// Entries of one root on their way into document and file.
pub(super) struct Piece {
    root: Root,
    /// In the order of the file; those of no table have no bytes.
    entries: BTreeMap<Vec<u8>, PieceEntry>,
}

struct PieceEntry {
    key: String,
    json: String,
    is_stray: bool,
}

/// Writes the pieces into a document, and gives the log record of each.
pub(super) fn write_pieces(
    document: &mut Document,
    pieces: &Receiver<Arc<Piece>>,
    records: &Sender<Result<Vec<u8>>>,
) {
    for piece in pieces {
        let ops: Vec<Op<'_>> = piece
            .entries
            .values()
            .map(|entry| Op { root: 0, key: &entry.key, value: Some(&entry.json) })
            .collect();
        let roots = [piece.root.clone()];
        let written = catch_unwind(AssertUnwindSafe(|| document.write(&roots, &ops)));
        let record =
            written.map(|update| Record::encode(&update, RecordKind::Local)).map_err(|_| {
                Error::new(ErrorKind::Corrupt, "the new document refuses a row")
                    .help("nothing was changed; run `check` on the file")
            });
        if records.send(record).is_err() {
            return;
        }
    }
}

/// What the migration wrote, once it is done.
pub(super) struct Written {
    pub(super) baseline: u32,
    pub(super) origins: Vec<(u32, String)>,
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
    /// Who writes it.
    client: u64,
    /// Which rows are taken in this pass; all others are counted as left.
    pub(super) origin: Option<String>,
    /// Origins that were left out so far.
    pub(super) left: Vec<String>,
    piece: Piece,
    slot: Option<usize>,
    /// The greatest key of the table that is in the file.
    greatest: Option<Vec<u8>>,
    clock: u32,
    last: u64,
    rejected: BTreeMap<String, Slot>,
    moved: BTreeSet<(u32, &'static str)>,
    origins: Vec<(u32, String)>,
    pieces: SyncSender<Arc<Piece>>,
    records: Receiver<Result<Vec<u8>>>,
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
        pieces: SyncSender<Arc<Piece>>,
        records: Receiver<Result<Vec<u8>>>,
        on_reject: &'s mut dyn FnMut(&Rejected) -> Result<()>,
    ) -> Self {
        Self {
            commit,
            def,
            name: name.to_string(),
            source,
            client,
            origin: None,
            left: Vec::new(),
            piece: Piece { root: Root::Quarantine, entries: BTreeMap::new() },
            slot: None,
            greatest: None,
            clock: 0,
            last: 0,
            rejected: BTreeMap::new(),
            moved: BTreeSet::new(),
            origins: Vec::new(),
            pieces,
            records,
            on_reject,
        }
    }

    /// Whether rows of this origin are taken now; the first one found decides for the pass.
    fn takes(&mut self, origin: &str) -> bool {
        match &self.origin {
            None => {
                self.origin = Some(origin.to_owned());
                true
            }
            Some(taken) if taken == origin => true,
            Some(_) => {
                if !self.left.iter().any(|left| left == origin) {
                    self.left.push(origin.to_owned());
                }
                false
            }
        }
    }

    /// Ends a pass: what was written in it is all of one origin.
    pub(super) fn end_pass(&mut self) -> Result<()> {
        self.flush()?;
        // The next pass begins with its first table again, which may be the one that this ended with.
        (self.piece.root, self.slot) = (Root::Quarantine, None);
        let origin = self.origin.take().unwrap_or_default();
        match self.origins.last_mut() {
            Some((end, last)) if *last == origin => *end = self.clock,
            _ if self.clock > 0 => self.origins.push((self.clock, origin)),
            _ => {}
        }
        Ok(())
    }

    fn at(&mut self, root: Root, slot: Option<usize>) -> Result<()> {
        if self.piece.root != root {
            self.flush()?;
            self.piece.root = root;
            self.slot = slot;
            self.greatest = None;
            if let Some(slot) = slot {
                let rows = self.commit.rows(&self.name, self.def.tables[slot].name)?;
                self.greatest = rows.greatest()?;
            }
        }
        Ok(())
    }

    fn add(&mut self, bytes: Vec<u8>, entry: PieceEntry) -> Result<()> {
        self.piece.entries.insert(bytes, entry);
        if self.piece.entries.len() >= PIECE_ENTRIES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.piece.entries.is_empty() {
            return Ok(());
        }
        let root = self.piece.root.clone();
        let empty = Piece { root: root.clone(), entries: BTreeMap::new() };
        let piece = Arc::new(std::mem::replace(&mut self.piece, empty));
        if self.pieces.send(piece.clone()).is_err() {
            return Err(stopped());
        }
        let first = self.clock;
        self.clock = u32::try_from(piece.entries.len())
            .ok()
            .and_then(|written| first.checked_add(written))
            .ok_or_else(too_many)?;
        let ids = (first..).map(|clock| ItemId { client: self.client, clock });
        match (&root, self.slot) {
            (Root::Table(table), Some(_)) => {
                let mut rows = self.commit.rows(&self.name, table)?;
                let entries = ids.zip(&piece.entries);
                for (id, (_, entry)) in entries.clone().filter(|(_, (_, entry))| entry.is_stray) {
                    let content = Content::Text(entry.json.as_str().into());
                    rows.set_stray(&entry.key, Some((id, &content)))?;
                }
                let plain = entries.filter(|(_, (_, entry))| !entry.is_stray);
                rows.write_sorted(
                    plain.map(|(id, (key, entry))| (key.as_slice(), Some((id, &*entry.json)))),
                )?;
                let end = piece.entries.iter().rev().find(|(_, entry)| !entry.is_stray);
                if let Some((end, _)) = end
                    && self.greatest.as_ref() < Some(end)
                {
                    self.greatest = Some(end.clone());
                }
            }
            // A table that the code does not know is read out of the document once some code does.
            (Root::Table(_), None) => {}
            (root, _) => {
                let mut entries = match root {
                    Root::Group(group) => self.commit.entries(&self.name, group)?,
                    other => self.commit.bookkeeping(&self.name, &other.name())?,
                };
                for (id, (_, entry)) in ids.zip(&piece.entries) {
                    let content = Content::Text(entry.json.as_str().into());
                    entries.put(&entry.key, id, &content)?;
                }
            }
        }
        while let Ok(record) = self.records.try_recv() {
            self.append(record)?;
        }
        Ok(())
    }

    fn append(&mut self, record: Result<Vec<u8>>) -> Result<()> {
        self.last += 1;
        self.commit.append_snapshot(&self.name, self.last, &record?)
    }

    /// Keeps an entry as it is, whatever it is.
    pub(super) fn keep(&mut self, root: &Root, key: &str, json: &str) -> Result<()> {
        self.at(root.clone(), None)?;
        let entry = PieceEntry { key: key.to_owned(), json: json.to_owned(), is_stray: false };
        self.add(key.as_bytes().to_vec(), entry)
    }

    /// Writes what could not be converted, and waits until everything is in the document.
    pub(super) fn finish(mut self) -> Result<Written> {
        let rejected = std::mem::take(&mut self.rejected);
        let count = rejected.len() as u64;
        for (key, slot) in &rejected {
            let json = serde_json::to_string(slot).map_err(|error| {
                Error::new(ErrorKind::Storage, "a quarantined row does not serialize")
                    .because(error)
            })?;
            self.keep(&Root::Quarantine, key, &json)?;
        }
        self.end_pass()?;
        let Self { commit, name, clock, mut last, origins, moved, pieces, records, .. } = self;
        drop(pieces);
        for record in records {
            last += 1;
            commit.append_snapshot(&name, last, &record?)?;
        }
        Ok(Written { baseline: clock, origins, last, rejected: count, moved })
    }
}

impl Sink for DocumentSink<'_> {
    fn row(&mut self, slot: usize, row: NewRow) -> Result<()> {
        if !self.takes(&row.origin) {
            return Ok(());
        }
        let table = &self.def.tables[slot];
        let root = Root::Table(table.name.to_owned());
        if self.piece.root != root {
            self.at(root.clone(), Some(slot))?;
        }
        let NewRow { key, key_text, json, .. } = row;
        let Some(key) = key else {
            // After all keys, in an order of their own.
            let bytes = [&[0xFF; 33], key_text.as_bytes()].concat();
            return self.add(bytes, PieceEntry { key: key_text, json, is_stray: true });
        };
        let is_known = self.piece.entries.contains_key(&key)
            || self.greatest.as_ref().is_some_and(|greatest| *greatest >= key)
                && self.commit.rows(&self.name, table.name)?.contains(&key)?;
        if is_known {
            let failure = crate::schema::step::Failure {
                field: None,
                expected: Some("a key of its own".to_owned()),
                found: None,
                reason: "another row has been given the same key".to_owned(),
            };
            return self.reject(Rejected { root, key: key_text, raw: json, failure });
        }
        self.add(key, PieceEntry { key: key_text, json, is_stray: false })
    }

    fn entry(&mut self, slot: usize, name: &str, origin: &str, json: &str) -> Result<()> {
        if !self.takes(origin) {
            return Ok(());
        }
        let root = Root::Group(self.def.groups[slot].name.to_owned());
        self.at(root, None)?;
        let entry = PieceEntry { key: name.to_owned(), json: json.to_owned(), is_stray: false };
        self.add(name.as_bytes().to_vec(), entry)
    }

    fn moved(&mut self, epoch: u32, table: &'static str) {
        self.moved.insert((epoch, table));
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let root = rejected.root.name();
        let mut key = SlotKey { source: self.source, root, key: rejected.key.clone() };
        // Of two rows under one key each is kept.
        let is_other = |slot: &Slot| slot.raw.as_deref() != Some(&rejected.raw);
        while self.rejected.get(&key.to_text()).is_some_and(is_other) {
            key.key.push('\'');
        }
        let text = key.to_text();
        if !self.rejected.contains_key(&text) {
            (self.on_reject)(&rejected)?;
            let reason = describe(&rejected);
            self.rejected.insert(
                text,
                Slot {
                    of: (key.root, rejected.key),
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
pub(super) fn describe(rejected: &Rejected) -> String {
    let failure = &rejected.failure;
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

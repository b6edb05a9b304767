//! The document in memory, read out of snapshot and log.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use twox_hash::XxHash3_64;

use super::late_edits::LateEdits;
use crate::disk::{HEAD_DOCUMENT, Stored, View};
use crate::doc::{Document, Writes};
use crate::error::{Error, ErrorKind, Result};

/// Below this the log is not worth rewriting.
const MIN_LOG_BYTES: u64 = 1 << 20;

/// The document in memory, and what is known of its log.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) document: Document,
    /// The late edits that it carries.
    pub(crate) late_edits: LateEdits,
    pub(crate) log: LogState,
}

/// How the stored document stands.
#[derive(Debug, Default)]
pub(crate) struct LogState {
    /// The sequence number of the last record.
    pub(crate) last: u64,
    pub(crate) log_bytes: u64,
    /// The largest record of the log.
    pub(crate) largest: u64,
    pub(crate) snapshot_bytes: u64,
    /// What could not be read.
    pub(crate) damage: Vec<String>,
    /// Whether a snapshot of it is being made.
    pub(crate) is_renewed: bool,
}

impl LogState {
    /// Whether a snapshot is due: when what came after the snapshot, or after a record so large
    /// that it is as good as one, is larger than that. So every byte written is rewritten a
    /// bounded number of times.
    pub(crate) fn is_outgrown(&self) -> bool {
        // A damaged document is left as it is: the damaged part may yet be wanted.
        self.damage.is_empty()
            && self.log_bytes - self.largest
                > self.snapshot_bytes.max(self.largest).max(MIN_LOG_BYTES)
    }

    /// Adds a record of the log.
    pub(crate) fn grow(&mut self, sequence: u64, stored_bytes: u64) {
        self.last = self.last.max(sequence);
        self.log_bytes += stored_bytes;
        self.largest = self.largest.max(stored_bytes);
    }

    fn add(&mut self, stored: &Stored) {
        if stored.is_snapshot {
            self.last = self.last.max(stored.sequence);
            // It may be in several parts.
            self.snapshot_bytes += stored.stored_bytes;
        } else {
            self.grow(stored.sequence, stored.stored_bytes);
        }
    }

    fn damaged(&mut self, document: &str, stored: &Stored, why: &str) {
        let part = if stored.is_snapshot { "the snapshot up to" } else { "record" };
        let sequence = stored.sequence;
        self.damage.push(format!("{part} {sequence} of document `{document}`: {why}"));
    }
}

/// A fingerprint of damage; `None` where there is none.
pub(crate) fn damage_hash<'l>(damage: impl Iterator<Item = &'l String>) -> Option<u64> {
    let text = damage.map(String::as_str).collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then(|| XxHash3_64::oneshot(text.as_bytes()))
}

/// An empty document of a store.
fn empty_document(store: &str, document: &str, device: u64) -> Document {
    let guid = match document {
        HEAD_DOCUMENT => store.to_owned(),
        other => format!("{store}/{other}"),
    };
    Document::new(&guid, device)
}

/// Reads a document out of the file.
pub(crate) fn read_document(view: &View, store: &str, name: &str, device: u64) -> Result<Loaded> {
    let mut document = empty_document(store, name, device);
    let mut log = LogState::default();
    let replayed = catch_unwind(AssertUnwindSafe(|| {
        view.document(name, |stored| {
            log.add(&stored);
            let problem = match &stored.record {
                Ok(record) if record.waits => {
                    document.wait(&record.update);
                    None
                }
                Ok(record) => document.replay(&record.update).err().map(|error| error.to_string()),
                Err(why) => Some((*why).to_owned()),
            };
            if let Some(why) = problem {
                log.damaged(name, &stored, &why);
            }
            Ok::<(), Error>(())
        })??;
        document.settle().map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the updates that wait cannot be read").because(error)
        })
    }));
    match replayed {
        Ok(read) => {
            read?;
            let late_edits = LateEdits::of(&document);
            Ok(Loaded { document, late_edits, log })
        }
        Err(_) => Err(Error::new(ErrorKind::Corrupt, "the stored document cannot be loaded")
            .help("restore a backup; rows can still be read")),
    }
}

/// How many clocks of each device a document in the file has, and the last of its log: without
/// loading it. `None` where only loading it tells.
pub(crate) fn clocks_in_file(view: &View, name: &str) -> Result<Option<(BTreeMap<u64, u32>, u64)>> {
    let mut clocks = BTreeMap::<u64, u32>::new();
    let mut last = 0;
    let read = catch_unwind(AssertUnwindSafe(|| {
        view.document(name, |stored| {
            last = last.max(stored.sequence);
            let record = stored.record.map_err(|_| ())?;
            let found = Document::clocks_of(&record.update).map_err(|_| ())?.ok_or(())?;
            for Writes { client, start, end } in found {
                let known = clocks.entry(client).or_default();
                if record.waits || start > *known {
                    return Err(());
                }
                *known = end.max(*known);
            }
            Ok(())
        })
    }));
    match read {
        Ok(Ok(Ok(()))) => Ok(Some((clocks, last))),
        Ok(Err(error)) => Err(error),
        _ => Ok(None),
    }
}

//! Rows read and converted, into chunks: in a thread of its own where there are many.

use std::sync::mpsc::sync_channel;
use std::thread;

use super::convert::{Rejected, convert_one, text_of};
use super::row_chunk::{ChunkRow, RowChunk};
use super::source::{RowRef, Source};
use crate::doc::Root;
use crate::engine::{Split, StoppedAt};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, renamed};
use crate::schema::descriptor::{TableDef, TableIdx};

/// From so many rows on, a thread of their own is worth starting.
const THREAD_FROM_ROWS: u64 = 2_000;

/// How many chunks the thread may be ahead.
const MAX_WAITING_CHUNKS: usize = 2;

/// How many rejected rows are handed over together at most.
const MAX_REJECTED: usize = 256;

/// The results of converting rows.
#[derive(Default)]
pub(super) struct Outcome {
    /// How many rows these were.
    pub(super) count: usize,
    /// Some of them as they were, by the key that they have now.
    pub(super) samples: Vec<(String, Content)>,
    pub(super) rows: RowChunk,
    pub(super) rejected: Vec<Rejected>,
}

/// Converts the rows of a table, and gives what became of them chunk by chunk.
pub(super) struct Packer<'p> {
    /// That of the rows.
    pub(super) epoch: u32,
    pub(super) before: &'p TableDef,
    pub(super) now: &'p TableDef,
    pub(super) conversions: u32,
    /// Which of the rows that come of one are meant.
    pub(super) splits: &'p [Split],
    /// How many more rows are to be given as they were.
    pub(super) samples: usize,
    pub(super) outcome: Outcome,
}

impl Packer<'_> {
    /// Converts a row; gives a chunk where that is full.
    pub(super) fn row(&mut self, row: RowRef<'_>) -> Result<Option<Outcome>> {
        let outcome = &mut self.outcome;
        outcome.count += 1;
        let at = |error: Error| error.at_table(self.before.name).at_key(row.key_text(self.before));
        match convert_one(self.now, self.conversions, row).map_err(at)? {
            Ok(new) => {
                if self.samples > 0 {
                    self.samples -= 1;
                    outcome.samples.push((new.key_text.clone(), row.content.to_owned()));
                }
                outcome.rows.push(ChunkRow {
                    key: Some(&new.key),
                    key_text: &new.key_text,
                    base: &row.base.split(self.splits),
                    json: &new.json,
                });
            }
            Err(failure) => {
                let key = row.key_text(self.before);
                let later = renamed(self.before.key, self.now.key, &key);
                let root = Root::Table(self.before.name.to_owned()).name();
                let stopped_at = StoppedAt::new(self.epoch, EntryRef::new(root, key.as_str()));
                outcome.rejected.push(Rejected {
                    root: Root::Table(self.now.name.to_owned()),
                    key: later.unwrap_or(key),
                    base: row.base.split(self.splits),
                    raw: text_of(row.content.to_owned()),
                    stopped_at,
                    failure,
                });
            }
        }
        let is_full = outcome.rows.is_full() || outcome.rejected.len() >= MAX_REJECTED;
        Ok(is_full.then(|| std::mem::take(outcome)))
    }

    /// Converts all rows of a source's table.
    pub(super) fn run(
        mut self,
        source: &Source<'_>,
        table_idx: TableIdx,
        take: &mut dyn FnMut(Outcome) -> Result<()>,
    ) -> Result<()> {
        if source.len(table_idx)? >= THREAD_FROM_ROWS {
            return self.run_in_thread(source, table_idx, take);
        }
        source.for_each_row(table_idx, &mut |row| match self.row(row)? {
            Some(full) => take(full),
            None => Ok(()),
        })?;
        take(self.outcome)
    }

    /// Reads and converts in a thread of its own, while this one takes what comes.
    fn run_in_thread(
        mut self,
        source: &Source<'_>,
        table_idx: TableIdx,
        take: &mut dyn FnMut(Outcome) -> Result<()>,
    ) -> Result<()> {
        thread::scope(|scope| {
            let (give, chunks) = sync_channel::<Outcome>(MAX_WAITING_CHUNKS);
            let reader = scope.spawn(move || {
                // If the chunks are not taken any more, the taker has the error.
                let stopped = || Error::new(ErrorKind::Migration, "the migration has stopped");
                source.for_each_row(table_idx, &mut |row| match self.row(row)? {
                    Some(full) => give.send(full).map_err(|_| stopped()),
                    None => Ok(()),
                })?;
                give.send(self.outcome).map_err(|_| stopped())
            });
            let mut chunks = chunks.into_iter();
            let taken = chunks.try_for_each(&mut *take);
            drop(chunks);
            let read = reader.join().unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Corrupt,
                    "reading the rows of the earlier epoch panicked",
                )
                .help("nothing was changed; run `check` on the file"))
            });
            taken.and(read)
        })
    }
}

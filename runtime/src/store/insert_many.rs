//! Inserting many rows: while one thread encodes rows, another reads back those that are encoded, and outside of
//! transactions a third one writes those that were read.

use std::borrow::Borrow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use super::overlay::{Overlay, State, keeps_rules, refused};
use super::stamps;
use crate::disk::View;
use crate::engine::{Feed, NewRow, NewRows, WriteBatch};
use crate::error::{Error, Result};
use crate::evolve::{Form, Invalid};
use crate::row::{Encoded, Key, Row, USUAL_BYTES};
use crate::schema::descriptor::TableIdx;

/// So many rows go from one thread to the other at once; fewer stay in one thread.
const CHUNK_ROWS: usize = 256;

/// A row on its way into the batch.
struct EncodedRow<K> {
    key: K,
    text: Result<Encoded, Invalid>,
    refers_to: Vec<(usize, Vec<u8>)>,
    /// The rule that the row breaks, if it reads back as what it is.
    broken: Option<Error>,
}

impl<K> EncodedRow<K> {
    /// Encodes a row; with the time that it gets, if it gets one.
    fn new<R: Row<Key = K>>(row: &R, now: Option<i64>) -> Self
    where
        K: Clone,
    {
        let encode = |row: &R| {
            let encoded = (Form::of_record().encode)(row, USUAL_BYTES);
            encoded.map_err(Invalid::unencodable)
        };
        let text = match now {
            Some(now) => stamps::begun(row, now).and_then(|row| encode(&row)),
            None => encode(row),
        };
        let mut refers_to = Vec::new();
        row.references(&mut |number, key| refers_to.push((number, key.to_vec())));
        let broken = text.as_ref().ok().and_then(|text| keeps_rules(row, &text.json).err());
        Self { key: row.key().into_owned(), text, refers_to, broken }
    }
}

impl<K> EncodedRow<K> {
    /// Reads the row back, which may read as something else.
    fn read_back<R: Row<Key = K>>(&mut self) {
        let Ok(text) = &self.text else { return };
        if let Err(invalid) = Form::<R>::of_record().check_unambiguous(&text.json, text) {
            self.text = Err(invalid);
        }
    }
}

impl<K: Key> EncodedRow<K> {
    /// Its JSON, if it can be stored.
    fn text<R: Row<Key = K>>(self) -> Result<String> {
        let text = self.text.map_err(|invalid| refused::<R>(&self.key, invalid))?;
        self.broken.map_or(Ok(text.json), Err)
    }
}

/// Reads rows back, up to the first one that reads as something else.
fn read_back<R: Row>(rows: &mut [EncodedRow<R::Key>]) {
    for row in rows {
        row.read_back::<R>();
        if row.text.is_err() {
            return;
        }
    }
}

/// Rows that are to be inserted, and those of them that were taken first.
pub(super) struct Inserting<R: Row, I> {
    table_idx: TableIdx,
    rows: I,
    /// The time that they get, if they get one.
    now: Option<i64>,
    first: Vec<EncodedRow<R::Key>>,
    /// Whether none of the others was taken yet.
    may_be_more: bool,
}

impl<R: Row, I: Iterator<Item: Borrow<R>>> Inserting<R, I> {
    pub(super) fn new(table_idx: TableIdx, rows: I) -> Self {
        Self { table_idx, rows, now: None, first: Vec::new(), may_be_more: true }
    }

    /// Takes the first rows.
    fn take_first(&mut self, now: Option<i64>) {
        self.now = now;
        if R::shape().whole().is_ambiguous() {
            // Such a row is compared with the one that is read back, which stays in one thread.
            return;
        }
        let first = self.rows.by_ref().take(CHUNK_ROWS).map(|row| {
            let mut row = EncodedRow::new(row.borrow(), now);
            row.read_back::<R>();
            row
        });
        self.first = first.collect();
        self.may_be_more = self.first.len() == CHUNK_ROWS;
    }

    /// Hands over all rows in their order, some at a time, until that fails. This thread encodes them while
    /// another one reads them back.
    fn hand_over<E>(
        self,
        mut hand_over: impl FnMut(Vec<EncodedRow<R::Key>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { mut rows, now, first, may_be_more, .. } = self;
        hand_over(first)?;
        let mut next_chunk = || -> Vec<EncodedRow<R::Key>> {
            rows.by_ref().take(CHUNK_ROWS).map(|row| EncodedRow::new(row.borrow(), now)).collect()
        };
        let mut chunk = if may_be_more { next_chunk() } else { Vec::new() };
        if chunk.is_empty() {
            return Ok(());
        }
        thread::scope(|scope| {
            let (give, given) = sync_channel::<Vec<EncodedRow<R::Key>>>(1);
            let (give_back, read) = channel();
            let reader = thread::Builder::new().spawn_scoped(scope, move || {
                for mut chunk in given {
                    read_back::<R>(&mut chunk);
                    if give_back.send(chunk).is_err() {
                        return;
                    }
                }
            });
            let Ok(reader) = reader else {
                // The system has no thread left.
                while !chunk.is_empty() {
                    read_back::<R>(&mut chunk);
                    hand_over(chunk)?;
                    chunk = next_chunk();
                }
                return Ok(());
            };
            let hand_over_all = || {
                // If it is not taken, reading has panicked.
                while !chunk.is_empty() && give.send(std::mem::take(&mut chunk)).is_ok() {
                    read.try_iter().try_for_each(&mut hand_over)?;
                    chunk = next_chunk();
                }
                drop(give);
                read.into_iter().try_for_each(&mut hand_over)
            };
            let handed_over = hand_over_all();
            match reader.join() {
                // A row's own code panics in whichever thread reads it.
                Err(panic) if handed_over.is_ok() => resume_unwind(panic),
                _ => handed_over,
            }
        })
    }

    /// Puts them into a transaction, up to the first one that cannot be stored, and returns their number.
    fn put(self, overlay: &mut Overlay<'_>) -> Result<usize> {
        let table_idx = self.table_idx;
        let mut count = 0;
        if R::shape().whole().is_ambiguous() {
            for row in self.rows {
                overlay.insert(table_idx, row.borrow())?;
                count += 1;
            }
            return Ok(count);
        }
        self.hand_over(|rows| {
            count += overlay.insert_read::<R>(table_idx, rows)?;
            Ok(())
        })?;
        Ok(count)
    }
}

impl<R: Row, I: Iterator<Item: Borrow<R>>> NewRows for Inserting<R, I> {
    fn begin(&mut self, now: i64) -> bool {
        self.take_first((!R::STAMPS.is_empty()).then_some(now));
        self.first.len() == CHUNK_ROWS
    }

    fn put_into(self, view: &Arc<View>, batch: &mut WriteBatch) -> Result<usize> {
        self.put(&mut Overlay { view, batch })
    }

    fn give_to(self, feed: &Feed) {
        // After an error, what is said of it is in the feed.
        let _ = self.hand_over(|chunk| {
            let mut rows = Vec::with_capacity(chunk.len());
            for row in chunk {
                let key = row.key.to_text();
                let bytes: Box<[u8]> = row.key.to_bytes().as_slice().into();
                match row.text::<R>() {
                    Ok(json) => rows.push(NewRow { key, bytes, json }),
                    Err(error) => {
                        feed.rows(rows);
                        feed.refuse(key, bytes, error);
                        return Err(());
                    }
                }
            }
            if feed.rows(rows) { Ok(()) } else { Err(()) }
        });
    }
}

impl Overlay<'_> {
    /// Stores rows that are not there yet, up to the first one that cannot be stored, and returns their
    /// number.
    pub(super) fn insert_many<R: Row>(
        &mut self,
        table_idx: TableIdx,
        rows: impl IntoIterator<Item: Borrow<R>>,
    ) -> Result<usize> {
        let mut rows = Inserting::new(table_idx, rows.into_iter());
        rows.take_first(self.stamps::<R>().then_some(self.batch.now));
        rows.put(self)
    }

    /// Stores encoded rows up to the first one that cannot be stored.
    fn insert_read<R: Row>(
        &mut self,
        table_idx: TableIdx,
        rows: Vec<EncodedRow<R::Key>>,
    ) -> Result<usize> {
        let mut count = 0;
        let greatest = self.view.greatest_key(table_idx)?;
        for EncodedRow { key, text, refers_to, broken } in rows {
            let bytes = key.to_bytes();
            let is_beyond = |greatest: &[u8]| *greatest < *bytes.as_slice();
            // New ids come after all others, and need no look-up.
            let is_new = greatest.as_deref().is_none_or(is_beyond)
                && self.batch.greatest_key(table_idx).is_none_or(is_beyond);
            let state = match is_new {
                true => State::committed(false),
                false => self.state_to_insert::<R>(table_idx, &key)?,
            };
            let text = text.map_err(|invalid| refused::<R>(&key, invalid))?;
            if let Some(broken) = broken {
                return Err(broken);
            }
            // A copy without room to spare.
            let json = Box::from(text.json.as_str());
            self.set_op(table_idx, &key, Some(json), state, refers_to);
            count += 1;
        }
        Ok(count)
    }
}

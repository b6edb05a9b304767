//! Inserting many rows: while one thread encodes rows, another reads back those that are encoded.

use std::borrow::Borrow;
use std::panic::resume_unwind;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use super::overlay::{Overlay, State, keeps_rules, refused};
use super::stamps;
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

/// Reads rows back, up to the first one that reads as something else.
fn read_back<R: Row>(rows: &mut [EncodedRow<R::Key>]) {
    for row in rows {
        row.read_back::<R>();
        if row.text.is_err() {
            return;
        }
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
        let mut rows = rows.into_iter();
        if R::shape().whole().is_ambiguous() {
            // Such a row is compared with the one that is read back, which stays in one thread.
            return rows.try_fold(0, |count, row| {
                self.insert(table_idx, row.borrow()).map(|()| count + 1)
            });
        }
        let now = self.stamps::<R>().then_some(self.batch.now);
        let encode_and_read = |row: &R| {
            let mut row = EncodedRow::new(row, now);
            row.read_back::<R>();
            row
        };
        let first = rows.by_ref().take(CHUNK_ROWS).map(|row| encode_and_read(row.borrow()));
        let first: Vec<EncodedRow<R::Key>> = first.collect();
        let are_more = first.len() == CHUNK_ROWS;
        let inserted = self.insert_read::<R>(table_idx, first)?;
        let mut next_chunk = || -> Vec<EncodedRow<R::Key>> {
            rows.by_ref().take(CHUNK_ROWS).map(|row| EncodedRow::new(row.borrow(), now)).collect()
        };
        let mut chunk = if are_more { next_chunk() } else { Vec::new() };
        if chunk.is_empty() {
            return Ok(inserted);
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
                let mut count = inserted;
                while !chunk.is_empty() {
                    read_back::<R>(&mut chunk);
                    count += self.insert_read::<R>(table_idx, chunk)?;
                    chunk = next_chunk();
                }
                return Ok(count);
            };
            let insert_all = || {
                let mut count = inserted;
                // If it is not taken, reading has panicked.
                while !chunk.is_empty() && give.send(std::mem::take(&mut chunk)).is_ok() {
                    for chunk in read.try_iter() {
                        count += self.insert_read::<R>(table_idx, chunk)?;
                    }
                    chunk = next_chunk();
                }
                drop(give);
                for chunk in read {
                    count += self.insert_read::<R>(table_idx, chunk)?;
                }
                Ok(count)
            };
            let inserted = insert_all();
            match reader.join() {
                // A row's own code panics in whichever thread reads it.
                Err(panic) if inserted.is_ok() => resume_unwind(panic),
                _ => inserted,
            }
        })
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

//! The rows of a table as a transaction sees them.

use std::collections::btree_map;
use std::iter::Peekable;
use std::marker::PhantomData;

use super::read::{stray_row, typed_in_scan, typed_text};
use crate::disk;
use crate::engine::RowOp;
use crate::error::Result;
use crate::row::{Key, Row};

/// The committed rows merged with those of the transaction, in the order of their keys.
pub(super) struct OverlayRows<'t, R> {
    committed: disk::Rows,
    /// The committed row that comes next, read ahead to compare its key.
    ahead: Option<(Vec<u8>, Result<R>)>,
    written: Peekable<btree_map::Iter<'t, Box<[u8]>, RowOp>>,
    strays: std::vec::IntoIter<String>,
    row: PhantomData<fn() -> R>,
}

impl<'t, R: Row> OverlayRows<'t, R> {
    pub(super) fn new(
        committed: disk::Rows,
        written: btree_map::Iter<'t, Box<[u8]>, RowOp>,
        strays: Vec<String>,
    ) -> Self {
        Self {
            committed,
            ahead: None,
            written: written.peekable(),
            strays: strays.into_iter(),
            row: PhantomData,
        }
    }

    fn read_ahead(&mut self) -> Result<()> {
        if self.ahead.is_none() {
            let next =
                self.committed.next_with(|key, row| (key.to_vec(), typed_in_scan::<R>(key, row)));
            self.ahead = next.transpose()?;
        }
        Ok(())
    }
}

impl<R: Row> Iterator for OverlayRows<'_, R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        loop {
            if let Err(error) = self.read_ahead() {
                return Some(Err(error));
            }
            let committed_first = match (&self.ahead, self.written.peek()) {
                (Some((committed, _)), Some((written, _))) => **committed < ***written,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => {
                    return self.strays.next().map(|key| Err(stray_row::<R>(&key)));
                }
            };
            if committed_first {
                return self.ahead.take().map(|(_, row)| row);
            }
            let (bytes, op) = self.written.next()?;
            // The transaction's write replaces the committed row under the same key.
            self.ahead.take_if(|(committed, _)| **committed == **bytes);
            if let (Some(json), Some(key)) = (&op.json, R::Key::from_bytes(bytes)) {
                return Some(typed_text(&key, json));
            }
        }
    }
}

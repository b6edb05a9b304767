//! Rows of one type on their way through a query, which does not know the type.

use std::any::Any;

use super::run::Run;
use crate::disk::StoredRow;
use crate::error::{Error, Result};
use crate::row::{Key, Row};

/// A place for the rows of a query: the one that was read last, those that are set aside until it is
/// their turn, and the result.
///
/// It is all that queries know of the type of rows, so that their code is compiled once, and not
/// again for each table.
pub(crate) trait RowBuffer {
    /// Says that stored rows are known to decode, and that nothing but the result asks for them.
    fn only_keeps(&mut self) {}

    /// Reads a stored row, which becomes the current one.
    fn read(&mut self, key: &[u8], stored: &StoredRow<'_>) -> Result<()>;

    /// The same from JSON; nothing if the bytes are not a key of the table.
    fn read_text(&mut self, key: &[u8], json: &str) -> Option<Result<()>>;

    /// The error for a row whose key text is not one of the table's type.
    fn stray(&self, key: &str) -> Error;

    /// The current row.
    fn current(&self) -> Option<&dyn Any>;

    /// Sets the current row aside, under a number.
    fn set_aside(&mut self) -> usize;

    /// Makes a row that was set aside the current one.
    fn recall(&mut self, number: usize);

    /// Forgets a row that was set aside.
    fn forget(&mut self, number: usize);

    /// Adds the current row to the result.
    fn keep(&mut self);

    /// How many rows the result has.
    fn len(&self) -> usize;

    /// A row of the result.
    fn kept(&self, number: usize) -> Option<&dyn Any>;

    /// Makes room for so many more rows of the result.
    fn reserve(&mut self, rows: usize);

    /// An empty buffer for the same rows, for another thread.
    fn another(&self) -> Box<dyn RowBuffer + Send>;

    /// Adds the result of another buffer of the same rows.
    fn append(&mut self, other: Box<dyn RowBuffer + Send>);

    /// The buffer, as what it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Rows that are set aside, under numbers.
pub(super) struct Aside<T> {
    rows: Vec<Option<T>>,
    /// The numbers that are free.
    free: Vec<usize>,
}

impl<T> Aside<T> {
    pub(super) const EMPTY: Self = Self { rows: Vec::new(), free: Vec::new() };

    pub(super) fn set(&mut self, row: Option<T>) -> usize {
        match self.free.pop() {
            Some(number) => {
                self.rows[number] = row;
                number
            }
            None => {
                self.rows.push(row);
                self.rows.len() - 1
            }
        }
    }

    pub(super) fn take(&mut self, number: usize) -> Option<T> {
        self.free.push(number);
        self.rows[number].take()
    }
}

/// How the rows of a table are read, with errors that name their place.
pub(crate) struct Read<R: Row> {
    pub(crate) stored: fn(&[u8], &StoredRow<'_>) -> Result<R>,
    pub(crate) text: fn(&R::Key, &str) -> Result<R>,
    pub(crate) stray: fn(&str) -> Error,
}

impl<R: Row> Clone for Read<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Row> Copy for Read<R> {}

/// The [`RowBuffer`] of a row type.
pub(crate) struct Buffer<R: Row> {
    read: Read<R>,
    current: Option<R>,
    aside: Aside<R>,
    result: Vec<R>,
}

impl<R: Row> Buffer<R> {
    pub(crate) fn new(read: Read<R>) -> Self {
        Self { read, current: None, aside: Aside::EMPTY, result: Vec::new() }
    }

    /// The next row of a query that goes through this buffer.
    pub(crate) fn next(&mut self, run: &mut Run<'_>) -> Option<Result<R>> {
        match run.next(self)? {
            Ok(()) => self.current.take().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// The row that was read last.
    pub(crate) fn row(&self) -> Option<&R> {
        self.current.as_ref()
    }

    /// The rows of the result.
    pub(crate) fn into_result(self) -> Vec<R> {
        self.result
    }
}

impl<R: Row> RowBuffer for Buffer<R> {
    fn read(&mut self, key: &[u8], stored: &StoredRow<'_>) -> Result<()> {
        self.current = Some((self.read.stored)(key, stored)?);
        Ok(())
    }

    fn read_text(&mut self, key: &[u8], json: &str) -> Option<Result<()>> {
        let key = R::Key::from_bytes(key)?;
        Some((self.read.text)(&key, json).map(|row| self.current = Some(row)))
    }

    fn stray(&self, key: &str) -> Error {
        (self.read.stray)(key)
    }

    fn current(&self) -> Option<&dyn Any> {
        self.current.as_ref().map(|row| row as &dyn Any)
    }

    fn set_aside(&mut self) -> usize {
        self.aside.set(self.current.take())
    }

    fn recall(&mut self, number: usize) {
        self.current = self.aside.take(number);
    }

    fn forget(&mut self, number: usize) {
        self.aside.take(number);
    }

    fn keep(&mut self) {
        self.result.extend(self.current.take());
    }

    fn len(&self) -> usize {
        self.result.len()
    }

    fn kept(&self, number: usize) -> Option<&dyn Any> {
        self.result.get(number).map(|row| row as &dyn Any)
    }

    fn reserve(&mut self, rows: usize) {
        self.result.reserve_exact(rows);
    }

    fn another(&self) -> Box<dyn RowBuffer + Send> {
        Box::new(Self::new(self.read))
    }

    fn append(&mut self, other: Box<dyn RowBuffer + Send>) {
        if let Ok(mut other) = other.into_any().downcast::<Self>() {
            self.result.append(&mut other.result);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

//! The selected columns of rows on their way through a query.

use std::any::Any;

use super::buffer::{Aside, Read, RowBuffer};
use super::columns::Columns;
use super::run::Run;
use crate::disk::StoredRow;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::{MAX_PICKED, pick};
use crate::row::{Key, Row};

/// The [`RowBuffer`] of columns of a row type: of the rows only the values of these are kept.
pub(crate) struct Picks<R: Row, S: Columns<R>> {
    read: Read<R>,
    columns: S,
    /// The fields that the columns are read from.
    fields: Vec<usize>,
    /// Whether they are read without decoding the row.
    is_part: bool,
    current: Option<Picked<R, S::Value>>,
    aside: Aside<S::Value>,
    result: Vec<S::Value>,
    /// Why the first row without what is selected has none.
    failed: Option<Error>,
}

/// A row, or what is selected of it.
enum Picked<R, V> {
    Row(R),
    Value(V),
}

impl<R: Row, S: Columns<R>> Picks<R, S> {
    pub(crate) fn new(read: Read<R>, columns: S) -> Self {
        let mut roots = Vec::new();
        columns.roots(&mut roots);
        let field = |root: &&str| R::FIELDS.iter().position(|field| field.name == *root);
        Self {
            read,
            fields: roots.iter().filter_map(field).collect(),
            columns,
            is_part: false,
            current: None,
            aside: Aside::EMPTY,
            result: Vec::new(),
            failed: None,
        }
    }

    /// The next values of a query whose rows go through this buffer.
    pub(crate) fn next(&mut self, run: &mut Run<'_>) -> Option<Result<S::Value>> {
        match run.next(self)? {
            Ok(()) => match self.take() {
                Some(value) => Some(Ok(value)),
                None => self.failed.take().map(Err),
            },
            Err(error) => Some(Err(error)),
        }
    }

    /// The values of the result.
    pub(crate) fn into_result(self) -> Result<Vec<S::Value>> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.result),
        }
    }

    fn take(&mut self) -> Option<S::Value> {
        match self.current.take()? {
            Picked::Row(row) => {
                let value = self.columns.value(&row);
                if value.is_none() && self.failed.is_none() {
                    self.failed = Some(not_computed(&row));
                }
                value
            }
            Picked::Value(value) => Some(value),
        }
    }

    /// Reads the selected columns of a row, without decoding the rest.
    fn part(&self, stored: &StoredRow<'_>) -> Option<S::Value> {
        if !self.is_part || stored.is_damaged() || stored.is_foreign() {
            return None;
        }
        pick::<R, _>(stored.json(), &self.fields, |texts| self.columns.parse(&mut texts.iter()))
    }
}

impl<R: Row, S: Columns<R>> RowBuffer for Picks<R, S> {
    fn only_keeps(&mut self) {
        self.is_part = self.fields.len() <= MAX_PICKED;
    }

    fn read(&mut self, key: &[u8], stored: &StoredRow<'_>) -> Result<()> {
        self.current = Some(match self.part(stored) {
            Some(value) => Picked::Value(value),
            None => Picked::Row((self.read.stored)(key, stored)?),
        });
        Ok(())
    }

    fn read_text(&mut self, key: &[u8], json: &str) -> Option<Result<()>> {
        let key = R::Key::from_bytes(key)?;
        let read = (self.read.text)(&key, json);
        Some(read.map(|row| self.current = Some(Picked::Row(row))))
    }

    fn stray(&self, key: &str) -> Error {
        (self.read.stray)(key)
    }

    fn current(&self) -> Option<&dyn Any> {
        match &self.current {
            Some(Picked::Row(row)) => Some(row),
            _ => None,
        }
    }

    fn set_aside(&mut self) -> usize {
        let value = self.take();
        self.aside.set(value)
    }

    fn recall(&mut self, number: usize) {
        self.current = self.aside.take(number).map(Picked::Value);
    }

    fn forget(&mut self, number: usize) {
        self.aside.take(number);
    }

    fn keep(&mut self) {
        let value = self.take();
        self.result.extend(value);
    }

    fn len(&self) -> usize {
        self.result.len()
    }

    fn kept(&self, _: usize) -> Option<&dyn Any> {
        None
    }

    fn reserve(&mut self, rows: usize) {
        self.result.reserve_exact(rows);
    }

    fn another(&self) -> Box<dyn RowBuffer + Send> {
        let mut other = Self::new(self.read, self.columns.clone());
        other.is_part = self.is_part;
        Box::new(other)
    }

    fn append(&mut self, other: Box<dyn RowBuffer + Send>) {
        if let Ok(mut other) = other.into_any().downcast::<Self>() {
            self.result.append(&mut other.result);
            self.failed = self.failed.take().or(other.failed);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A row of another device of which a computed column that is selected has no value.
#[cold]
fn not_computed<R: Row>(row: &R) -> Error {
    let computed = R::COMPUTED.iter().enumerate().find(|(number, _)| !row.is_computed(*number));
    let (name, code) =
        computed.map(|(_, computed)| (computed.name, computed.code)).unwrap_or_default();
    Error::new(ErrorKind::CheckFailed, format!("the computed column `{name}` panicked"))
        .at_table(R::TABLE)
        .at_key(row.key().to_text())
        .at_field(name)
        .expecting(format!("values of which `{code}` can be computed"))
        .help(
            "correct the row, which `violations` lists, or make the expression compute a value for all \
             rows, without a panic",
        )
}

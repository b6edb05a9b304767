//! [`Snapshot`]: the store as it was at one moment.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::Entry;
use super::handle::{GroupOf, Handle, TableOf};
use super::read::{EntriesOf, typed_row};
use super::rows::Rows;
use super::trait_store::Store;
use crate::disk::View;
use crate::engine::Topic;
use crate::error::{Error, Result};
use crate::row::{BorrowedFrom, Key};
use crate::schema::descriptor::GroupIdx;

/// A consistent view across all tables and groups, unaffected by later writes.
///
/// Made by [`snapshot`](crate::Store::snapshot), at no cost. While it lives, the file cannot reuse
/// the space of what it still sees.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Note { #[key] name: String }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// # let app = App::in_memory()?;
/// let before = app.snapshot()?;
/// app.notes.insert(&Note { name: "milk".into() })?;
/// assert_eq!(before.len::<Note>()?, 0);
/// assert_eq!(app.snapshot()?.len::<Note>()?, 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Snapshot<S> {
    pub(super) handle: Handle,
    pub(super) view: Arc<View>,
    /// A record of what is read, if it is asked for.
    pub(super) reads: Option<Arc<Reads>>,
    store: PhantomData<fn() -> S>,
}

/// Which tables and groups were read.
#[derive(Debug, Default)]
pub(super) struct Reads(pub(super) Mutex<BTreeSet<Topic>>);

impl Reads {
    pub(super) fn record(&self, topic: Topic) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(topic);
    }
}

impl<S> fmt::Debug for Snapshot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl<S> Clone for Snapshot<S> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            view: self.view.clone(),
            reads: self.reads.clone(),
            store: PhantomData,
        }
    }
}

impl<S: Store> Snapshot<S> {
    pub(super) fn new(handle: &Handle) -> Self {
        Self {
            handle: handle.clone(),
            view: handle.engine().view(),
            reads: None,
            store: PhantomData,
        }
    }

    pub(super) fn reads(&self, topic: Topic) {
        if let Some(reads) = &self.reads {
            reads.record(topic);
        }
    }

    fn placed<R: TableOf<S>, T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| self.handle.placed(error.at_table(R::TABLE)))
    }

    /// Returns the row under a key; `None` if there was none.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored row does not decode.
    pub fn get<R: TableOf<S>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<Option<R>> {
        self.reads(Topic::Table(R::TABLE_IDX));
        let row = key.with(|key: &R::Key| {
            let stored = self.view.row(R::TABLE_IDX, key.to_bytes().as_slice());
            stored.and_then(|stored| stored.map(|row| typed_row(key, &row)).transpose())
        });
        self.placed::<R, _>(row)
    }

    /// Whether there was a row under a key, valid or not.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn contains<R: TableOf<S>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        self.reads(Topic::Table(R::TABLE_IDX));
        let found = key.with(|key: &R::Key| {
            let stored = self.view.row(R::TABLE_IDX, key.to_bytes().as_slice());
            stored.map(|row| row.is_some())
        });
        self.placed::<R, _>(found)
    }

    /// Returns the number of rows that were stored, invalid ones included.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn len<R: TableOf<S>>(&self) -> Result<usize> {
        self.reads(Topic::Table(R::TABLE_IDX));
        let len = self.placed::<R, _>(self.view.len(R::TABLE_IDX))?;
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// Whether the table of `R` is empty.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_empty<R: TableOf<S>>(&self) -> Result<bool> {
        Ok(self.len::<R>()? == 0)
    }

    /// Iterates over all rows in the order of their keys; an invalid one is an `Err` item.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn iter<R: TableOf<S>>(&self) -> Result<Rows<R>> {
        self.reads(Topic::Table(R::TABLE_IDX));
        self.placed::<R, _>(Rows::new(self.view.clone(), R::TABLE_IDX, &self.handle))
    }

    /// Returns the value of an entry, or its default if it was not set.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored value does not decode;
    /// [`WrongStore`](crate::ErrorKind::WrongStore) if the entry belongs to another open store.
    pub fn entry<G: GroupOf<S>, T: 'static>(&self, entry: &Entry<G, T>) -> Result<T> {
        entry.checked(&self.handle)?;
        let value = self.entries(G::GROUP_IDX).value::<G, T>(entry.index, &entry.codec);
        value.map_err(|error: Error| self.handle.placed(error))
    }

    /// Returns all values of a kv group.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if one of them does not decode.
    pub fn group<G: GroupOf<S>>(&self) -> Result<G> {
        self.entries(G::GROUP_IDX).group().map_err(|error| self.handle.placed(error))
    }

    fn entries(&self, group_idx: GroupIdx) -> EntriesOf<'_> {
        self.reads(Topic::Group(group_idx));
        EntriesOf { view: &self.view, batch: None, group_idx }
    }
}

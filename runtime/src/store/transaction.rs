//! [`Transaction`]: several reads and writes as one.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::entry::Entry;
use super::handle::{GroupOf, TableOf};
use super::overlay::Overlay;
use super::trait_store::Store;
use crate::disk::View;
use crate::engine::WriteBatch;
use crate::error::{Error, Result};
use crate::row::BorrowedFrom;

/// Several reads and writes that happen together or not at all.
///
/// Given to the closure of [`transaction`](crate::Store::transaction) or
/// [`try_transaction`](crate::Store::try_transaction). Its reads see its own writes, and no other transaction's that are not committed. If the closure returns an error or
/// panics, nothing has happened.
///
/// ```
/// # use heirloom::{Error, ErrorKind, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// struct Account {
///     #[key]
///     owner: String,
///     cents: i64,
/// }
/// # #[derive(Store)]
/// # struct Bank { accounts: Table<Account> }
/// # let bank = Bank::in_memory()?;
/// # bank.accounts.insert(&Account { owner: "ada".into(), cents: 100 })?;
/// # bank.accounts.insert(&Account { owner: "ben".into(), cents: 0 })?;
///
/// let too_much = bank.transaction(|tx| {
///     let from = tx.update::<Account>("ada", |account| account.cents -= 500)?;
///     tx.update::<Account>("ben", |account| account.cents += 500)?;
///     match from {
///         Some(from) if from.cents >= 0 => Ok(()),
///         _ => Err(Error::custom("not enough money")),
///     }
/// });
/// assert_eq!(too_much.unwrap_err().kind(), ErrorKind::Custom);
/// assert_eq!(bank.accounts.get("ben")?.unwrap().cents, 0);
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Transaction<'t, S> {
    pub(super) store: &'t S,
    pub(super) overlay: Overlay<'t>,
}

impl<S> fmt::Debug for Transaction<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl<'t, S: Store> Transaction<'t, S> {
    pub(super) fn new(store: &'t S, view: &'t Arc<View>, batch: &'t mut WriteBatch) -> Self {
        Self { store, overlay: Overlay { view, batch } }
    }

    pub(super) fn placed<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| self.store.handle().placed(error))
    }

    /// Returns the store, whose entries [`set`](Self::set) and [`entry`](Self::entry) take.
    ///
    /// Its tables are not part of the transaction: reading them shows what was committed before,
    /// and writing to them is refused.
    pub fn store(&self) -> &'t S {
        self.store
    }

    /// Returns the row under a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored row does not decode.
    pub fn get<R: TableOf<S>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<Option<R>> {
        self.placed(key.with(|key| self.overlay.get(R::TABLE_IDX, key)))
    }

    /// Whether there is a row under a key, valid or not.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn contains<R: TableOf<S>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        self.placed(key.with(|key| self.overlay.contains::<R>(R::TABLE_IDX, key)))
    }

    /// Returns the number of rows of the table of `R`.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn len<R: TableOf<S>>(&self) -> Result<usize> {
        self.placed(self.overlay.len(R::TABLE_IDX))
    }

    /// Whether the table of `R` is empty.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_empty<R: TableOf<S>>(&self) -> Result<bool> {
        Ok(self.len::<R>()? == 0)
    }

    /// Iterates over all rows in the order of their keys, the transaction's own among them; an
    /// invalid one is an `Err` item.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bern".into() })?;
    /// let names = atlas.transaction(|tx| {
    ///     tx.insert(&City { name: "Aarau".into() })?;
    ///     tx.iter::<City>()?.map(|city| Ok(city?.name)).collect::<heirloom::Result<Vec<_>>>()
    /// })?;
    /// assert_eq!(names, ["Aarau", "Bern"]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn iter<R: TableOf<S>>(&self) -> Result<impl Iterator<Item = Result<R>> + '_> {
        let placed = |error: Error| self.store.handle().placed(error.at_table(R::TABLE));
        let rows = self.overlay.rows::<R>(R::TABLE_IDX).map_err(placed)?;
        Ok(rows.map(move |row| row.map_err(placed)))
    }

    /// Inserts a new row.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if there is a row under its key;
    /// [`InvalidValue`](crate::ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn insert<R: TableOf<S>>(&mut self, row: &R) -> Result<()> {
        let done = self.overlay.insert(R::TABLE_IDX, row);
        self.placed(done)
    }

    /// Inserts new rows and returns their number. Some more rows may be taken from `rows` than are stored.
    ///
    /// # Errors
    ///
    /// The errors of [`insert`](Self::insert), for the first row that cannot be stored. The rows before it are
    /// inserted if the transaction goes on all the same.
    pub fn insert_many<R, I>(&mut self, rows: I) -> Result<usize>
    where
        R: TableOf<S>,
        I: IntoIterator,
        I::Item: Borrow<R>,
    {
        let inserted = self.overlay.insert_many(R::TABLE_IDX, rows);
        self.placed(inserted)
    }

    /// Inserts a row, or replaces the one under its key.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](crate::ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn put<R: TableOf<S>>(&mut self, row: &R) -> Result<()> {
        let done = self.overlay.put(R::TABLE_IDX, row);
        self.placed(done)
    }

    /// Updates the row under a key, and returns it as it is then; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`KeyChanged`](crate::ErrorKind::KeyChanged) if `change` alters the key;
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored row does not decode.
    pub fn update<R: TableOf<S>>(
        &mut self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
        change: impl FnOnce(&mut R),
    ) -> Result<Option<R>> {
        let updated = key.with(|key| self.overlay.update(R::TABLE_IDX, key, change));
        self.placed(updated)
    }

    /// Changes the row under a key with a closure that may refuse; `Ok(None)` if there is none.
    ///
    /// If `change` returns an error, the row stays as it is, and the error is returned as it is. The
    /// transaction goes on, unless its closure returns that error too.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] owner: String, cents: u32 }
    /// # #[derive(Store)]
    /// # struct Bank { accounts: Table<Account> }
    /// # let bank = Bank::in_memory()?;
    /// # bank.accounts.insert(&Account { owner: "ada".into(), cents: 100 })?;
    /// type Refused = Box<dyn std::error::Error>;
    ///
    /// let moved = bank.try_transaction(|tx| {
    ///     tx.try_update::<Account, Refused>("ada", |account| {
    ///         account.cents = account.cents.checked_sub(500).ok_or("not enough money")?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(moved.err().unwrap().to_string(), "not enough money");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `change`, and those of [`update`](Self::update).
    pub fn try_update<R: TableOf<S>, E: From<Error>>(
        &mut self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
        change: impl FnOnce(&mut R) -> Result<(), E>,
    ) -> Result<Option<R>, E> {
        let Some(mut row) = self.get::<R>(key)? else { return Ok(None) };
        change(&mut row)?;
        Ok(self.update::<R>(key, |stored| *stored = row)?)
    }

    /// Removes the row under a key; `Ok(true)` if there was one.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn remove<R: TableOf<S>>(
        &mut self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        let removed = key.with(|key| self.overlay.remove::<R>(R::TABLE_IDX, key));
        self.placed(removed)
    }

    /// Returns the value of an entry, or its default while it is not set.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored value does not decode;
    /// [`WrongStore`](crate::ErrorKind::WrongStore) if the entry belongs to another open store.
    pub fn entry<G: GroupOf<S>, T: 'static>(&self, entry: &Entry<G, T>) -> Result<T> {
        entry.checked(self.store.handle())?;
        self.placed(self.overlay.entries(G::GROUP_IDX).value::<G, T>(entry.index, &entry.codec))
    }

    /// Returns all values of a kv group.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if one of them does not decode.
    pub fn group<G: GroupOf<S>>(&self) -> Result<G> {
        self.placed(self.overlay.entries(G::GROUP_IDX).group())
    }

    /// Sets an entry.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](crate::ErrorKind::InvalidValue) if the value holds a NaN or does not
    /// read back as what it is; [`WrongStore`](crate::ErrorKind::WrongStore) if the entry belongs to another open
    /// store.
    pub fn set<G: GroupOf<S>, T: 'static>(
        &mut self,
        entry: &Entry<G, T>,
        value: &(impl BorrowedFrom<T> + ?Sized),
    ) -> Result<()> {
        entry.checked(self.store.handle())?;
        let Entry { index, codec, .. } = entry;
        let set =
            value.with(|value| self.overlay.set_entry::<G, T>(G::GROUP_IDX, *index, codec, value));
        self.placed(set)
    }

    /// Resets an entry to its default.
    ///
    /// # Errors
    ///
    /// [`WrongStore`](crate::ErrorKind::WrongStore) if the entry belongs to another open store.
    pub fn reset<G: GroupOf<S>, T: 'static>(&mut self, entry: &Entry<G, T>) -> Result<()> {
        entry.checked(self.store.handle())?;
        let reset = self.overlay.reset_entry::<G>(G::GROUP_IDX, entry.index);
        self.placed(reset)
    }
}

//! [`Table`]: the rows of one struct.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::handle::{Attach, Handle};
use super::insert_many::Inserting;
use super::invalid::{InvalidRow, invalid_rows};
use super::observe::{ChangedRows, TableChanges};
use super::overlay::Overlay;
use super::rows::Rows;
use crate::engine::{Change, Subscription, Topic, Views};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{BorrowedFrom, Key, KeyForm, Row};
use crate::schema::descriptor::TableIdx;

/// The rows of one struct in an open store: a field of the struct that derives
/// [`Store`](crate::Store).
///
/// Every write is a transaction of its own, durable when it returns; for several in one, use
/// [`transaction`](crate::Store::transaction), which is also much faster. Reads see the newest
/// commit and never wait for writers.
///
/// ```
/// # use heirloom::{Id, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "notes")]
/// struct Note {
///     id: Id<Note>,
///     text: String,
/// }
///
/// #[derive(Store)]
/// #[store(name = "notebook")]
/// struct Notebook {
///     notes: Table<Note>,
/// }
///
/// let app = Notebook::in_memory()?;
/// let note = Note { id: Id::new(), text: "milk".into() };
/// app.notes.insert(&note)?;
/// app.notes.update(&note.id, |note| note.text.push_str(", bread"))?;
/// assert_eq!(app.notes.get(&note.id)?.unwrap().text, "milk, bread");
/// assert!(app.notes.remove(&note.id)?);
/// assert!(app.notes.is_empty()?);
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Table<R> {
    pub(super) handle: Handle,
    pub(super) table_idx: TableIdx,
    row: PhantomData<fn() -> R>,
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), table_idx: self.table_idx, row: PhantomData }
    }
}

impl<R: Row> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &R::TABLE).finish_non_exhaustive()
    }
}

impl<R: Row> Attach for Table<R> {
    type Idx = TableIdx;

    fn attach(handle: &Handle, table_idx: TableIdx) -> Self {
        Self { handle: handle.clone(), table_idx, row: PhantomData }
    }

    fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl<R: Row> Table<R> {
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Overlay<'_>) -> Result<T>) -> Result<T> {
        self.handle.transaction(|view, batch| work(&mut Overlay { view, batch }))
    }

    pub(super) fn placed<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| self.handle.placed(error.at_table(R::TABLE)))
    }

    /// Returns the row under a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if the stored row does not decode;
    /// [`invalid`](Self::invalid) shows its JSON.
    pub fn get(&self, key: &(impl BorrowedFrom<R::Key> + ?Sized)) -> Result<Option<R>> {
        key.with(|key: &R::Key| self.handle.get_row(self.table_idx, key))
    }

    /// Whether there is a row under a key, valid or not.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn contains(&self, key: &(impl BorrowedFrom<R::Key> + ?Sized)) -> Result<bool> {
        let found = key.with(|key: &R::Key| {
            self.handle.engine().with_view(|view| {
                view.row(self.table_idx, key.to_bytes().as_slice()).map(|row| row.is_some())
            })
        });
        self.placed(found)
    }

    /// Returns the number of stored rows, invalid ones included. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn len(&self) -> Result<usize> {
        let len = self.handle.engine().with_view(|view| view.len(self.table_idx));
        self.placed(len).map(|len| usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// Whether the table has no row, not even an invalid one.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Iterates over all rows in the order of their keys, read as they are asked for, from a
    /// consistent view.
    ///
    /// A row that does not decode is an `Err` item, and the rest still come. To read only some
    /// rows, [`filter`](Self::filter) them: an index may then serve the query.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bern".into(), people: 134_000 })?;
    /// # atlas.cities.insert(&City { name: "Aarau".into(), people: 21_000 })?;
    /// let mut names = Vec::new();
    /// for city in atlas.cities.iter()? {
    ///     names.push(city?.name);
    /// }
    /// assert_eq!(names, ["Aarau", "Bern"]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn iter(&self) -> Result<Rows<R>> {
        self.placed(Rows::new(self.handle.engine().view(), self.table_idx, &self.handle))
    }

    /// Returns the rows that do not decode: for each its key, what is wrong, and its raw JSON.
    ///
    /// They stay stored until [`put`](Self::put) replaces them, [`repair`](Self::repair) corrects
    /// them, or [`discard`](Self::discard) removes them. Valid and invalid rows together are all of
    /// [`len`](Self::len). It reads the whole table.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn invalid(&self) -> Result<Vec<InvalidRow>> {
        let engine = self.handle.engine();
        let invalid = self.placed(invalid_rows::<R>(&engine.view(), self.table_idx))?;
        invalid.iter().for_each(|row| engine.notice_damage(row.error()));
        Ok(invalid)
    }

    /// Inserts a new row.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if there is a row under its key;
    /// [`NotUnique`](ErrorKind::NotUnique) if another row has its value in a unique index;
    /// [`InvalidValue`](ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn insert(&self, row: &R) -> Result<()> {
        self.write(|overlay| overlay.insert(self.table_idx, row))
    }

    /// Inserts new rows in one transaction, all of them or none, and returns their number.
    ///
    /// Of many rows, a second thread reads back each that is encoded, to see that it comes back as it is, and a
    /// third one writes it; some more rows may have been taken from `rows` by then. Rows whose keys ascend, as new
    /// ids do, need no memory of their own until the commit.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Square { #[key] root: u32, square: u64 }
    /// # #[derive(Store)]
    /// # struct Squares { squares: Table<Square> }
    /// # let app = Squares::in_memory()?;
    /// let squares = (1..=100).map(|root| Square { root, square: u64::from(root).pow(2) });
    /// assert_eq!(app.squares.insert_many(squares)?, 100);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`insert`](Self::insert), for the first row that cannot be stored.
    pub fn insert_many<I>(&self, rows: I) -> Result<usize>
    where
        I: IntoIterator,
        I::Item: Borrow<R>,
    {
        self.handle
            .insert_rows(self.table_idx, Inserting::<R, _>::new(self.table_idx, rows.into_iter()))
    }

    /// Inserts a row, or replaces the one under its key.
    ///
    /// Fields of the stored row that this code does not know are kept, nested ones too. A stored
    /// row that does not decode is repaired. To change some fields of a row, use
    /// [`update`](Self::update), which reads and writes in one transaction.
    ///
    /// # Errors
    ///
    /// [`NotUnique`](ErrorKind::NotUnique) if another row has its value in a unique index;
    /// [`InvalidValue`](ErrorKind::InvalidValue) if the row holds a NaN or does not read
    /// back as what it is.
    pub fn put(&self, row: &R) -> Result<()> {
        self.write(|overlay| overlay.put(self.table_idx, row))
    }

    /// Updates the row under a key, and returns it as it is then; `None` if there is none.
    ///
    /// If `change` leaves the row as it was, nothing is written.
    ///
    /// # Errors
    ///
    /// [`KeyChanged`](ErrorKind::KeyChanged) if `change` alters the key;
    /// [`NotUnique`](ErrorKind::NotUnique) if another row has its new value in a unique index;
    /// [`InvalidRow`](ErrorKind::InvalidRow) if the stored row does not decode.
    pub fn update(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
        change: impl FnOnce(&mut R),
    ) -> Result<Option<R>> {
        key.with(|key| self.write(|overlay| overlay.update(self.table_idx, key, change)))
    }

    /// Changes the row under a key with a closure that may refuse; `Ok(None)` if there is none.
    ///
    /// If `change` returns an error, nothing is written, and the error is returned as it is. `E` is
    /// the app's own error type, or [`Error`] itself.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    /// struct Account {
    ///     #[key]
    ///     owner: String,
    ///     cents: u32,
    /// }
    /// # #[derive(Store)]
    /// # struct Bank { accounts: Table<Account> }
    ///
    /// #[derive(Debug)]
    /// enum BankError {
    ///     NotEnough { cents: u32 },
    ///     Storage(heirloom::Error),
    /// }
    ///
    /// impl From<heirloom::Error> for BankError {
    ///     fn from(error: heirloom::Error) -> Self {
    ///         Self::Storage(error)
    ///     }
    /// }
    ///
    /// # let bank = Bank::in_memory()?;
    /// # bank.accounts.insert(&Account { owner: "ada".into(), cents: 100 })?;
    /// let withdrawn = bank.accounts.try_update("ada", |account| {
    ///     let left = account.cents.checked_sub(500);
    ///     account.cents = left.ok_or(BankError::NotEnough { cents: account.cents })?;
    ///     Ok(())
    /// });
    /// assert!(matches!(withdrawn, Err(BankError::NotEnough { cents: 100 })));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `change`, and those of [`update`](Self::update).
    pub fn try_update<E: From<Error>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
        change: impl FnOnce(&mut R) -> Result<(), E>,
    ) -> Result<Option<R>, E> {
        let mut refused = None;
        let updated = key.with(|key| {
            self.write(|overlay| {
                let Some(mut row) = overlay.get::<R>(self.table_idx, key)? else { return Ok(None) };
                if let Err(error) = change(&mut row) {
                    refused = Some(error);
                    return Ok(None);
                }
                overlay.update(self.table_idx, key, |stored| *stored = row)
            })
        });
        match refused {
            Some(error) => Err(error),
            None => Ok(updated?),
        }
    }

    /// Removes the row under a key; `Ok(true)` if there was one.
    ///
    /// If another device edits the row at the same time, the edit wins and the row comes back.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn remove(&self, key: &(impl BorrowedFrom<R::Key> + ?Sized)) -> Result<bool> {
        key.with(|key| self.write(|overlay| overlay.remove::<R>(self.table_idx, key)))
    }

    /// Replaces the JSON of an invalid row by a corrected one, and returns the row.
    ///
    /// A field that `json` leaves out reads as its default, as in any stored row. Unlike
    /// [`put`](Self::put), this does not need a whole row, and it can also save a row whose stored
    /// key does not parse as the table's key type: the corrected row goes under the key that it
    /// names.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// # mod last_year {
    /// #   #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, heirloom::Table)]
    /// #   #[table(name = "films")]
    /// #   pub struct Film { #[key] pub title: String, pub year: u16 }
    /// #   #[derive(heirloom::Store)]
    /// #   #[store(name = "cinema")]
    /// #   pub struct Cinema { pub films: heirloom::Table<Film> }
    /// # }
    /// # #[derive(Serialize, Deserialize, JsonSchema, Table)]
    /// # #[table(name = "films")]
    /// # struct Film { #[key] title: String, year: Year }
    /// # #[derive(Serialize, Deserialize, JsonSchema)]
    /// # #[serde(try_from = "u16")]
    /// # struct Year(u16);
    /// # impl TryFrom<u16> for Year {
    /// #   type Error = &'static str;
    /// #   fn try_from(year: u16) -> Result<Self, Self::Error> {
    /// #     if year < 1888 { Err("there was no film yet") } else { Ok(Self(year)) }
    /// #   }
    /// # }
    /// # #[derive(Store)]
    /// # #[store(name = "cinema")]
    /// # struct Cinema { films: Table<Film> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("cinema.redb");
    /// # last_year::Cinema::open(&path)?
    /// #     .films.insert(&last_year::Film { title: "Alien".into(), year: 179 })?;
    /// # let cinema = Cinema::open(&path)?;
    /// for bad in cinema.films.invalid()? {
    ///     // {"title":"Alien","year":179}, before there were films
    ///     let json = bad.json().replace("179", "1979");
    ///     assert_eq!(cinema.films.repair(&bad, &json)?.year.0, 1979);
    /// }
    /// assert!(cinema.films.invalid()?.is_empty());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if `json` does not decode either;
    /// [`KeyChanged`](ErrorKind::KeyChanged) if it names another key than the row has;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if a row whose stored key does not parse would
    /// take the place of another.
    pub fn repair(&self, row: &InvalidRow, json: &str) -> Result<R> {
        self.owns(row)?;
        self.write(|overlay| overlay.repair(self.table_idx, row.key(), json))
    }

    /// Removes an invalid row, even one whose key does not parse as the table's key type;
    /// `Ok(true)` if it was still there.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn discard(&self, row: &InvalidRow) -> Result<bool> {
        self.owns(row)?;
        match R::Key::from_text(row.key()) {
            Ok(key) => self.remove(&key),
            Err(_) => self.write(|overlay| {
                // A number that the key's type is too small for stands among the rows.
                let there = match KeyForm::of_key::<R::Key>().bytes_of(row.key()) {
                    Some(bytes) => overlay.view.row(self.table_idx, &bytes)?.is_some(),
                    None => overlay.view.stray(self.table_idx, row.key())?.is_some(),
                };
                if there {
                    overlay.batch.strays.push((self.table_idx, row.key().to_owned()));
                }
                Ok(there)
            }),
        }
    }

    fn owns(&self, row: &InvalidRow) -> Result<()> {
        if row.table() == R::TABLE {
            return Ok(());
        }
        let error = Error::new(ErrorKind::WrongId, "the invalid row belongs to another table");
        self.placed(Err(error.finding(row.table())))
    }

    /// Calls `observer` after each commit that changes the table, once a transaction, outside all
    /// locks, until the subscription is dropped.
    ///
    /// The observer may read, write, and drop subscriptions. It is called for its own writes after
    /// it has returned. If it panics, only this call is lost. A handle that it captures keeps the
    /// store open, and its file locked, for as long as the subscription lives.
    /// [`watch`](crate::watch) compares the ways to follow changes.
    ///
    /// ```
    /// use heirloom::watch::{ChangeKind, Origin};
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// use std::sync::{Arc, Mutex};
    ///
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let log = seen.clone();
    /// let subscription = app.notes.observe(move |changes| {
    ///     assert_eq!(changes.origin(), Origin::Local);
    ///     for change in changes.iter() {
    ///         log.lock().unwrap().push((change.key().clone(), change.kind()));
    ///     }
    /// })?;
    /// app.notes.insert(&Note { name: "milk".into() })?;
    /// assert_eq!(*seen.lock().unwrap(), [("milk".to_string(), ChangeKind::Inserted)]);
    /// # drop(subscription);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    pub fn observe(
        &self,
        mut observer: impl FnMut(&TableChanges<R>) + Send + 'static,
    ) -> Result<Subscription> {
        let (engine, table_idx) = (self.handle.engine(), self.table_idx);
        // The hub keeps this callback, which must not keep the engine, which has the hub.
        let weak = Arc::downgrade(engine);
        let callback = move |origin, changes: &[Change], views: &Views| {
            let Some(engine) = weak.upgrade() else { return };
            let rows = ChangedRows { engine, table_idx, views: views.clone() };
            let changes = TableChanges::new(origin, changes, rows);
            // If no key parses as the table's key type, there is nothing to name.
            if !changes.is_empty() {
                observer(&changes);
            }
        };
        Ok(engine.hub.subscribe_to_views(Topic::Table(table_idx), Box::new(callback)))
    }
}

//! [`Store`]: what every struct that derives it can do.

use std::io::{BufRead, Write};
use std::path::Path;

use super::builder::Builder;
use super::handle::Handle;
use super::lost_edits::LostEdit;
use super::preview::Preview;
use super::pruned::Pruned;
use super::quarantine::Quarantined;
use super::references::DanglingRef;
use super::snapshot::Snapshot;
use super::status::Status;
use super::transaction::Transaction;
use super::transfer::{Imported, OnExisting, StorePart};
use super::watch_value::WatchValue;
use crate::disk::{Location, StorageOptions};
use crate::engine::{CheckReport, Engine, Settings, Subscription};
use crate::error::{Error, Result};
use crate::schema::describe::Described;
use crate::schema::descriptor::StoreDef;
use crate::schema::{Code, Schema, Version};
use crate::sync::{Applied, Changes, Summary};

/// One app's data: a struct whose fields are [`Table`](struct@crate::Table)s and
/// [`Kv`](struct@crate::Kv) groups. Implemented by `#[derive(Store)]`.
///
/// The derive also gives the struct these methods as its own, so that using them needs no import. A
/// store is `Send + Sync`: share it by reference, or in an `Arc`. Calls block until they are done;
/// in an async app, call them where blocking is allowed.
#[heirloom_macros::__with_methods]
pub trait Store: Sized + Send + Sync + 'static {
    /// The store's tables and groups.
    #[doc(hidden)]
    const DEF: StoreDef;

    /// Returns the place that keeps the description of the store's code.
    #[doc(hidden)]
    fn described() -> &'static Described;

    /// The text of the history file that `history = "…"` names.
    ///
    /// Bytes, and in a function, since it may be large: the compiler would look at a constant or a
    /// text of its size several times over.
    #[doc(hidden)]
    fn history() -> Option<&'static [u8]> {
        None
    }

    /// The struct of an open store.
    #[doc(hidden)]
    fn attach(handle: &Handle) -> Self;

    /// The open store behind the struct.
    #[doc(hidden)]
    fn handle(&self) -> &Handle;

    /// Shows each table and group, in the order of their declaration.
    #[doc(hidden)]
    fn parts<'s>(&'s self, see: &mut dyn FnMut(&'s dyn StorePart));

    /// Returns the schema of this code: tables, kv groups, keys, indexes, defaults, and the JSON
    /// Schema of every field.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { note: Table<Note> }
    /// assert_eq!(App::schema().tables["note"].key[0].field, "name");
    /// ```
    fn schema() -> Schema {
        Self::described().schema(&Self::DEF).clone()
    }

    /// Opens the file at `path`, or creates it.
    ///
    /// Opening takes the same time for any number of rows. It changes nothing in the file, unless
    /// the file is of an earlier epoch: then its rows are migrated, in one commit. One process at a
    /// time has a file open. Use [`builder`](Self::builder) to set options.
    ///
    /// ```
    /// # use heirloom::{ErrorKind, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.redb");
    /// let app = App::open(&path)?;
    /// app.notes.insert(&Note { name: "milk".into() })?;
    ///
    /// let again = App::open(&path);
    /// assert!(again.is_err_and(|error| error.kind() == ErrorKind::Locked));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Locked`](crate::ErrorKind::Locked) if the file is open already, in this process or
    /// another; [`WrongStore`](crate::ErrorKind::WrongStore) if it belongs to another store or
    /// another program; [`NewerFormat`](crate::ErrorKind::NewerFormat) if a newer heirloom wrote
    /// it; [`BreakingChange`](crate::ErrorKind::BreakingChange) if the schema of this code breaks
    /// with one that the store has had; [`Migration`](crate::ErrorKind::Migration) if a migration
    /// fails; [`Corrupt`](crate::ErrorKind::Corrupt) if the file is empty, truncated or not a
    /// store; [`Storage`](crate::ErrorKind::Storage) if the path is a folder or cannot be read and
    /// written.
    fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path)
    }

    /// Returns a builder, which opens the store with options: durability, progress, what a
    /// migration does with invalid rows, first rows.
    ///
    /// ```
    /// # use heirloom::{Durability, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// let app = App::builder().durability(Durability::Eventual).in_memory()?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// Opens a new, empty store in memory, for tests. It behaves like one in a file and is gone
    /// with its last handle.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// assert!(App::in_memory()?.notes.is_empty()?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if there is not enough memory.
    fn in_memory() -> Result<Self> {
        Self::builder().in_memory()
    }

    /// Checks the file at `path`: reads all of it and compares the document with what readers see.
    /// Needs no write permission. It changes nothing, but in two cases in which the code could not read
    /// the file otherwise: one of an older format is upgraded, and a table whose keys are stored otherwise
    /// than the code declares is written anew.
    ///
    /// It takes as long as reading the whole file. An ordinary start needs no check: opening a
    /// store finds out by itself whether it was closed properly.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.redb");
    /// # drop(App::open(&path)?);
    /// let report = App::check(&path)?;
    /// assert!(report.is_ok(), "{:?}", report.problems());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), if the file cannot be opened at all;
    /// [`Storage`](crate::ErrorKind::Storage) if there is no file. A process that has it open to write goes on: a
    /// copy is checked, as by
    /// [`Builder::read_only`](crate::Builder::read_only).
    fn check(path: impl AsRef<Path>) -> Result<CheckReport> {
        let engine = engine_to_look::<Self>(path.as_ref())?;
        engine.check().map_err(|error| engine.placed(error))
    }

    /// Runs `work` as one transaction: all of its writes happen, or none.
    ///
    /// Its reads see its own writes. One transaction runs at a time, so keep `work` short: do not
    /// wait for the network or for a user in it. A write through a table of the store, and not
    /// through `tx`, is refused in it. [`try_transaction`](Self::try_transaction) is for errors of the
    /// app's own.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// let count = app.transaction(|tx| {
    ///     tx.insert(&Note { name: "milk".into() })?;
    ///     tx.insert(&Note { name: "bread".into() })?;
    ///     tx.len::<Note>()
    /// })?;
    /// assert_eq!(count, 2);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error that `work` returns, or the reason why the commit failed; nothing has changed in
    /// both cases. [`NestedTransaction`](crate::ErrorKind::NestedTransaction) inside another
    /// transaction of the same store.
    fn transaction<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_, Self>) -> Result<T>,
    ) -> Result<T> {
        self.handle().transaction(|view, batch| work(&mut Transaction::new(self, view, batch)))
    }

    /// Runs `work` as one transaction that may end with an error of the app's own.
    ///
    /// It is [`transaction`](Self::transaction) for any error type that is made `From` an
    /// [`Error`]: an enum of the app, `anyhow::Error`, `Box<dyn Error>`. There it is `Error` alone, so
    /// that the compiler needs no help; here the error type must be known from what follows, or be
    /// written down as the closure's return type.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    /// struct Seat {
    ///     #[key]
    ///     number: u32,
    ///     guest: Option<String>,
    /// }
    /// # #[derive(Store)]
    /// # struct Hall { seats: Table<Seat> }
    ///
    /// #[derive(Debug)]
    /// enum BookingError {
    ///     Taken(u32),
    ///     Storage(heirloom::Error),
    /// }
    ///
    /// impl From<heirloom::Error> for BookingError {
    ///     fn from(error: heirloom::Error) -> Self {
    ///         Self::Storage(error)
    ///     }
    /// }
    ///
    /// fn book(hall: &Hall, numbers: &[u32], guest: &str) -> Result<(), BookingError> {
    ///     hall.try_transaction(|tx| {
    ///         for &number in numbers {
    ///             if tx.contains::<Seat>(&number)? {
    ///                 return Err(BookingError::Taken(number));
    ///             }
    ///             tx.insert(&Seat { number, guest: Some(guest.to_owned()) })?;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    ///
    /// let hall = Hall::in_memory()?;
    /// book(&hall, &[1, 2], "Ada").unwrap();
    /// let taken = book(&hall, &[3, 2], "Ben").unwrap_err();
    /// assert!(matches!(taken, BookingError::Taken(2)));
    /// assert_eq!(hall.seats.len()?, 2, "nothing of it happened");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `work`, or that of the commit. Nothing has changed then.
    fn try_transaction<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut Transaction<'_, Self>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut refused = None;
        let done = self.transaction(|tx| {
            work(tx).map_err(|error| {
                refused = Some(error);
                Error::custom("the transaction was refused")
            })
        });
        match refused {
            Some(error) => Err(error),
            None => Ok(done?),
        }
    }

    /// Returns the store as it is now: a consistent view of all tables and groups, unaffected by
    /// later writes.
    ///
    /// It costs nothing to make. While it lives, the file cannot reuse the space of what it still
    /// sees; do not keep one for hours.
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
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    fn snapshot(&self) -> Result<Snapshot<Self>> {
        Ok(Snapshot::new(self.handle()))
    }

    /// Follows a value that `compute` reads from the store: first the value now, then a new one
    /// after each change of a table or group that it read.
    ///
    /// Use it for a number or another small value. For a list of rows,
    /// [`Query::watch`](crate::Query::watch) says what changed and reads only that.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// let mut left = app.watch(|snap| snap.filter(Task::DONE.eq(false)).count())?;
    /// assert_eq!(left.recv()?, 0);
    /// app.tasks.insert(&Task { name: "sow".into(), done: false })?;
    /// assert_eq!(left.recv()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    fn watch<T, F>(&self, compute: F) -> Result<WatchValue<Self, T>>
    where
        F: FnMut(&Snapshot<Self>) -> Result<T> + Send + 'static,
    {
        Ok(WatchValue::new(self.handle(), Box::new(compute)))
    }

    /// Returns what this copy holds, in a form small enough to send with every request for changes.
    ///
    /// See [`sync`](crate::sync) for an exchange from beginning to end.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let (here, there) = (App::in_memory()?, App::in_memory()?);
    /// # there.notes.insert(&Note { name: "milk".into() })?;
    /// let request: Vec<u8> = here.summary()?.to_bytes();
    /// # let theirs = heirloom::sync::Summary::from_bytes(&request)?;
    /// # assert_eq!(here.apply(&there.changes_since(&theirs)?)?.rows(), 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    fn summary(&self) -> Result<Summary> {
        crate::sync::summary(self.handle().engine())
    }

    /// Returns everything that a copy with the summary `theirs` lacks.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// use heirloom::sync::Summary;
    ///
    /// let everything = app.changes_since(&Summary::default())?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WrongStore`](crate::ErrorKind::WrongStore) if the summary is that of another store.
    fn changes_since(&self, theirs: &Summary) -> Result<Changes> {
        crate::sync::changes_since(self.handle().engine(), theirs)
    }

    /// Applies the changes of another copy, and returns what they changed here.
    ///
    /// Applying is idempotent and does not depend on the order: two copies that have applied each
    /// other's changes hold the same. If two devices have written the same row, one row wins, the
    /// same on every device; if one has removed it, the edit wins.
    ///
    /// It waits for the disk once; with more than 8 MiB of changes, once for each epoch and rebuild that they
    /// are of.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// let (here, there) = (App::in_memory()?, App::in_memory()?);
    /// there.notes.insert(&Note { name: "milk".into() })?;
    ///
    /// let changes = there.changes_since(&here.summary()?)?;
    /// assert_eq!(here.apply(&changes)?.rows(), 1);
    /// assert!(here.apply(&changes)?.is_empty());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WrongStore`](crate::ErrorKind::WrongStore) if they are the changes of another store;
    /// [`InvalidUpdate`](crate::ErrorKind::InvalidUpdate) if they are damaged;
    /// [`BreakingChange`](crate::ErrorKind::BreakingChange) if they come from code whose schema
    /// breaks with that of this code; [`NewerSchema`](crate::ErrorKind::NewerSchema) or
    /// [`NewerEpoch`](crate::ErrorKind::NewerEpoch) if they come from newer code and the store was
    /// opened with [`refuse_newer_schema`](crate::Builder::refuse_newer_schema), `NewerEpoch` also
    /// if this copy is still empty. Nothing has changed in any of these cases.
    /// [`Storage`](crate::ErrorKind::Storage) if the disk refuses it; up to 8 MiB of changes are undone as a whole.
    fn apply(&self, changes: &Changes) -> Result<Applied> {
        let applied = crate::sync::apply(self.handle().engine(), changes);
        self.handle().maintain();
        applied
    }

    /// Returns the status of the store: the versions of its schema, whether newer code exists, and
    /// how much of the file is history.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// if app.status()?.newer_version().is_some() {
    ///     println!("an update of the app is available");
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    fn status(&self) -> Result<Status> {
        super::status::status(self.handle().engine())
    }

    /// Calls `callback` with each version of the schema, newer than this code, that the changes of
    /// another device bring: once for each version, after the changes were applied.
    ///
    /// [`status`](Self::status) returns the versions that were there before. The callback may read
    /// and write the store. Dropping the subscription ends it.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// let subscription = app.on_newer_schema(|version| println!("there is an update: {version}"))?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    fn on_newer_schema(
        &self,
        callback: impl FnMut(&Version) + Send + 'static,
    ) -> Result<Subscription> {
        Ok(super::status::on_newer_schema(self.handle().engine(), callback))
    }

    /// Returns the rows that refer to a row which does not exist: the ones that a merge has left so, those
    /// from before the field was a reference, and those of fields with `#[reference(unchecked)]`.
    ///
    /// Each of two devices keeps its references in order, and merging them may still leave one dangling:
    /// one device has removed an account, the other has booked on it, and neither knew. No device can
    /// refuse what another has committed already. Such a row stays as it is, and
    /// [`Ref::get`](crate::Ref::get) gives `None` for it; whether to point it elsewhere, remove it, or
    /// insert what is missing again is for the app to say.
    ///
    /// Reads every row of the tables that have references.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] id: u32, account: Ref<Account> }
    /// # #[derive(Store)]
    /// # struct Ledger { accounts: Table<Account>, txns: Table<Txn> }
    /// # let (here, there) = (Ledger::in_memory()?, Ledger::in_memory()?);
    /// here.accounts.insert(&Account { name: "Giro".into() })?;
    /// there.apply(&here.changes_since(&there.summary()?)?)?;
    ///
    /// here.accounts.remove("Giro")?;
    /// there.txns.insert(&Txn { id: 7, account: Ref::new("Giro") })?;
    /// here.apply(&there.changes_since(&here.summary()?)?)?;
    ///
    /// for dangling in here.dangling()? {
    ///     assert_eq!((dangling.table(), dangling.key(), dangling.missing()), ("txn", "7", "Giro"));
    ///     here.txns.remove(&dangling.key_of::<Txn>().unwrap())?;
    /// }
    /// assert!(here.dangling()?.is_empty());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    fn dangling(&self) -> Result<Vec<DanglingRef>> {
        super::references::dangling(self.handle())
    }

    /// Returns what is in quarantine: rows that a migration could not convert, and edits that were
    /// made on two sides of one.
    ///
    /// The list is empty in a store that never migrated.
    /// [`Quarantined`](crate::migration::Quarantined) shows how to go through it.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// for kept in app.quarantine()? {
    ///     println!("{kept}: {}", kept.theirs());
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    fn quarantine(&self) -> Result<Vec<Quarantined>> {
        super::quarantine::quarantine(self.handle())
    }

    /// Calls back once for each edit that was lost because another device had edited the same row or
    /// entry without knowing of it: after the changes were applied, on the device that made the edit and on
    /// the one that merged both first. Devices that hear of it later are not given its content.
    ///
    /// Use it to tell the user at once. [`lost_edits`](Self::lost_edits) lists the same, and what
    /// removals displaced. An edit that equals the winner is not lost. The callback may read and write the
    /// store. Dropping the subscription ends it.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// let subscription = app.on_conflict(|lost| {
    ///     println!("{} of {}: {} replaced {}", lost.key(), lost.table(), lost.winner(), lost.loser());
    /// })?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    fn on_conflict(
        &self,
        callback: impl FnMut(&LostEdit) + Send + 'static,
    ) -> Result<Subscription> {
        Ok(super::lost_edits::on_conflict(self.handle(), callback))
    }

    /// Returns the edits that were lost, and that the app has neither taken nor dismissed, the oldest
    /// first: those that lost against another device's edit, and those that a removal displaced without
    /// having known them.
    ///
    /// The list is local to this device and survives restarts. It holds 10,000 edits unless
    /// [`max_lost_edits`](crate::store::Builder::max_lost_edits) says otherwise; of more, the oldest go.
    /// An edit that stands under its key again is not on it. An edit that lost in a document of an earlier
    /// epoch is listed under the table name, and with the fields, of that epoch. [`LostEdit`](crate::sync::LostEdit) shows how
    /// to go through it.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// for lost in app.lost_edits()? {
    ///     println!("{lost}");
    ///     lost.take()?;
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read;
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the list is damaged.
    fn lost_edits(&self) -> Result<Vec<LostEdit>> {
        super::lost_edits::lost_edits(self.handle())
    }

    /// Compacts the history of the store: builds its document anew, without what overwritten and
    /// removed rows have left behind.
    ///
    /// Nothing changes for readers, and other devices follow when they merge; what they have
    /// written until then is carried over. It takes as long as a migration and needs the space of a
    /// second document until [`prune_epochs`](Self::prune_epochs).
    /// [`Status::history`](crate::inspect::Status::history) says how much there is to shed; do not
    /// call it routinely.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String, stars: u32 }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// # for stars in 0..50 { app.notes.put(&Note { name: "milk".into(), stars })?; }
    /// if app.status()?.history().items_per_live_row() > 20.0 {
    ///     app.compact_history()?;
    /// }
    /// assert_eq!(app.status()?.generation(), 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written;
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly) if the store was opened to be read. Nothing has
    /// changed then.
    fn compact_history(&self) -> Result<()> {
        let engine = self.handle().engine();
        let rebuilt = engine.refuse_if_read_only().and_then(|()| crate::epoch::rebuild(engine));
        engine.hub.deliver();
        self.handle().maintain();
        rebuilt.map_err(|error| engine.placed(error))
    }

    /// Compacts the file in place: moves its content together and gives the space behind it back to the
    /// disk. Returns by how many bytes the file got shorter.
    ///
    /// A file keeps the space of what was removed, and uses it for what is written next; so call this
    /// only after much was removed, as by [`prune_epochs`](Self::prune_epochs), or after a
    /// [snapshot](crate::inspect::Status::oldest_snapshot) was kept for long. It reads and writes a large
    /// part of the file, and readers and writers wait for it. The process may end at any
    /// moment of it without harm: each step is a commit.
    ///
    /// ```
    /// # use heirloom::{ErrorKind, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// let snapshot = app.snapshot()?;
    /// let refused = app.compact().unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::InUse);
    ///
    /// drop(snapshot);
    /// let bytes = app.compact()?;
    /// println!("{bytes} bytes were given back");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InUse`](crate::ErrorKind::InUse) if a snapshot or an iterator still reads from the file, or an
    /// observer is being called;
    /// [`NestedTransaction`](crate::ErrorKind::NestedTransaction) inside a transaction;
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly) if the store was opened to be read;
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the file is damaged;
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written. No row has changed then.
    fn compact(&self) -> Result<u64> {
        self.handle().engine().compact()
    }

    /// Opens a copy, in memory, of the store as it is now in an earlier epoch: the rows from before
    /// the migration, and what older code has written since. `Old` is the struct of that epoch.
    ///
    /// Writing to the copy is refused. It takes memory for all rows of that epoch.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// # mod v0 {
    /// #     use super::*;
    /// #     #[derive(Serialize, Deserialize, JsonSchema, Table)]
    /// #     #[table(name = "notes")]
    /// #     pub struct Note { #[key] pub id: u32, pub text: String }
    /// #     #[derive(Store)]
    /// #     #[store(name = "app")]
    /// #     pub struct App { pub notes: Table<Note> }
    /// # }
    /// # #[derive(Serialize, Deserialize, JsonSchema, Table)]
    /// # #[table(name = "notes", previous = v0::Note)]
    /// # struct Note { #[key] id: u32, #[evolve(renamed_from = "text")] title: String }
    /// # #[derive(Store)]
    /// # #[store(name = "app", epoch = 1, previous = v0::App)]
    /// # struct App { notes: Table<Note> }
    /// # fn main() -> heirloom::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.redb");
    /// # v0::App::open(&path)?.notes.insert(&v0::Note { id: 7, text: "milk".into() })?;
    /// let app = App::open(&path)?; // migrates the file
    /// let before = app.open_epoch::<v0::App>()?;
    /// assert_eq!(before.notes.get(&7)?.unwrap().text, "milk");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Migration`](crate::ErrorKind::Migration) if this copy has no document of that epoch.
    fn open_epoch<Old: Store>(&self) -> Result<Old> {
        let engine = self.handle().engine();
        let copy = crate::epoch::open_epoch(engine, code::<Old>());
        let copy = copy.map_err(|error| engine.placed(error))?;
        Ok(Old::attach(&Handle::new(copy)))
    }

    /// Removes the documents of earlier epochs and generations from this copy, and returns what
    /// went and what stays.
    ///
    /// Until then they stay, so that [`open_epoch`](Self::open_epoch) can read them and late edits
    /// of older code can be carried over. Later edits of older code are still carried, once another
    /// device sends the whole document. A document whose edits have not all been carried is kept.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// println!("{}", app.prune_epochs()?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written; nothing was removed
    /// then.
    fn prune_epochs(&self) -> Result<Pruned> {
        let engine = self.handle().engine();
        let pruned = crate::epoch::prune(engine).map_err(|error| engine.placed(error))?;
        Ok(Pruned::new(pruned))
    }

    /// Previews what opening a file of an earlier epoch would do: rows by table, samples before and
    /// after, and rows that cannot be converted. Writes nothing, and needs no write permission.
    ///
    /// It converts every row, so it takes about as long as the migration itself.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.redb");
    /// # drop(App::open(&path)?);
    /// println!("{}", App::preview_migration(&path)?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), and [`Storage`](crate::ErrorKind::Storage) if there is
    /// no file. Beside a process that has it open to write, a copy is read, as by
    /// [`Builder::read_only`](crate::Builder::read_only).
    fn preview_migration(path: impl AsRef<Path>) -> Result<Preview> {
        let engine = engine_to_look::<Self>(path.as_ref())?;
        let preview = crate::epoch::preview(&engine).map_err(|error| engine.placed(error))?;
        Ok(Preview::new(preview))
    }

    /// Copies what is committed now to a new file at `path`. The store stays open and can be
    /// written meanwhile.
    ///
    /// The copy is a device of its own once it is opened. A damaged store is not copied, so that a damaged
    /// backup is never taken for a good one: every row is checked.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let app = App::in_memory()?;
    /// # app.notes.insert(&Note { name: "milk".into() })?;
    /// let copy = folder.path().join("copy.redb");
    /// app.backup(&copy)?;
    /// assert_eq!(App::open(&copy)?.notes.len()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if there is a file at `path`;
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the store is damaged;
    /// [`Storage`](crate::ErrorKind::Storage) if the copy cannot be written.
    fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.handle().engine().backup(path.as_ref())
    }

    /// Writes all rows and entries as JSON Lines, and returns the number of lines.
    ///
    /// A line is `{"table":"notes","row":{…}}` or `{"group":"settings","entry":"language","value":"en"}`: table by
    /// table and group by group, of one consistent view, written as it is read. Rows are as
    /// [`Table::export`](crate::Table::export) writes them; an entry that is not set has no line. Wrap the
    /// writer to buffer, to compress, or to show progress.
    ///
    /// Only the data is written, not the history by which copies merge: [`backup`](Self::backup) keeps all.
    ///
    /// ```
    /// use heirloom::transfer::OnExisting;
    /// # use heirloom::{Kv, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Kv)]
    /// # struct Settings { color: Option<String> }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note>, settings: Kv<Settings> }
    /// # let app = App::in_memory()?;
    /// # app.notes.insert(&Note { name: "milk".into() })?;
    /// # app.settings.color.set(&Some("red".into()))?;
    /// let mut lines = Vec::new();
    /// assert_eq!(app.export(&mut lines)?, 2);
    ///
    /// let copy = App::in_memory()?;
    /// copy.import(lines.as_slice(), OnExisting::Fail)?;
    /// assert_eq!(copy.settings.color.get()?.as_deref(), Some("red"));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if a row or an entry does not decode;
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read, or the writer fails.
    fn export(&self, to: impl Write) -> Result<usize> {
        let mut to = to;
        let exported = super::transfer::export(self, &mut to);
        exported.map_err(|error| self.handle().placed(error))
    }

    /// Reads the lines that [`export`](Self::export) writes, and stores them in one transaction: all of them, or
    /// after an error none.
    ///
    /// References are checked once all lines are read, so that their order makes no difference. See
    /// [`Table::import`](crate::Table::import) for rows; an entry that is set already is like a row that is
    /// there.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::import`](crate::Table::import), and
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) for a line about a table, group or entry that this code does
    /// not have. Each names the line.
    fn import(&self, from: impl BufRead, existing: OnExisting) -> Result<Imported> {
        let mut from = from;
        let imported = super::transfer::import(self, &mut from, existing);
        imported.map_err(|error| self.handle().placed(error))
    }

    /// Builds the missing indexes, and returns when all are complete.
    ///
    /// Seldom needed: the first write of a process starts building them in the background, and
    /// until an index is complete, a query that could use it scans the table. Use it before a
    /// process that only reads, since reading never writes.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String, #[index] stars: u32 }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// app.build_indexes()?;
    /// let best = app.notes.filter(Note::STARS.ge(4));
    /// assert!(best.explain().starts_with("index (stars)"));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written; what has been built is
    /// kept.
    fn build_indexes(&self) -> Result<()> {
        let engine = self.handle().engine();
        engine.build_all_indexes().map_err(|error| engine.placed(error))
    }

    /// Rebuilds all indexes from the rows, and returns when they are complete.
    ///
    /// Needed if an index is damaged in the file, which [`check`](Self::check) and queries say, and if code
    /// decodes stored values in another way than before and neither its types nor its JSON Schema tell: after a
    /// rule in a `TryFrom` has changed, for example. Every other change is noticed without it.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String, #[index] stars: u32 }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// app.rebuild_indexes()?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written; queries scan until it
    /// has succeeded.
    fn rebuild_indexes(&self) -> Result<()> {
        let engine = self.handle().engine();
        engine.rebuild_indexes().map_err(|error| engine.placed(error))
    }

    /// Writes read-time defaults into the rows that lack the fields, in one transaction, and
    /// returns the number of rows it changed.
    ///
    /// Never needed for reading: a missing field reads as its default. Use it if programs in other
    /// languages read the document. Rows that do not decode are left alone.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String, #[evolve(default)] stars: u32 }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let app = App::in_memory()?;
    /// app.notes.insert(&Note { name: "milk".into(), stars: 3 })?;
    /// assert_eq!(app.backfill_defaults()?, 0); // it has all its fields
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be written; no row has changed
    /// then.
    fn backfill_defaults(&self) -> Result<usize> {
        let engine = self.handle().engine();
        let changed = engine.backfill_defaults();
        self.handle().maintain();
        changed.map_err(|error| engine.placed(error))
    }
}

/// The file at `path` as the code of a store reads it, without migrating it.
fn engine_to_look<S: Store>(path: &Path) -> Result<Engine> {
    let settings = Settings { storage: StorageOptions::to_look(), ..Settings::default() };
    let location = Location::File(path.to_owned());
    Engine::open(code::<S>(), &location, settings).map(|(engine, _)| engine)
}

/// Returns the schema of the store's code.
pub(super) fn code<S: Store>() -> Code {
    Code::new(S::DEF, S::described(), S::history())
}

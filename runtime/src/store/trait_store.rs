//! [`Store`]: what every struct that derives it can do.

use std::path::Path;

use super::builder::Builder;
use super::handle::Handle;
use super::preview::Preview;
use super::pruned::Pruned;
use super::quarantine::Quarantined;
use super::snapshot::Snapshot;
use super::status::Status;
use super::transaction::Transaction;
use super::watch_value::WatchValue;
use crate::disk::Place;
use crate::engine::{CheckReport, Engine, Settings, Subscription};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::describe::Described;
use crate::schema::descriptor::StoreDef;
use crate::schema::{Code, Schema, Version};
use crate::sync::{Applied, Changes, Summary};

/// One app's data: a struct whose fields are [`Table`](struct@crate::Table)s and [`Kv`](struct@crate::Kv)
/// groups. Implemented by `#[derive(Store)]`.
///
/// The derive also gives the struct these methods as its own, so that using them needs no import.
/// A store is `Send + Sync`: share it by reference, or in an `Arc`.
pub trait Store: Sized + Send + Sync + 'static {
    /// The store's tables and groups.
    #[doc(hidden)]
    const DEF: StoreDef;

    /// Where the description of the store's code is kept.
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

    /// What the store looks like: tables, kv groups, keys, indexes, defaults, and the JSON Schema of
    /// every field.
    fn schema() -> Schema {
        Self::described().schema(&Self::DEF).clone()
    }

    /// Opens the file at `path`, or creates it.
    ///
    /// Opening takes the same time however many rows there are, and changes nothing in the file.
    ///
    /// # Errors
    ///
    /// [`Locked`](ErrorKind::Locked) where it is open already, here or in another process;
    /// [`WrongStore`](ErrorKind::WrongStore) where it is another store's or another program's;
    /// [`NewerFormat`](ErrorKind::NewerFormat) where a newer heirloom wrote it;
    /// [`BreakingChange`](ErrorKind::BreakingChange) where the schema of this code breaks with one
    /// that the store has had;
    /// [`Corrupt`](ErrorKind::Corrupt) where it is empty, truncated or no store at all;
    /// [`Storage`](ErrorKind::Storage) where the path is a folder or cannot be read and written.
    fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path)
    }

    /// Says how to open the store.
    fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// Makes a store in memory, with the same behaviour and no file: for tests.
    ///
    /// # Errors
    ///
    /// None that the app can cause.
    fn in_memory() -> Result<Self> {
        Self::builder().in_memory()
    }

    /// Reads a whole file and compares the document with what readers see. Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), where the file cannot be opened at all.
    fn check(path: impl AsRef<Path>) -> Result<CheckReport> {
        let path = path.as_ref();
        let settings = Settings::default();
        let place = Place::File(path.to_owned());
        let (engine, is_new) = Engine::open(code::<Self>(), &place, settings)?;
        if is_new {
            return Err(Error::new(ErrorKind::Storage, "there is no file to check")
                .at_store(Self::DEF.name)
                .at_file(path)
                .help("check the path"));
        }
        engine.check().map_err(|error| engine.placed(error))
    }

    /// Runs `work` as one transaction: all of its writes, or none.
    ///
    /// Writers take turns, so `work` runs while no other does. Its reads see its own writes.
    ///
    /// # Errors
    ///
    /// What `work` returns, and then nothing happened; or why the commit failed, likewise.
    fn transaction<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_, Self>) -> Result<T>,
    ) -> Result<T> {
        self.handle().transaction(|view, batch| work(&mut Transaction::new(self, view, batch)))
    }

    /// The store as it is now, unaffected by later writes.
    ///
    /// # Errors
    ///
    /// None today.
    fn snapshot(&self) -> Result<Snapshot<Self>> {
        Ok(Snapshot::new(self.handle()))
    }

    /// Follows what `compute` makes of the store: its value now, and then a new one after each
    /// change of a table or group that it read.
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

    /// What this copy holds, in a form small enough to send with every request for changes.
    ///
    /// # Errors
    ///
    /// Where the storage fails.
    fn summary(&self) -> Result<Summary> {
        crate::sync::summary(self.handle().engine())
    }

    /// Everything that a copy with that summary lacks.
    ///
    /// # Errors
    ///
    /// [`WrongStore`](ErrorKind::WrongStore) where the summary is one of another store.
    fn changes_since(&self, theirs: &Summary) -> Result<Changes> {
        crate::sync::changes_since(self.handle().engine(), theirs)
    }

    /// Takes in the changes of another copy.
    ///
    /// Any two copies that have taken in each other's changes hold the same, in whatever order
    /// and how often they came.
    ///
    /// # Errors
    ///
    /// [`WrongStore`](ErrorKind::WrongStore) where they are another store's,
    /// [`BreakingChange`](ErrorKind::BreakingChange) where they come from code whose schema breaks
    /// with that of this code, [`NewerSchema`](ErrorKind::NewerSchema) where they come from newer
    /// code and the store is opened with [`refuse_newer_schema`](Builder::refuse_newer_schema), [`InvalidUpdate`](ErrorKind::InvalidUpdate) where they are damaged;
    /// nothing was changed then.
    fn apply(&self, changes: &Changes) -> Result<Applied> {
        let applied = crate::sync::apply(self.handle().engine(), changes);
        self.handle().maintain();
        applied
    }

    /// Which versions of its schema the store has had, and how this code stands to them.
    ///
    /// # Errors
    ///
    /// Where the storage fails.
    fn status(&self) -> Result<Status> {
        super::status::status(self.handle().engine())
    }

    /// Calls `callback` with each version of the schema newer than this code that changes of
    /// another device bring, once, after they were taken in.
    ///
    /// What was there before is told by [`status`](Self::status). The callback may read and write
    /// the store. Dropping the subscription ends it.
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

    /// What could not be taken over by a migration, and what was changed on two sides of one.
    ///
    /// # Errors
    ///
    /// Where the storage fails.
    fn quarantine(&self) -> Result<Vec<Quarantined>> {
        super::quarantine::quarantine(self.handle())
    }

    /// Builds the store's document anew, without the history of overwritten and removed rows.
    ///
    /// Nothing changes for readers. Other devices follow when they merge; what they have written
    /// until then is carried over. [`Status::history`] tells when it is worth it.
    ///
    /// # Errors
    ///
    /// Where the storage fails; nothing was changed then.
    fn compact_history(&self) -> Result<()> {
        let engine = self.handle().engine();
        let rebuilt = engine.refuse_if_read_only().and_then(|()| crate::epoch::rebuild(engine));
        engine.hub.deliver();
        self.handle().maintain();
        rebuilt.map_err(|error| engine.placed(error))
    }

    /// The store as it stands in an earlier epoch, to read: the rows from before the migration, and
    /// what older code has written since. `Old` is the struct of that epoch.
    ///
    /// It is a copy in memory, as of now. Writing to it is refused.
    ///
    /// # Errors
    ///
    /// [`Migration`](ErrorKind::Migration) where no document of that epoch is here,
    /// [`ReadOnly`](ErrorKind::ReadOnly) from every write to what it gives.
    fn open_epoch<Old: Store>(&self) -> Result<Old> {
        let engine = self.handle().engine();
        let copy = crate::epoch::open_epoch(engine, code::<Old>());
        let copy = copy.map_err(|error| engine.placed(error))?;
        Ok(Old::attach(&Handle::new(copy)))
    }

    /// Removes the documents of earlier epochs and generations from this copy, and says which.
    ///
    /// Until then they stay, so that [`open_epoch`](Self::open_epoch) can read them and late edits of
    /// older code can be carried over. What older code writes afterwards is still carried, once
    /// another device sends the whole document. Kept back is what has not been carried yet.
    ///
    /// # Errors
    ///
    /// Where the storage fails; nothing was removed then.
    fn prune_epochs(&self) -> Result<Pruned> {
        let engine = self.handle().engine();
        let pruned = crate::epoch::prune(engine).map_err(|error| engine.placed(error))?;
        Ok(Pruned::new(pruned))
    }

    /// What opening a file of an earlier epoch would do: rows by table, a few before and after, and
    /// those that cannot be taken over. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`Storage`](ErrorKind::Storage) where there is no file.
    fn preview_migration(path: impl AsRef<Path>) -> Result<Preview> {
        let path = path.as_ref();
        let place = Place::File(path.to_owned());
        let (engine, is_new) = Engine::open(code::<Self>(), &place, Settings::default())?;
        if is_new {
            return Err(Error::new(ErrorKind::Storage, "there is no file to preview")
                .at_store(Self::DEF.name)
                .at_file(path)
                .help("check the path"));
        }
        let preview = crate::epoch::preview(&engine).map_err(|error| engine.placed(error))?;
        Ok(Preview::new(preview))
    }

    /// Copies what is committed now to a new file. Whoever opens the copy is a device of its own.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) where something stands at `path`.
    fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.handle().engine().backup(path.as_ref())
    }

    /// Builds the indexes that do not stand yet, and returns when all do.
    ///
    /// Seldom needed: the first write of a process makes the missing ones be built in the
    /// background, and until an index stands, queries that could use it look at all rows. Useful
    /// before a process that only reads, since reading never writes.
    ///
    /// # Errors
    ///
    /// Where the storage fails; what has been built is kept.
    fn build_indexes(&self) -> Result<()> {
        let engine = self.handle().engine();
        engine.build_all_indexes().map_err(|error| engine.placed(error))
    }

    /// Builds all indexes again from the rows, and returns when they stand.
    ///
    /// Needed where code decodes stored values in another way and neither its types as written nor
    /// its JSON Schema tell so: after a rule in a `TryFrom` has changed, say. Every other change is
    /// noticed without it.
    ///
    /// # Errors
    ///
    /// Where the storage fails; queries look at all rows then, until it is done.
    fn rebuild_indexes(&self) -> Result<()> {
        let engine = self.handle().engine();
        engine.rebuild_indexes().map_err(|error| engine.placed(error))
    }

    /// Writes read-time defaults into the rows that lack the fields, in one transaction, and gives
    /// the number of rows it changed.
    ///
    /// Never needed: a missing field reads as its default all the same. Useful where programs in
    /// other languages read the document. Rows that do not decode are left alone.
    ///
    /// # Errors
    ///
    /// Where the storage fails.
    fn backfill_defaults(&self) -> Result<usize> {
        let engine = self.handle().engine();
        let changed = engine.backfill_defaults();
        self.handle().maintain();
        changed.map_err(|error| engine.placed(error))
    }
}

/// What the code of a store says of its schema.
pub(super) fn code<S: Store>() -> Code {
    Code::new(S::DEF, S::described(), S::history())
}

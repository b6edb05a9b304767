//! [`Builder`]: how a store is opened.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::handle::Handle;
use super::trait_store::{Store, code};
use super::transaction::Transaction;
use crate::disk::{Access, Location, StorageHook, StorageOp};
use crate::engine::{Engine, IdSource, OnInvalid, Progress, Settings};
use crate::epoch::{MergeChanges, refuse_other_epoch, select_document};
use crate::error::Result;

/// The moment at which a commit counts as done.
///
/// The default is [`Immediate`](Self::Immediate). Choose [`Eventual`](Self::Eventual) for many
/// small writes whose newest may be repeated or lost, such as a cache or a scroll position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A commit returns once the disk has it: after `Ok`, neither a kill nor a power loss takes it
    /// back. Costs a sync of the disk for each commit.
    #[default]
    Immediate,
    /// A commit returns at once and reaches the disk about a tenth of a second later, or when the
    /// store closes. A kill, a power loss or a failing disk may take back the newest commits, never
    /// a part of one.
    Eventual,
}

type Seed<S> = Box<dyn FnOnce(&mut Transaction<'_, S>) -> Result<()>>;

/// The options by which a store is opened; made by [`Store::builder`](crate::Store::builder).
///
/// ```
/// # use heirloom::{Durability, Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Folder { #[key] name: String }
/// # #[derive(Store)]
/// # struct App { folders: Table<Folder> }
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.redb");
/// let app = App::builder()
///     .durability(Durability::Eventual)
///     .on_progress(|progress| eprintln!("{progress}"))
///     .on_create(|tx| tx.insert(&Folder { name: "inbox".into() }))
///     .open(path)?;
/// assert_eq!(app.folders.len()?, 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[must_use = "nothing is opened before `open` or `in_memory` is called"]
pub struct Builder<S> {
    settings: Settings,
    seed: Option<Seed<S>>,
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl<S: Store> Builder<S> {
    pub(super) fn new() -> Self {
        Self { settings: Settings::default(), seed: None }
    }

    /// Sets when a commit counts as done; [`Durability::Immediate`] unless set.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durable = durability == Durability::Immediate;
        self
    }

    /// Calls `report` during long work, and when something is found wrong that does not stop the
    /// work.
    ///
    /// It may be called from a thread of the store's own, and must not write to the store. Without
    /// it, long work is silent.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.settings.progress = Some(Arc::new(report));
        self
    }

    /// Refuses a store that newer code has written to. Off unless set: older code then goes on with
    /// what it knows, and keeps the rest.
    ///
    /// When set, opening such a store, and applying changes that would make it one, is an error of
    /// kind [`NewerSchema`](crate::ErrorKind::NewerSchema), or
    /// [`NewerEpoch`](crate::ErrorKind::NewerEpoch) if newer code has raised the epoch; nothing is
    /// changed. Do not set it in an app whose users update at different times: they could not sync.
    pub fn refuse_newer_schema(mut self, refuse: bool) -> Self {
        self.settings.refuse_newer_schema = refuse;
        self
    }

    /// Sets what a migration does with rows that do not decode or cannot be converted;
    /// [`OnInvalid::Quarantine`] unless set.
    pub fn on_invalid(mut self, on_invalid: OnInvalid) -> Self {
        self.settings.on_invalid = on_invalid;
        self
    }

    /// Sets how many bytes of the file are kept in memory at the most; 256 MiB unless set.
    ///
    /// Memory is taken as pages are read and written, not at once. Set less on a small device, or if
    /// an app has many stores open: reading stays right, and reads pages again that did not fit. More
    /// helps only if more than that is read over and over.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] title: String }
    /// # #[derive(Store)]
    /// # struct Notes { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("notes.redb");
    /// let app = Notes::builder().cache_size(8 << 20).open(&path)?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn cache_size(mut self, bytes: usize) -> Self {
        self.settings.storage.cache_bytes = bytes;
        self
    }

    /// Sets how many [lost edits](crate::Store::lost_edits) are kept until the app decides on them; 10,000
    /// unless set. Of more, the oldest are forgotten, a few at once.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] title: String }
    /// # #[derive(Store)]
    /// # struct Notes { notes: Table<Note> }
    /// let app = Notes::builder().max_lost_edits(500).in_memory()?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn max_lost_edits(mut self, count: u32) -> Self {
        self.settings.max_lost_edits = count.into();
        self
    }

    /// Sets how many bytes of the file the history may take before it is rebuilt by itself; between 64 and
    /// 128 MiB unless set, another number for each file. `u64::MAX` turns it off.
    ///
    /// It is what [`compact_history`](crate::Store::compact_history) does, in the background after a commit, and
    /// then the generation from before is given up, as [`prune_epochs`](crate::Store::prune_epochs) does. It
    /// waits until there are at least four remembered writes for each live row. So the file holds the rows
    /// and at most `bytes` of history, or three writes for each row if that is more, and twice that while it
    /// is rebuilt; every write takes about 4 to 6 bytes of history. Writers wait meanwhile, about 4 µs a row.
    /// Every other device is sent all rows anew, so do not set less than a few megabytes, and set less on one
    /// of the devices than on the others: what two rebuild at once is compared row by row. Edits of a device
    /// that was away meanwhile are carried over when it comes back.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] title: String }
    /// # #[derive(Store)]
    /// # struct Notes { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("notes.redb");
    /// let app = Notes::builder().history_limit(16 << 20).open(&path)?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn history_limit(mut self, bytes: u64) -> Self {
        self.settings.history_limit = Some(bytes);
        self
    }

    /// Sets how many of the newest commits the file keeps a record of, so that a device that comes back
    /// is sent only what was removed since; 1,024 unless set, and up to twice as many are kept.
    ///
    /// A device that was away for longer is sent all removals that the store remembers, a few bytes each.
    /// A record takes about 30 bytes and what it lists, up to 64 KiB. Set more if devices come back after
    /// many commits to a store with much history, less if the file must stay small.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] title: String }
    /// # #[derive(Store)]
    /// # struct Notes { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("notes.redb");
    /// let app = Notes::builder().journal_commits(10_000).open(&path)?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn journal_commits(mut self, commits: u64) -> Self {
        self.settings.storage.journal_commits = commits;
        self
    }

    /// Opens the store for reading only: without write permission, on a read-only mount, or where nothing
    /// may change. Off unless set.
    ///
    /// The file stays as it is, byte for byte, with its time of modification. A store that was not closed
    /// properly is repaired in memory alone, each time. Several processes may have a file open read-only. A
    /// process that opens it to write meanwhile gets [`Locked`](crate::ErrorKind::Locked).
    ///
    /// If a process has the file open to write already, a copy of the file is read, as of its newest commit;
    /// open the store again to see later ones. The copy is made among the temporary files of the system, without
    /// a name, and goes with the store. It costs room and time for the whole file, which is read twice: to be
    /// copied, and to be checked. The next commit of the other process waits until the copy is made, for a
    /// second at most. Do not use it to follow a large store; read in the process that writes.
    /// [`Locked`](crate::ErrorKind::Locked) is the answer if the file does not stay the same for as long as a copy
    /// takes, and on Windows, which lets nothing be read of a file that is open to write.
    ///
    /// Every write is an error of kind [`ReadOnly`](crate::ErrorKind::ReadOnly), and so is opening a file
    /// that this code cannot read without writing to it: one of an earlier epoch, or with keys that are
    /// stored otherwise. Of a file of an earlier format only rows and entries can be read. A missing file
    /// is not made.
    ///
    /// ```
    /// # use heirloom::{ErrorKind, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] title: String }
    /// # #[derive(Store)]
    /// # struct Notes { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("notes.redb");
    /// let milk = Note { title: "milk".into() };
    /// Notes::open(&path)?.notes.insert(&milk)?;
    ///
    /// let app = Notes::builder().read_only(true).open(&path)?;
    /// assert_eq!(app.notes.len()?, 1);
    /// let refused = app.notes.put(&milk).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::ReadOnly);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.settings.storage.access = if read_only { Access::Read } else { Access::Write };
        self
    }

    /// Runs `seed` if the store is new, in the transaction that creates it.
    ///
    /// Two devices may both create their store and meet later, so use fixed keys: the rows then
    /// merge into one. With [`Id::new`](crate::Id::new) there would be two of each.
    pub fn on_create(
        mut self,
        seed: impl FnOnce(&mut Transaction<'_, S>) -> Result<()> + 'static,
    ) -> Self {
        self.seed = Some(Box::new(seed));
        self
    }

    /// Calls `hook` before every storage operation that is not a read. For this project's own
    /// tests.
    #[doc(hidden)]
    pub fn storage_hook(mut self, hook: StorageHook) -> Self {
        // Tests count what they fail.
        self.settings.storage.hook = Some(Arc::new(move |op| match op {
            StorageOp::Read => Ok(()),
            op => hook(op),
        }));
        self
    }

    /// Calls `hook` before every storage operation, in place of the
    /// [`storage_hook`](Self::storage_hook). For this project's own tests.
    #[doc(hidden)]
    pub fn storage_and_read_hook(mut self, hook: StorageHook) -> Self {
        self.settings.storage.hook = Some(hook);
        self
    }

    /// Takes the time of `#[created]` and `#[updated]` fields, and that at which a lost edit is noticed, from `clock`
    /// in place of the system's clock, so that a test runs twice the same way.
    ///
    /// It is asked once a transaction, so that all rows of one have the same time.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    /// struct Note {
    ///     #[key]
    ///     name: String,
    ///     #[created]
    ///     created: i64,
    /// }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    ///
    /// let app = App::builder().clock(|| UNIX_EPOCH + Duration::from_secs(5)).in_memory()?;
    /// app.notes.insert(&Note { name: "milk".into(), created: 0 })?;
    /// assert_eq!(app.notes.get("milk")?.unwrap().created, 5_000);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.settings.clock = Some(Arc::new(clock));
        self
    }

    /// Makes the ids of the device and of its migrations from `seed`, in place of chance. For tests: which of two
    /// concurrent edits wins depends on these ids, and then is the same in each run.
    ///
    /// Two stores that exchange changes must have different seeds, and a file must be opened with one seed
    /// once: two devices of one id diverge. Keys are not made from it; give rows keys of your own, such as
    /// `Id::from_uuid(Uuid::from_u128(1))`.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// let (one, again) = (App::builder().ids_from(1), App::builder().ids_from(1));
    /// let device = |app: App| app.status().map(|status| status.device());
    /// assert_eq!(device(one.in_memory()?)?, device(again.in_memory()?)?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn ids_from(self, seed: u64) -> Self {
        let state = Mutex::new(seed);
        self.id_source(Arc::new(move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut half = || u128::from(crate::engine::next_random(&mut state));
            half() << 64 | half()
        }))
    }

    /// Takes the bits of new ids from `ids`. For this project's own tests.
    #[doc(hidden)]
    pub fn id_source(mut self, ids: IdSource) -> Self {
        self.settings.ids = Some(ids);
        self
    }

    /// Opens the file at `path`, or creates it.
    ///
    /// # Errors
    ///
    /// The errors of [`Store::open`](crate::Store::open), and the error that `on_create` returns.
    pub fn open(self, path: impl AsRef<Path>) -> Result<S> {
        self.open_at(&Location::File(path.as_ref().to_owned()))
    }

    /// Opens a new, empty store in memory, with the same behaviour and no file.
    ///
    /// # Errors
    ///
    /// The error that `on_create` returns.
    pub fn in_memory(self) -> Result<S> {
        self.open_at(&Location::Memory)
    }

    fn open_at(self, location: &Location) -> Result<S> {
        let (engine, is_new) = Engine::open(code::<S>(), location, self.settings)?;
        if !is_new {
            let mut writer = engine.lock_writer()?;
            let arrived = match engine.disk.is_read_only() {
                true => refuse_other_epoch(&engine, &writer),
                false => select_document(&engine, &mut writer, &MergeChanges::default()).map(drop),
            };
            drop(writer);
            arrived.map_err(|error| engine.placed(error))?;
        }
        let handle = Handle::new(engine);
        let store = S::attach(&handle);
        if is_new {
            handle.engine().create(|view, batch| match self.seed {
                Some(seed) => seed(&mut Transaction::new(&store, view, batch)),
                None => Ok(()),
            })?;
        }
        // A migration leaves indexes to build.
        handle.maintain();
        Ok(store)
    }
}

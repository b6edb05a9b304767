//! Opening, creating and re-opening the redb file.

mod opened;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::ReadableDatabase;
use redb::backends::{FileBackend, InMemoryBackend};
use tempfile::TempPath;

use self::opened::{Opened, State};
use super::backend::{Backend, OpenedBy, StorageHook};
use super::commit::Commit;
use super::copy::copy_of;
use super::device::{Whereabouts, is_in_place};
use super::failure::{database_error, guarded, io as io_error};
use super::journal::KEPT_COMMITS;
use super::live::Live;
use super::mark::Mark;
use super::paths::{existing, publish, target_of, temporary_beside};
use super::view::{View, ViewNames};
use crate::error::{Error, ErrorKind, Result};

/// How much of the file redb may keep in memory, in bytes.
const DEFAULT_CACHE_BYTES: usize = 256 << 20;

/// How much is kept in memory of commits that are not durable yet; more is flushed by the next one.
const MAX_HELD_BYTES: u64 = 64 << 20;

/// The location of a store: a file, or memory.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    File(PathBuf),
    Memory,
}

/// The purpose that a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Writing. A file that is missing is made.
    Write,
    /// Reading only.
    Read,
    /// Looking: writing where the file may be written, else reading only. A file that is missing is
    /// not made.
    Look,
}

/// How a store is kept there.
#[derive(Clone)]
pub(crate) struct StorageOptions {
    pub(crate) hook: Option<StorageHook>,
    /// How much of the file is kept in memory at the most.
    pub(crate) cache_bytes: usize,
    /// How many of the newest commits the journals of documents keep.
    pub(crate) journal_commits: u64,
    pub(crate) access: Access,
}

impl StorageOptions {
    /// For looking at a file that is there.
    pub(crate) fn to_look() -> Self {
        Self { access: Access::Look, ..Self::default() }
    }
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            hook: None,
            cache_bytes: DEFAULT_CACHE_BYTES,
            journal_commits: KEPT_COMMITS,
            access: Access::Write,
        }
    }
}

/// An open redb file, or one in memory.
pub(crate) struct Disk {
    medium: Medium,
    options: StorageOptions,
    opened_by: OpenedBy,
    names: Mutex<Arc<ViewNames>>,
    live: Mutex<Opened>,
    /// A new file before it has its final name.
    unpublished: Mutex<Option<TempPath>>,
}

enum Medium {
    /// The handle is kept to see if the file is still in its place, and to note how far a device got.
    File {
        /// As it was given, for errors.
        path: PathBuf,
        /// The same place, whatever becomes of the current directory, and behind a link to nothing.
        target: PathBuf,
        file: File,
        /// Whether it was opened without write permission.
        is_read_only: bool,
    },
    Memory,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens the store at `location`, or starts a new one; tells which.
    ///
    /// A new file gets its name by [`publish`](Self::publish), so that a crash before leaves
    /// nothing half-made under it.
    pub(crate) fn open(location: &Location, options: StorageOptions) -> Result<(Self, bool)> {
        let path = match location {
            Location::File(path) => path,
            Location::Memory if options.access == Access::Write => {
                return Self::in_memory(options).map(|disk| (disk, true));
            }
            Location::Memory => return Err(nothing_to_read("a new store in memory is empty")),
        };
        match existing(path, options.access) {
            Ok(Some(file)) => Self::existing(path, file, options).map(|disk| (disk, false)),
            Ok(None) if options.access == Access::Write => {
                Self::new_file(path, options).map(|disk| (disk, true))
            }
            Ok(None) => Err(nothing_to_read("there is no file to read")),
            Err(error) => Err(error),
        }
        .map_err(|error| error.at_file(path))
    }

    fn in_memory(options: StorageOptions) -> Result<Self> {
        let backend = Backend::direct(InMemoryBackend::new(), options.hook.clone());
        let live = Live::open(backend, &options)?;
        Ok(Self {
            medium: Medium::Memory,
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(live.into()),
            unpublished: Mutex::new(None),
        })
    }

    fn existing(
        path: &Path,
        (file, is_read_only): (File, bool),
        options: StorageOptions,
    ) -> Result<Self> {
        let (is_copy, live) = match Live::of_file(&file, is_read_only, &options) {
            // On Windows a lock keeps others from reading, too.
            Err(error)
                if error.kind() == ErrorKind::Locked
                    && options.access != Access::Write
                    && !cfg!(windows) =>
            {
                let copy = copy_of(&file)?;
                let live = Live::of_file(&copy, true, &options)?;
                (true, live)
            }
            opened => (false, opened?),
        };
        let is_read_only = is_read_only || is_copy;
        let target = std::path::absolute(path).map_err(io_error)?;
        Ok(Self {
            medium: Medium::File { path: path.to_owned(), target, file, is_read_only },
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(live.into()),
            unpublished: Mutex::new(None),
        })
    }

    fn new_file(path: &Path, options: StorageOptions) -> Result<Self> {
        let target = target_of(path).map_err(io_error)?;
        let (file, unpublished) = temporary_beside(&target).map_err(|error| {
            let error = io_error(error);
            match target.file_name() == path.file_name() {
                true => error,
                false => error.finding(format!("a link to `{}`", target.display())),
            }
        })?;
        let backend =
            FileBackend::new(file.try_clone().map_err(io_error)?).map_err(database_error)?;
        let live = Live::open(Backend::direct(backend, options.hook.clone()), &options)?;
        Ok(Self {
            medium: Medium::File { path: path.to_owned(), target, file, is_read_only: false },
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(live.into()),
            unpublished: Mutex::new(Some(unpublished)),
        })
    }

    /// Gives a new file its name. Nothing that stands there is overwritten.
    pub(crate) fn publish(&self) -> Result<()> {
        let unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(temporary), Medium::File { target, .. }) = (unpublished, &self.medium) else {
            return Ok(());
        };
        publish(temporary, target)
    }

    /// Whether the file was opened without write permission.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self.medium, Medium::File { is_read_only: true, .. })
    }

    /// Returns the damage of redb's own tables, which list the pages of the file that are in use.
    pub(crate) fn damage_of_own_tables(&self) -> Result<Option<&'static str>> {
        self.with_live(|live| Ok(live.damage_of_own_tables()))
    }

    /// The path of the file; `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.medium {
            Medium::File { path, .. } => Some(path),
            Medium::Memory => None,
        }
    }

    /// Returns the present location of the file, as far as a copy is noticed by it.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        match &self.medium {
            Medium::File { target, file, .. } => Whereabouts::of(target, file),
            Medium::Memory => Whereabouts::nowhere(),
        }
    }

    /// Notes how far a device got.
    pub(crate) fn set_mark(&self, mark: Mark) {
        if self.opened_by.check().is_ok()
            && let Medium::File { file, is_read_only: false, .. } = &self.medium
        {
            mark.write(file);
        }
    }

    /// How far a device had got when it last noted it.
    pub(crate) fn mark(&self) -> Option<Mark> {
        match &self.medium {
            Medium::File { file, .. } => Mark::read(file),
            Medium::Memory => None,
        }
    }

    /// Returns a view of the newest commit.
    pub(crate) fn view(&self) -> Result<View> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.view_as(names)
    }

    /// Returns a view of the newest commit with other tables than those of this store's code.
    pub(crate) fn view_as(&self, names: Arc<ViewNames>) -> Result<View> {
        self.with_live(|live| {
            let database = live.database()?;
            let mut view = guarded(|| {
                let txn = database.begin_read()?;
                let format = live.format(&txn)?;
                Ok(View::new(txn, names, format, live.views()))
            })?;
            view.hook.clone_from(&self.options.hook);
            Ok(view)
        })
    }

    /// From now on, views are of these tables.
    pub(crate) fn show(&self, names: Arc<ViewNames>) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Makes one commit of what `work` writes: all of it, or after an error nothing. Where `work` gives
    /// nothing, no commit is made.
    ///
    /// A commit that is not `durable` is kept in memory until [`flush`](Self::flush), so that a disk
    /// that refuses it costs nothing that was committed. A durable one flushes those before it first.
    pub(crate) fn commit<T>(
        &self,
        durable: bool,
        work: impl FnOnce(&Commit) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.refuse_if_read_only()?;
        self.refuse_if_forked()?;
        self.refuse_if_gone()?;
        // The name that a new file is about to get must not lead to an empty one.
        if durable || self.is_unpublished() || matches!(self.medium, Medium::Memory) {
            self.commit_durably(work)
        } else {
            self.commit_in_memory(work)
        }
    }

    /// Refuses to write to a file that was opened without write permission.
    fn refuse_if_read_only(&self) -> Result<()> {
        if !self.is_read_only() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ReadOnly, "the file was opened read-only")
            .help("open the store without `read_only`, and check that its file may be written"))
    }

    /// Refuses to write in a fork of the process that opened the store.
    fn refuse_if_forked(&self) -> Result<()> {
        self.opened_by.check().map_err(|error| {
            Error::new(ErrorKind::Storage, "the store cannot be written after a fork")
                .help("nothing was changed; open stores after the fork, or spawn a new process")
                .because(error)
        })
    }

    /// Refuses to write to a file that no path leads to any more.
    fn refuse_if_gone(&self) -> Result<()> {
        let Medium::File { target, file, .. } = &self.medium else { return Ok(()) };
        if self.is_unpublished() || is_in_place(target, file).map_err(io_error)? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Storage,
            "the file was removed, moved or replaced while it is open",
        )
        .help("nothing was changed; save what is needed with `backup`, and open the store again"))
    }

    fn commit_durably<T>(
        &self,
        work: impl FnOnce(&Commit) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.flush()?;
        let mut opened = self.opened();
        opened.forget_unread();
        let live = opened.live(&self.options)?;
        let header = live.backend.header().map_err(io_error)?;
        let outcome = live.commit(true, work, || live.backend.release().map_err(io_error));
        self.with_refusal(&mut opened, outcome, Some(header))
    }

    fn commit_in_memory<T>(
        &self,
        work: impl FnOnce(&Commit) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.mended(|live| {
            if live.backend.held_bytes() > MAX_HELD_BYTES {
                live.flush()?;
            }
            live.backend.hold().map_err(io_error)?;
            let value = live.commit(false, work, || Ok(()))?;
            if value.is_some() {
                live.unflushed.store(true, Ordering::Relaxed);
            }
            Ok(value)
        })
    }

    /// Makes durable what was committed since the last durable commit. After an error nothing is
    /// lost: it is still committed, and flushing may be tried again.
    pub(crate) fn flush(&self) -> Result<()> {
        self.refuse_if_forked()?;
        self.mended(|live| live.flush())
    }

    /// Undoes what was committed since the last durable commit.
    pub(crate) fn undo_unflushed(&self) {
        let mut opened = self.opened();
        // Nothing is open if the file could not be opened again; then it is as it was.
        if let State::Open(live) = &opened.state {
            let header = live.backend.header_before();
            // If it does not open, the next use says so.
            let _ = opened.undo(&self.options, header);
        }
    }

    /// Makes the file as short as its content allows. Gives by how many bytes it got shorter; nothing if a
    /// reader still needs the file as it is.
    pub(crate) fn compact(&self) -> Result<Option<u64>> {
        self.refuse_if_read_only()?;
        self.refuse_if_forked()?;
        self.refuse_if_gone()?;
        self.flush()?;
        self.mended(Live::compact)
    }

    /// Whether pages of tables are damaged in the file.
    pub(crate) fn has_damaged_pages(&self, tables: &[String]) -> Result<bool> {
        self.flush()?;
        self.with_live(|live| live.has_damaged_pages(tables))
    }

    /// Has damaged pages of tables be empty from now on, so that the tables can be deleted, and opens the file
    /// anew. Nothing may be read from the tables after that.
    pub(crate) fn empty_damaged_pages(&self, tables: &[String]) -> Result<()> {
        self.flush()?;
        self.opened().reopen(&self.options, tables)
    }

    /// Does work that reaches the file by the backend alone; if redb does not go on after an error
    /// all the same, the file is opened again.
    fn mended<T>(&self, work: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        let mut opened = self.opened();
        let outcome = work(opened.live(&self.options)?);
        self.with_refusal(&mut opened, outcome, None)
    }

    /// The outcome of work, or the error by which the storage refused it. After that the file is opened again as
    /// of `header`, and likewise if redb does not go on after an error.
    fn with_refusal<T>(
        &self,
        opened: &mut Opened,
        outcome: Result<T>,
        header: Option<Vec<u8>>,
    ) -> Result<T> {
        let State::Open(live) = &opened.state else { return outcome };
        // If it does not open again, the next use says so.
        if let Some(error) = live.backend.refusal() {
            let _ = opened.undo(&self.options, header);
            return Err(io_error(error));
        }
        if outcome.is_err() && !live.is_usable() {
            let _ = opened.reopen(&self.options, &[]);
        }
        outcome
    }

    fn is_unpublished(&self) -> bool {
        self.unpublished.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_live<T>(&self, work: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        work(self.opened().live(&self.options)?)
    }
}

fn nothing_to_read(what: &str) -> Error {
    Error::new(ErrorKind::Storage, what)
        .help("check the path; opening a store to write, without `read_only`, makes its file")
}

//! Opening, creating and re-opening the redb file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use redb::ReadableDatabase;
use redb::backends::{FileBackend, InMemoryBackend};
use tempfile::TempPath;

use super::backend::{Backend, OpenedBy, StorageHook};
use super::commit::Commit;
use super::copy::copy_of;
use super::device::{Whereabouts, is_in_place};
use super::failure::{corrupt, database_error, guarded, io as io_error};
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
    live: Mutex<State>,
    /// A new file before it has its final name.
    unpublished: Mutex<Option<TempPath>>,
}

enum State {
    Open(Live),
    /// It could not be opened again after a failure. The next use tries once more, with the header that undoes
    /// what was refused.
    Closed(Option<Vec<u8>>),
}

enum Medium {
    /// The handle is kept so that the same file is opened again after a failure, whatever has
    /// become of its path.
    File {
        /// As it was given, for errors.
        path: PathBuf,
        /// The same place, whatever becomes of the current directory, and behind a link to nothing.
        target: PathBuf,
        file: File,
        /// The copy that is read in its place, as another process has it open to write.
        copy: Option<File>,
        /// Whether it was opened without write permission.
        is_read_only: bool,
    },
    Memory(Backend),
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
        let live = Live::open(backend.clone(), &options)?;
        Ok(Self {
            medium: Medium::Memory(backend),
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(State::Open(live)),
            unpublished: Mutex::new(None),
        })
    }

    fn existing(
        path: &Path,
        (file, is_read_only): (File, bool),
        options: StorageOptions,
    ) -> Result<Self> {
        let (copy, live) = match Live::of_file(&file, is_read_only, &options, None, &[]) {
            // On Windows a lock keeps others from reading, too.
            Err(error)
                if error.kind() == ErrorKind::Locked
                    && options.access != Access::Write
                    && !cfg!(windows) =>
            {
                let copy = copy_of(&file)?;
                let live = Live::of_file(&copy, true, &options, None, &[])?;
                (Some(copy), live)
            }
            opened => (None, opened?),
        };
        let is_read_only = is_read_only || copy.is_some();
        let target = std::path::absolute(path).map_err(io_error)?;
        Ok(Self {
            medium: Medium::File { path: path.to_owned(), target, file, copy, is_read_only },
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(State::Open(live)),
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
            medium: Medium::File {
                path: path.to_owned(),
                target,
                file,
                copy: None,
                is_read_only: false,
            },
            options,
            opened_by: OpenedBy::this_process(),
            names: Mutex::default(),
            live: Mutex::new(State::Open(live)),
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
            Medium::Memory(_) => None,
        }
    }

    /// Returns the present location of the file, as far as a copy is noticed by it.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        match &self.medium {
            Medium::File { target, file, .. } => Whereabouts::of(target, file),
            Medium::Memory(_) => Whereabouts::nowhere(),
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
            Medium::Memory(_) => None,
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
                Ok(View::new(txn, names, format))
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
        if durable || self.is_unpublished() || matches!(self.medium, Medium::Memory(_)) {
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
        let mut before = None;
        let outcome = self.with_live(|live| {
            let header = live.backend.header().map_err(io_error)?;
            let mut is_begun = false;
            let outcome = live.commit(true, work, || {
                is_begun = true;
                live.backend.release().map_err(io_error)
            });
            if outcome.is_err() && (is_begun || !live.is_usable()) {
                before = Some(header);
            }
            outcome
        });
        // A failed write leaves redb unusable, so that the file is opened again at once.
        if before.is_some() {
            self.reopen(before);
        }
        outcome
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
        // Nothing is open if the file could not be opened again; then it is as it was.
        if let Ok(header) = self.with_live(|live| Ok(live.backend.header_before())) {
            self.reopen(header);
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
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        *live = State::Closed(None);
        *live = State::Open(self.live_again(None, tables)?);
        Ok(())
    }

    /// Does work that reaches the file by the backend alone; if redb does not go on after an error
    /// all the same, the file is opened again.
    fn mended<T>(&self, work: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        let mut is_broken = false;
        let outcome =
            self.with_live(|live| work(live).inspect_err(|_| is_broken = !live.is_usable()));
        if is_broken {
            self.reopen(None);
        }
        outcome
    }

    fn is_unpublished(&self) -> bool {
        self.unpublished.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn with_live<T>(&self, work: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Closed(header) = &*live {
            *live = State::Open(self.live_again(header.clone(), &[])?);
        }
        match &mut *live {
            State::Open(live) => work(live),
            State::Closed(_) => Err(corrupt("the file is closed")),
        }
    }

    /// Closes the file and opens it again, as of `header`; if that fails, the next use tries
    /// once more.
    fn reopen(&self, header: Option<Vec<u8>>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // Closed before it is opened again, which locks it.
        *live = State::Closed(header.clone());
        if let Ok(opened) = self.live_again(header, &[]) {
            *live = State::Open(opened);
        }
    }

    fn live_again(&self, header: Option<Vec<u8>>, tables_to_empty: &[String]) -> Result<Live> {
        self.refuse_if_forked()?;
        match &self.medium {
            Medium::File { file, copy, is_read_only, .. } => {
                let file = copy.as_ref().unwrap_or(file);
                Live::of_file(file, *is_read_only, &self.options, header, tables_to_empty)
            }
            Medium::Memory(backend) => Live::open(backend.clone(), &self.options),
        }
    }
}

fn nothing_to_read(what: &str) -> Error {
    Error::new(ErrorKind::Storage, what)
        .help("check the path; opening a store to write, without `read_only`, makes its file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: &Disk, durable: bool) -> Result<Option<()>> {
        disk.commit(durable, |commit| commit.set_meta("name", b"value").map(Some))
    }

    #[test]
    fn a_fork_of_the_process_that_opened_a_store_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let location = Location::File(path.clone());
        let (mut disk, _) = Disk::open(&location, StorageOptions::default()).unwrap();
        write(&disk, true).unwrap();
        disk.publish().unwrap();
        write(&disk, false).unwrap();
        let before = std::fs::read(&path).unwrap();

        disk.opened_by = OpenedBy::another_process();
        for durable in [true, false] {
            let error = write(&disk, durable).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(error.to_string().contains("fork"), "{error}");
        }
        assert_eq!(disk.flush().unwrap_err().kind(), ErrorKind::Storage);
        assert!(before == std::fs::read(&path).unwrap(), "the file has changed");
        // Reading goes on.
        assert_eq!(disk.view().unwrap().meta().unwrap().bytes("name"), Some(&b"value"[..]));
        disk.opened_by = OpenedBy::this_process();
        disk.flush().unwrap();
    }

    #[test]
    fn a_fact_that_stays_the_same_is_not_written_again() {
        let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = written.clone();
        let hook: StorageHook = Arc::new(move |op| {
            if op == crate::disk::StorageOp::Write {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let options = StorageOptions { hook: Some(hook), ..StorageOptions::default() };
        let (disk, _) = Disk::open(&Location::Memory, options).unwrap();
        let written_with = |value: &[u8]| {
            let before = written.load(Ordering::Relaxed);
            disk.commit(true, |commit| commit.set_meta("name", value).map(Some)).unwrap();
            written.load(Ordering::Relaxed) - before
        };
        // redb writes its own pages in the first commits.
        for round in 0..4_u8 {
            written_with(&[round]);
        }
        let (same, other) = (written_with(&[3]), written_with(&[4]));
        assert!(same < other, "{same} pieces for the same, {other} for another one");
    }
}

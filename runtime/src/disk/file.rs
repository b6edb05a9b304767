//! Opening, creating and re-opening the redb file.

use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, ReadableDatabase};
use tempfile::TempPath;

use super::backend::{Backend, StorageHook};
use super::commit::Commit;
use super::device::Whereabouts;
use super::failure::{Failure, corrupt, guarded, io as io_error};
use super::mark::Mark;
use super::view::{View, ViewNames};
use crate::error::{Error, ErrorKind, Result};

/// How much of the file redb may keep in memory, in bytes.
const DEFAULT_CACHE_BYTES: usize = 256 << 20;

/// How much is kept in memory of commits that are not durable yet; more is flushed by the next one.
const MAX_HELD_BYTES: u64 = 64 << 20;

/// Where a store is kept.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    File(PathBuf),
    Memory,
}

/// How a store is kept there.
#[derive(Clone)]
pub(crate) struct StorageOptions {
    pub(crate) hook: Option<StorageHook>,
    /// How much of the file is kept in memory at the most.
    pub(crate) cache_bytes: usize,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self { hook: None, cache_bytes: DEFAULT_CACHE_BYTES }
    }
}

/// An open redb file, or one in memory.
pub(crate) struct Disk {
    medium: Medium,
    options: StorageOptions,
    names: Mutex<Arc<ViewNames>>,
    /// `None` only while it could not be opened again after a failure.
    live: Mutex<Option<Live>>,
    /// A new file before it has its final name.
    unpublished: Mutex<Option<TempPath>>,
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
    },
    Memory(Backend),
}

struct Live {
    /// There until it is dropped.
    database: Option<Database>,
    backend: Backend,
    /// Whether the backend holds commits back that are not durable yet.
    unflushed: AtomicBool,
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
            Location::Memory => return Self::in_memory(options).map(|disk| (disk, true)),
        };
        match existing(path) {
            Ok(Some(file)) => Self::existing(path, file, options).map(|disk| (disk, false)),
            Ok(None) => Self::new_file(path, options).map(|disk| (disk, true)),
            Err(error) => Err(error),
        }
        .map_err(|error| error.at_file(path))
    }

    /// Opens the store at `path`, where there must be one.
    pub(crate) fn open_existing(path: &Path) -> Result<Self> {
        match existing(path) {
            Ok(Some(file)) => Self::existing(path, file, StorageOptions::default()),
            Ok(None) => Err(io_error(io::ErrorKind::NotFound.into())),
            Err(error) => Err(error),
        }
        .map_err(|error| error.at_file(path))
    }

    fn in_memory(options: StorageOptions) -> Result<Self> {
        let backend = Backend::direct(InMemoryBackend::new(), options.hook.clone());
        let live = Live::open(backend.clone(), options.cache_bytes)?;
        Ok(Self {
            medium: Medium::Memory(backend),
            options,
            names: Mutex::default(),
            live: Mutex::new(Some(live)),
            unpublished: Mutex::new(None),
        })
    }

    fn existing(path: &Path, file: File, options: StorageOptions) -> Result<Self> {
        let live = Live::of_file(&file, &options, None)?;
        let target = std::path::absolute(path).map_err(io_error)?;
        Ok(Self {
            medium: Medium::File { path: path.to_owned(), target, file },
            options,
            names: Mutex::default(),
            live: Mutex::new(Some(live)),
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
        let live = Live::open(Backend::direct(backend, options.hook.clone()), options.cache_bytes)?;
        Ok(Self {
            medium: Medium::File { path: path.to_owned(), target, file },
            options,
            names: Mutex::default(),
            live: Mutex::new(Some(live)),
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

    /// The path of the file; `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.medium {
            Medium::File { path, .. } => Some(path),
            Medium::Memory(_) => None,
        }
    }

    /// Where the file lives now.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        match &self.medium {
            Medium::File { target, file, .. } => Whereabouts::of(target, file),
            Medium::Memory(_) => Whereabouts::nowhere(),
        }
    }

    /// Notes how far a device got.
    pub(crate) fn set_mark(&self, mark: Mark) {
        if let Medium::File { file, .. } = &self.medium {
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

    /// What is committed now.
    pub(crate) fn view(&self) -> Result<View> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.view_as(names)
    }

    /// What is committed now, of other tables than those of this store's code.
    pub(crate) fn view_as(&self, names: Arc<ViewNames>) -> Result<View> {
        self.with_live(|live| {
            let database = live.database()?;
            let mut view = guarded(|| Ok(View::new(database.begin_read()?, names)))?;
            view.hook.clone_from(&self.options.hook);
            Ok(view)
        })
    }

    /// From now on, views are of these tables.
    pub(crate) fn show(&self, names: Arc<ViewNames>) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Makes one commit of what `work` writes: all of it, or after an error nothing.
    ///
    /// A commit that is not `durable` is kept in memory until [`flush`](Self::flush), so that a disk
    /// that refuses it costs nothing that was committed. A durable one flushes those before it first.
    pub(crate) fn commit<T>(
        &self,
        durable: bool,
        work: impl FnOnce(&Commit) -> Result<T>,
    ) -> Result<T> {
        // The name that a new file is about to get must not lead to an empty one.
        if durable || self.is_unpublished() || matches!(self.medium, Medium::Memory(_)) {
            self.commit_durably(work)
        } else {
            self.commit_in_memory(work)
        }
    }

    fn commit_durably<T>(&self, work: impl FnOnce(&Commit) -> Result<T>) -> Result<T> {
        self.flush()?;
        // `None` where the file was not touched.
        let mut before = None;
        let outcome = self.with_live(|live| {
            live.backend.release().map_err(io_error)?;
            before = Some(live.backend.header().map_err(io_error)?);
            live.commit(true, work)
        });
        // A failed write leaves redb unusable, so that the file is opened again at once.
        if let (Err(_), Some(header)) = (&outcome, before) {
            self.reopen(Some(header));
        }
        outcome
    }

    fn commit_in_memory<T>(&self, work: impl FnOnce(&Commit) -> Result<T>) -> Result<T> {
        self.mended(|live| {
            if live.backend.held_bytes() > MAX_HELD_BYTES {
                live.flush()?;
            }
            live.backend.hold().map_err(io_error)?;
            let value = live.commit(false, work)?;
            live.unflushed.store(true, Ordering::Relaxed);
            Ok(value)
        })
    }

    /// Makes durable what was committed since the last durable commit. After an error nothing is
    /// lost: it is still committed, and flushing may be tried again.
    pub(crate) fn flush(&self) -> Result<()> {
        self.mended(Live::flush)
    }

    /// Does work that reaches the file by the backend alone; if redb does not go on after an error
    /// all the same, the file is opened again.
    fn mended<T>(&self, work: impl FnOnce(&Live) -> Result<T>) -> Result<T> {
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

    fn with_live<T>(&self, work: impl FnOnce(&Live) -> Result<T>) -> Result<T> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.is_none() {
            *live = Some(self.live_again(None)?);
        }
        match &*live {
            Some(live) => work(live),
            None => Err(corrupt("the file is closed")),
        }
    }

    /// Closes the file and opens it again, as of `header`; where that fails, the next use tries
    /// once more.
    fn reopen(&self, header: Option<Vec<u8>>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        *live = None;
        *live = self.live_again(header).ok();
    }

    fn live_again(&self, header: Option<Vec<u8>>) -> Result<Live> {
        match &self.medium {
            Medium::File { file, .. } => Live::of_file(file, &self.options, header),
            Medium::Memory(backend) => Live::open(backend.clone(), self.options.cache_bytes),
        }
    }
}

impl Live {
    fn of_file(file: &File, options: &StorageOptions, header: Option<Vec<u8>>) -> Result<Self> {
        let file = file.try_clone().map_err(io_error)?;
        let backend = FileBackend::new(file).map_err(database_error)?;
        let backend = Backend::held(backend, options.hook.clone(), header).map_err(io_error)?;
        Self::open(backend, options.cache_bytes)
    }

    fn open(backend: Backend, cache_bytes: usize) -> Result<Self> {
        let repaired = Arc::new(AtomicBool::new(false));
        let noticed = repaired.clone();
        let database = guarded(|| {
            let database = Database::builder()
                .set_cache_size(cache_bytes)
                .set_repair_callback(move |_| {
                    noticed.store(true, Ordering::Relaxed);
                })
                .create_with_backend(backend.clone())?;
            Ok(database)
        })?;
        if repaired.load(Ordering::Relaxed) {
            // Kept, so that the next open need not repair again. Where it cannot be written, the
            // store can still be read.
            let _ = backend.release();
        }
        Ok(Self { database: Some(database), backend, unflushed: AtomicBool::new(false) })
    }

    fn commit<T>(&self, durable: bool, work: impl FnOnce(&Commit) -> Result<T>) -> Result<T> {
        let database = self.database()?;
        guarded(|| {
            let commit = Commit::begin(database, durable)?;
            match work(&commit) {
                Ok(value) => commit.finish().map(|()| value),
                Err(error) => {
                    commit.abort();
                    Err(Failure(error))
                }
            }
        })
    }

    /// redb writes everything to the backend, which cannot fail while that holds it back; then the
    /// backend writes it to the file, as often as it takes.
    fn flush(&self) -> Result<()> {
        if self.unflushed.load(Ordering::Relaxed) {
            self.commit(true, |_| Ok(()))?;
            self.backend.release().map_err(io_error)?;
            self.unflushed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether redb goes on after an error.
    fn is_usable(&self) -> bool {
        self.database().is_ok_and(|database| {
            guarded(|| {
                database.begin_write()?.abort()?;
                Ok(())
            })
            .is_ok()
        })
    }

    fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or_else(|| corrupt("the file is closed"))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // On a damaged file redb may panic when it is closed, too. What was committed is kept.
        let database = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

fn database_error(error: redb::DatabaseError) -> Error {
    Failure::from(error).0
}

/// The file at `path`; `None` where there is nothing yet.
fn existing(path: &Path) -> Result<Option<File>> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            Err(Error::new(ErrorKind::Storage, "the path is a folder, not a file")
                .help("give the path of a file in the folder"))
        }
        Ok(meta) if meta.len() == 0 => Err(Error::new(ErrorKind::Corrupt, "the file is empty")
            .help("restore a backup, or remove the file to start a new store")),
        Ok(_) => OpenOptions::new().read(true).write(true).open(path).map(Some).map_err(io_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(error)),
    }
}

/// How many links to links are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// The absolute path of a file to make at `path`: where there is a link to nothing, what it names.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut target = std::path::absolute(path)?;
    for _ in 0..MAX_LINKS {
        let Ok(next) = std::fs::read_link(&target) else { return Ok(target) };
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("too many links to links"))
}

/// A new file in the folder of `path`, removed again unless it is published. Its name does not
/// depend on that of the file, which may be as long as names can be.
fn temporary_beside(path: &Path) -> io::Result<(File, TempPath)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".heirloom-").suffix(".new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: what the umask leaves of it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok(temporary.into_parts())
}

/// Moves a finished temporary file to `path`, where nothing may stand.
fn publish(temporary: TempPath, path: &Path) -> Result<()> {
    temporary.persist_noclobber(path).map_err(|error| {
        let error = error.error;
        if error.kind() == io::ErrorKind::AlreadyExists {
            Error::new(ErrorKind::AlreadyExists, "a file of this name was made in the meantime")
                .help("open it, or choose another name")
        } else {
            io_error(error)
        }
    })?;
    // The name is durable only with its folder. Not every file system can do that, and the store
    // is complete either way.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

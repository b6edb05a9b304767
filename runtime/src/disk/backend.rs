//! The storage under redb, which holds back writes until the app writes something.
//!
//! redb marks a file as open and, at the end, as closed, so that merely reading a store would
//! change its file. Until [`Backend::release`] is called, what redb writes is kept in memory and laid
//! over what it reads; if the store is closed by then, it is forgotten. So a file that was only
//! read stays byte for byte as it was, and can be read on a full or read-only disk. A file that was
//! opened without write permission never gets beyond that.
//!
//! Commits that do not wait for the disk are held back in the same way: to redb they have been
//! written, and what a full disk refuses later can be written once there is room.

mod held;

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{BackendError, StorageBackend};

use self::held::{Held, Step, overlay};
use super::bookkeeping::{empty_damaged_pages, header_without_damaged_tables};
use super::copy::is_being_copied;

/// redb's header has the first page of the file to itself.
pub(super) const HEADER_BYTES: usize = 4096;

/// For how long a commit waits for another process that copies the file.
const LONGEST_WAIT_FOR_COPY: Duration = Duration::from_secs(1);

/// A storage operation that is about to change the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageOp {
    /// A row is read, or the first of several, or of an index. Whether bytes of the file are read for
    /// it depends on what is in memory.
    Read,
    /// Bytes are written.
    Write,
    /// The file gets longer or shorter.
    SetLen,
    /// Writes are made durable.
    Sync,
}

/// Called before every [`StorageOp`]; an error is reported as that operation's. For tests that
/// fail or kill at a chosen operation.
pub type StorageHook = Arc<dyn Fn(StorageOp) -> io::Result<()> + Send + Sync>;

/// The process that opened a file. A fork of it has what was in memory at that moment, and shares the
/// file's locks: it would write over what the other has written since, and free the file for a third.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenedBy(u32);

impl OpenedBy {
    pub(super) fn this_process() -> Self {
        Self(std::process::id())
    }

    /// As a fork finds it.
    #[cfg(test)]
    pub(super) fn another_process() -> Self {
        Self(0)
    }

    /// Refuses a fork.
    pub(super) fn check(self) -> io::Result<()> {
        if self == Self::this_process() {
            return Ok(());
        }
        Err(io::Error::other("the store was opened by another process, of which this is a fork"))
    }
}

/// A redb backend; clones share it.
#[derive(Clone)]
pub(super) struct Backend(Arc<Shared>);

struct Shared {
    inner: Box<dyn StorageBackend>,
    held: RwLock<Option<Held>>,
    hook: Option<StorageHook>,
    /// Whether nothing is ever let through.
    is_read_only: bool,
    opened_by: OpenedBy,
    /// Whether a copy took longer than a commit waits for one, and is not done yet.
    is_copy_slow: AtomicBool,
    /// The header as last written; empty until it is first asked for. Reading it back after every
    /// commit takes a third of a commit's time.
    header: Mutex<Vec<u8>>,
    mending: Mending,
}

/// The repair of a damaged file before redb reads it (see `bookkeeping.rs`).
#[derive(Default)]
struct Mending {
    is_done: AtomicBool,
    are_own_tables_damaged: AtomicBool,
    /// The tables of which damaged pages are emptied.
    tables_to_empty: Mutex<Vec<String>>,
}

/// A file that is only read is marked as open and as closed. More than this is a transaction, which may
/// be larger than the memory.
const MAX_BYTES_OF_MARKS: u64 = 1 << 20;

impl Backend {
    /// A backend whose writes reach `inner` at once.
    pub(super) fn direct(inner: impl StorageBackend, hook: Option<StorageHook>) -> Self {
        Self::over(inner, hook, None, false)
    }

    fn over(
        inner: impl StorageBackend,
        hook: Option<StorageHook>,
        held: Option<Held>,
        is_read_only: bool,
    ) -> Self {
        Self(Arc::new(Shared {
            inner: Box::new(inner),
            held: RwLock::new(held),
            hook,
            is_read_only,
            opened_by: OpenedBy::this_process(),
            is_copy_slow: AtomicBool::new(false),
            header: Mutex::default(),
            mending: Mending::default(),
        }))
    }

    /// A backend whose writes are held back until [`release`](Self::release).
    ///
    /// With a `header` it shows that in place of the beginning of the storage: a commit that failed
    /// in its very last step is undone by the header from before it, since redb does not write over
    /// what that one refers to.
    pub(super) fn held(
        inner: impl StorageBackend,
        hook: Option<StorageHook>,
        header: Option<Vec<u8>>,
    ) -> io::Result<Self> {
        let mut held = Held::over(inner.len()?, MAX_BYTES_OF_MARKS);
        if let Some(header) = header {
            held.write(0, &header);
            held.steps.push(Step::Sync);
        }
        Ok(Self::over(inner, hook, Some(held), false))
    }

    /// A backend whose writes never reach `inner`. Its locks are shared: several may have a file open,
    /// but not beside a writer, which would write over pages that a reader elsewhere is still reading.
    /// An exclusive lock would need write permission, too.
    pub(super) fn read_only(
        inner: impl StorageBackend,
        hook: Option<StorageHook>,
    ) -> io::Result<Self> {
        let held = Held::over(inner.len()?, u64::MAX);
        Ok(Self::over(inner, hook, Some(held), true))
    }

    /// Holds writes back from now on, until [`release`](Self::release).
    pub(super) fn hold(&self) -> io::Result<()> {
        let header = self.header()?;
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            None => *held = Some(Held { header, ..Held::over(self.0.inner.len()?, u64::MAX) }),
            // The marks of opening the file are held back still.
            Some(held) if held.header.is_empty() => (held.header, held.limit) = (header, u64::MAX),
            Some(_) => {}
        }
        Ok(())
    }

    /// The header that undoes all that is held back.
    pub(super) fn header_before(&self) -> Option<Vec<u8>> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        let header = held.as_ref().map(|held| held.header.clone());
        header.filter(|header| !header.is_empty())
    }

    /// How many bytes are held back.
    pub(super) fn held_bytes(&self) -> u64 {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map_or(0, |held| held.bytes)
    }

    /// Lets writes through from now on, those held back first, in their order. Waits for another process that
    /// is copying the file: each commit to the file calls this before it changes the header.
    ///
    /// After an error they are still held back, and it may be tried again.
    pub(super) fn release(&self) -> io::Result<()> {
        self.0.wait_for_copy();
        if self.0.held.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(());
        }
        if self.0.is_read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        for step in held.iter().flat_map(|held| &held.steps) {
            match step {
                Step::Write(offset, data) => self.0.write(*offset, data)?,
                Step::SetLen(len) => self.0.set_len(*len)?,
                Step::Sync => self.0.sync()?,
            }
        }
        *held = None;
        Ok(())
    }

    /// Has redb see everything as it is in the file. It must make no commit then.
    pub(super) fn mend_nothing(&self) {
        self.0.mending.is_done.store(true, Ordering::Relaxed);
    }

    /// Has redb see empty pages in place of damaged ones of these tables.
    pub(super) fn empty_damaged_pages_of(&self, tables: &[String]) {
        let to_empty = &self.0.mending.tables_to_empty;
        *to_empty.lock().unwrap_or_else(PoisonError::into_inner) = tables.to_vec();
    }

    /// Whether redb's own tables are damaged in the file. redb does not see those.
    pub(super) fn has_damaged_own_tables(&self) -> bool {
        self.0.mending.are_own_tables_damaged.load(Ordering::Relaxed)
    }

    /// Mends what redb is about to read. It has locked the file.
    fn mend(&self) -> io::Result<()> {
        let mending = &self.0.mending;
        if mending.is_done.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let tables = mending.tables_to_empty.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !tables.is_empty() {
            empty_damaged_pages(self, &tables)?;
        }
        if let Some(header) = header_without_damaged_tables(self)? {
            self.write(0, &header)?;
            mending.are_own_tables_damaged.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Returns the header, which tells which of redb's trees are current.
    pub(super) fn header(&self) -> io::Result<Vec<u8>> {
        let mut header = self.0.header.lock().unwrap_or_else(PoisonError::into_inner);
        if header.is_empty() {
            let len = self.len()?.min(HEADER_BYTES as u64);
            let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
            self.read(0, &mut bytes)?;
            *header = bytes;
        }
        Ok(header.clone())
    }

    fn keep(&self, step: impl FnOnce(&mut Held)) -> bool {
        if self.0.held.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return false;
        }
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        held.as_mut().map(step).is_some()
    }
}

impl Shared {
    /// Waits as long as the file is copied, for a second at most, and once for each copy that takes longer.
    fn wait_for_copy(&self) {
        let begin = Instant::now();
        let mut is_copied = is_being_copied(&*self.inner);
        while is_copied
            && !self.is_copy_slow.load(Ordering::Relaxed)
            && begin.elapsed() < LONGEST_WAIT_FOR_COPY
        {
            std::thread::sleep(Duration::from_micros(500));
            is_copied = is_being_copied(&*self.inner);
        }
        self.is_copy_slow.store(is_copied, Ordering::Relaxed);
    }

    fn before(&self, op: StorageOp) -> io::Result<()> {
        // redb writes when it is closed, too.
        self.opened_by.check()?;
        self.hook.as_ref().map_or(Ok(()), |hook| hook(op))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.before(StorageOp::Write)?;
        self.inner.write(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.before(StorageOp::SetLen)?;
        self.inner.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.before(StorageOp::Sync)?;
        self.inner.sync_data()
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").finish_non_exhaustive()
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.held.read().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => Ok(held.len),
            None => self.0.inner.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset == 0 {
            self.mend()?;
        }
        match &*self.0.held.read().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.read(&*self.0.inner, offset, out),
            None => self.0.inner.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let held = self.keep(|held| {
            held.len = len;
            held.base_len = held.base_len.min(len);
            held.steps.push(Step::SetLen(len));
        });
        if held { Ok(()) } else { self.0.set_len(len) }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.keep(|held| held.steps.push(Step::Sync)) { Ok(()) } else { self.0.sync() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset < HEADER_BYTES as u64 {
            let mut header = self.0.header.lock().unwrap_or_else(PoisonError::into_inner);
            overlay(0, &mut header, offset, data);
        }
        let mut is_full = false;
        let held = self.keep(|held| {
            held.write(offset, data);
            is_full = held.bytes > held.limit;
        });
        match (held, is_full) {
            (false, _) => self.0.write(offset, data),
            (true, true) => self.release(),
            (true, false) => Ok(()),
        }
    }

    fn close(&self) -> io::Result<()> {
        if self.0.opened_by.check().is_err() {
            return Ok(());
        }
        self.0.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.0.is_read_only {
            return self.0.inner.try_lock_shared_range(start, end);
        }
        self.0.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.0.is_read_only {
            return self.0.inner.lock_shared_range(start, end);
        }
        self.0.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// A storage that shows what reached it.
    #[derive(Debug, Clone)]
    struct Visible(Arc<InMemoryBackend>);

    impl StorageBackend for Visible {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    fn content(backend: &dyn StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(backend.len().unwrap()).unwrap()];
        backend.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn held_writes_are_seen_through_the_backend_only_until_they_are_released() {
        let below = Visible(Arc::new(InMemoryBackend::new()));
        below.set_len(8).unwrap();
        below.write(0, b"abcdefgh").unwrap();

        let backend = Backend::held(below.clone(), None, None).unwrap();
        backend.write(1, b"XY").unwrap();
        backend.set_len(4).unwrap();
        backend.set_len(10).unwrap();
        backend.write(9, b"Z").unwrap();
        backend.sync_data().unwrap();
        assert_eq!(content(&backend), b"aXYd\0\0\0\0\0Z");
        assert_eq!(content(&below), b"abcdefgh");

        let mut middle = [0; 3];
        backend.read(2, &mut middle).unwrap();
        assert_eq!(&middle, b"Yd\0");
        assert!(backend.read(8, &mut middle).is_err(), "a read beyond the end");

        backend.release().unwrap();
        assert_eq!(content(&below), b"aXYd\0\0\0\0\0Z");
        backend.write(0, b"!").unwrap();
        assert_eq!(content(&below), b"!XYd\0\0\0\0\0Z");
    }

    #[test]
    fn nothing_that_is_written_read_only_reaches_the_storage() {
        let below = Visible(Arc::new(InMemoryBackend::new()));
        below.set_len(4).unwrap();
        below.write(0, b"abcd").unwrap();

        let hook: StorageHook = Arc::new(|op| panic!("{op:?}"));
        let backend = Backend::read_only(below.clone(), Some(hook)).unwrap();
        let many = vec![b'Z'; usize::try_from(MAX_BYTES_OF_MARKS).unwrap() + 1];
        backend.write(2, &many).unwrap();
        backend.sync_data().unwrap();
        assert_eq!(content(&backend)[..3], *b"abZ");
        assert!(backend.release().is_err());
        assert_eq!(content(&backend).len(), many.len() + 2);
        assert_eq!(content(&below), b"abcd");
    }

    fn of_another_process(backend: Backend) -> Backend {
        let Ok(mut shared) = Arc::try_unwrap(backend.0) else { panic!("it is shared") };
        shared.opened_by = OpenedBy::another_process();
        Backend(Arc::new(shared))
    }

    #[test]
    fn a_forked_process_neither_writes_nor_closes() {
        let below = Visible(Arc::new(InMemoryBackend::new()));
        below.set_len(4).unwrap();
        below.write(0, b"abcd").unwrap();
        let backend = of_another_process(Backend::direct(below.clone(), None));
        assert!(backend.write(0, b"Z").is_err());
        assert!(backend.set_len(2).is_err());
        assert!(backend.sync_data().is_err());
        assert_eq!(content(&below), b"abcd");

        let backend = of_another_process(Backend::held(below.clone(), None, None).unwrap());
        backend.write(0, b"Z").unwrap();
        assert!(backend.release().is_err());
        assert_eq!(content(&below), b"abcd");
    }

    #[test]
    fn a_release_that_fails_can_be_tried_again() {
        let below = Visible(Arc::new(InMemoryBackend::new()));
        below.set_len(4).unwrap();
        let full = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let disk_full = full.clone();
        let hook: StorageHook = Arc::new(move |op| {
            let refuse =
                op == StorageOp::Sync && disk_full.load(std::sync::atomic::Ordering::Relaxed);
            if refuse { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        let backend = Backend::held(below.clone(), Some(hook), None).unwrap();
        backend.write(0, b"1234").unwrap();
        backend.sync_data().unwrap();

        assert!(backend.release().is_err());
        assert_eq!(content(&backend), b"1234");
        full.store(false, std::sync::atomic::Ordering::Relaxed);
        backend.release().unwrap();
        assert_eq!(content(&below), b"1234");
    }
}

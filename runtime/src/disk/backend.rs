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
//!
//! redb does not learn of a write that the disk refuses, either: after an error it would end all that is being
//! read. That write and all after it are held back, [`refusal`](Backend::refusal) tells of it, and the file is opened
//! again by a [successor](Backend::successor). Readers of before go on: a successor has them keep what it writes over.

mod held;
mod mending;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use redb::{BackendError, StorageBackend};

use self::held::{Held, Step, overlay};
use self::mending::Mending;
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
    inner: Arc<Inner>,
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
    /// Whether the storage refused a write, or a successor has taken its place. Nothing is let through then.
    is_over: AtomicBool,
    refusal: Mutex<Option<io::Error>>,
    /// Those before, of which something may still be read.
    predecessors: Vec<Weak<Shared>>,
}

/// The storage. It is locked until the last one that shares it is gone.
struct Inner {
    storage: Box<dyn StorageBackend>,
    opened_by: OpenedBy,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.opened_by.check().is_ok() {
            // Nothing is left to be done about an error.
            let _ = self.storage.close();
        }
    }
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
        let opened_by = OpenedBy::this_process();
        let inner = Arc::new(Inner { storage: Box::new(inner), opened_by });
        Self(Arc::new(Shared {
            inner,
            held: RwLock::new(held),
            hook,
            is_read_only,
            opened_by,
            is_copy_slow: AtomicBool::new(false),
            header: Mutex::default(),
            mending: Mending::default(),
            is_over: AtomicBool::new(false),
            refusal: Mutex::default(),
            predecessors: Vec::new(),
        }))
    }

    /// A backend whose writes are held back until [`release`](Self::release).
    pub(super) fn held(inner: impl StorageBackend, hook: Option<StorageHook>) -> io::Result<Self> {
        let held = Held::over(inner.len()?, MAX_BYTES_OF_MARKS);
        Ok(Self::over(inner, hook, Some(held), false))
    }

    /// A backend of the same storage, whose writes are held back until [`release`](Self::release). From now on this
    /// one writes nothing, and what is read through it stays.
    ///
    /// With a `header` it shows that in place of the beginning of the storage: a commit that failed
    /// in its very last step is undone by the header from before it, since redb does not write over
    /// what that one refers to.
    pub(super) fn successor(&self, header: Option<Vec<u8>>) -> io::Result<Self> {
        let before = &self.0;
        let len = before.inner.storage.len()?;
        before.is_over.store(true, Ordering::Release);
        {
            let mut held = before.held.write().unwrap_or_else(PoisonError::into_inner);
            held.get_or_insert_with(|| Held::over(len, u64::MAX)).limit = u64::MAX;
        }
        let limit = if before.is_read_only { u64::MAX } else { MAX_BYTES_OF_MARKS };
        let mut held = Held::over(len, limit);
        if let Some(header) = header {
            held.write(0, &header);
            held.steps.push(Step::Sync);
        }
        let readable = before.predecessors.iter().filter(|before| before.strong_count() > 0);
        Ok(Self(Arc::new(Shared {
            inner: before.inner.clone(),
            held: RwLock::new(Some(held)),
            hook: before.hook.clone(),
            is_read_only: before.is_read_only,
            opened_by: before.opened_by,
            is_copy_slow: AtomicBool::new(false),
            header: Mutex::default(),
            mending: Mending::default(),
            is_over: AtomicBool::new(false),
            refusal: Mutex::default(),
            predecessors: readable.cloned().chain([Arc::downgrade(before)]).collect(),
        })))
    }

    /// The error of the storage that redb was not told of.
    pub(super) fn refusal(&self) -> Option<io::Error> {
        if !self.0.is_over.load(Ordering::Acquire) {
            return None;
        }
        self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the storage refused a write.
    pub(super) fn has_refused(&self) -> bool {
        self.0.is_over.load(Ordering::Acquire)
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
            None => {
                let len = self.0.inner.storage.len()?;
                *held = Some(Held { header, ..Held::over(len, u64::MAX) });
            }
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
        if self.0.is_over.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write was refused"));
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

    fn is_successor(&self) -> bool {
        !self.0.predecessors.is_empty()
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
        let mut is_copied = is_being_copied(&*self.inner.storage);
        while is_copied
            && !self.is_copy_slow.load(Ordering::Relaxed)
            && begin.elapsed() < LONGEST_WAIT_FOR_COPY
        {
            std::thread::sleep(Duration::from_micros(500));
            is_copied = is_being_copied(&*self.inner.storage);
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
        self.keep_for_readers(offset, data.len() as u64)?;
        self.inner.storage.write(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.before(StorageOp::SetLen)?;
        self.keep_for_readers(len, u64::MAX)?;
        self.inner.storage.set_len(len)
    }

    /// Has predecessors of which something may still be read keep a part of the storage.
    fn keep_for_readers(&self, offset: u64, len: u64) -> io::Result<()> {
        for before in self.predecessors.iter().filter_map(Weak::upgrade) {
            let mut held = before.held.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = &mut *held {
                held.keep(&*self.inner.storage, offset, len)?;
            }
        }
        Ok(())
    }

    /// Holds a step back that the storage refused, and all after it.
    fn refuse(&self, error: io::Error, step: impl FnOnce(&mut Held)) -> io::Result<()> {
        let len = self.inner.storage.len()?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_or_insert_with(|| Held::over(len, u64::MAX));
        held.limit = u64::MAX;
        step(held);
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.is_over.store(true, Ordering::Release);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.before(StorageOp::Sync)?;
        self.inner.storage.sync_data()
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
            None => self.0.inner.storage.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset == 0 {
            self.mend()?;
        }
        match &*self.0.held.read().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.read(&*self.0.inner.storage, offset, out),
            None => self.0.inner.storage.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.keep(|held| held.set_len(len)) {
            return Ok(());
        }
        self.0.set_len(len).or_else(|error| self.0.refuse(error, |held| held.set_len(len)))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.keep(|held| held.steps.push(Step::Sync)) {
            return Ok(());
        }
        self.0.sync().or_else(|error| self.0.refuse(error, |held| held.steps.push(Step::Sync)))
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
            (true, false) => Ok(()),
            (true, true) => self.release().or_else(|error| self.0.refuse(error, |_| ())),
            (false, _) => {
                let written = self.0.write(offset, data);
                written.or_else(|error| self.0.refuse(error, |held| held.write(offset, data)))
            }
        }
    }

    /// The storage is closed by the last one that shares it.
    fn close(&self) -> io::Result<()> {
        Ok(())
    }

    // A successor has the locks of its predecessor, and they last as long as the storage is shared.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.is_successor() {
            return Ok(true);
        }
        if self.0.is_read_only {
            return self.0.inner.storage.try_lock_shared_range(start, end);
        }
        self.0.inner.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        if self.is_successor() {
            return Ok(true);
        }
        self.0.inner.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.is_successor() {
            return Ok(());
        }
        if self.0.is_read_only {
            return self.0.inner.storage.lock_shared_range(start, end);
        }
        self.0.inner.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.is_successor() {
            return Ok(());
        }
        self.0.inner.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.is_successor() || self.0.is_over.load(Ordering::Acquire) {
            return Ok(());
        }
        self.0.inner.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.storage.query_lock_range(start, end)
    }
}

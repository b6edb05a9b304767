//! The state that all handles of one open store share, and its work in the background.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Store;
use super::read::typed_row;
use super::references::RefersWithin;
use crate::disk::View;
use crate::engine::{Engine, NewRows, Progress, WriteBatch};
use crate::error::{Error, Result};
use crate::row::{Group, Key, Row};
use crate::schema::descriptor::{GroupIdx, TableIdx};

/// How long a commit that does not wait for the disk may stay in memory only.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// An open store; clones are the same one. The store closes when the last is dropped.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    background: Mutex<Option<Background>>,
    scheduled: Arc<AtomicBool>,
    /// Live results, by table.
    live: Mutex<BTreeMap<TableIdx, Arc<dyn Any + Send + Sync>>>,
    /// The threads that wait for changes, to be told when none can come.
    waiting: Mutex<Vec<Weak<dyn Close>>>,
}

/// A waiter for changes.
pub(crate) trait Close: Send + Sync {
    /// No change will come any more.
    fn close(&self);
}

/// An open store that it does not keep open.
#[derive(Clone)]
pub(super) struct WeakHandle(Weak<Shared>);

impl WeakHandle {
    pub(super) fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}

struct Background {
    jobs: Sender<()>,
    thread: JoinHandle<()>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("store", &self.0.engine.def.name).finish_non_exhaustive()
    }
}

impl Handle {
    pub(crate) fn new(engine: Engine) -> Self {
        Self(Arc::new(Shared {
            engine: Arc::new(engine),
            background: Mutex::new(None),
            scheduled: Arc::default(),
            live: Mutex::default(),
            waiting: Mutex::default(),
        }))
    }

    pub(super) fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// Returns the live state of a table, made at first use and kept as long as the store is open.
    pub(super) fn live<T: Send + Sync + 'static>(
        &self,
        table_idx: TableIdx,
        make: impl FnOnce() -> Arc<T>,
    ) -> Option<Arc<T>> {
        let mut live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = live.entry(table_idx).or_insert_with(|| make());
        kept.clone().downcast().ok()
    }

    /// A waiter that is told when the store closes.
    pub(super) fn closes(&self, who: Weak<dyn Close>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == waiting.capacity() {
            waiting.retain(|who| who.strong_count() > 0);
        }
        waiting.push(who);
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// How many rows, and how many index entries, queries have read: for tests.
    #[doc(hidden)]
    pub fn touched(&self) -> (u64, u64) {
        self.engine().read_counts.read()
    }

    /// Whether both are handles of the same open store.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// [`Engine::transaction`], and then whatever upkeep it made necessary.
    pub(crate) fn transaction<T>(
        &self,
        work: impl FnOnce(&Arc<View>, &mut WriteBatch) -> Result<T>,
    ) -> Result<T> {
        let outcome = self.engine().transaction(work);
        self.maintain();
        outcome.map_err(|error| self.placed(error))
    }

    /// [`Engine::insert_rows`], and then whatever upkeep it made necessary.
    pub(super) fn insert_rows(&self, table_idx: TableIdx, rows: impl NewRows) -> Result<usize> {
        let outcome = self.engine().insert_rows(table_idx, rows);
        self.maintain();
        outcome.map_err(|error| self.placed(error))
    }

    /// The committed row under a key.
    pub(super) fn get_row<R: Row>(&self, table_idx: TableIdx, key: &R::Key) -> Result<Option<R>> {
        let row = self.engine().with_view(|view| {
            let stored = view.row(table_idx, key.to_bytes().as_slice())?;
            stored.map(|stored| typed_row(key, &stored)).transpose()
        });
        row.map_err(|error| self.placed(error.at_table(R::TABLE)))
    }

    pub(crate) fn placed(&self, error: Error) -> Error {
        self.engine().placed(error)
    }

    pub(crate) fn maintain(&self) {
        if self.engine().needs_maintenance() && !self.0.scheduled.swap(true, Ordering::AcqRel) {
            self.start();
        }
    }

    fn start(&self) {
        let mut background = self.0.background.lock().unwrap_or_else(PoisonError::into_inner);
        if background.is_none() {
            let (jobs, queue) = channel();
            let (engine, scheduled) = (self.engine().clone(), self.0.scheduled.clone());
            let thread = thread::Builder::new()
                .name("heirloom".to_owned())
                .spawn(move || work_through(&queue, &engine, &scheduled));
            // Without a thread, upkeep waits for a time when there is one.
            *background = thread.ok().map(|thread| Background { jobs, thread });
        }
        if let Some(background) = &*background {
            // The thread lives as long as its queue.
            let _ = background.jobs.send(());
        }
    }
}

fn work_through(queue: &Receiver<()>, engine: &Engine, scheduled: &AtomicBool) {
    while let Ok(()) = queue.recv() {
        // Commits of the meantime are flushed together; closing the store ends the wait.
        let delayed = engine.unflushed.load(Ordering::Acquire);
        if delayed && queue.recv_timeout(FLUSH_AFTER) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        scheduled.store(false, Ordering::Release);
        let done =
            engine.flush().and_then(|()| engine.build_indexes()).and_then(|()| engine.flush());
        if let Err(error) = done.and_then(|()| shed_history(engine)) {
            engine.settings.report(Progress::Problem { what: error.to_string() });
        }
    }
}

/// Rebuilds a document that has outgrown its limit. After an error it is left as it is until the store is
/// opened again.
fn shed_history(engine: &Engine) -> Result<()> {
    if engine.closing.load(Ordering::Acquire) || !engine.is_outgrown.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    let shed = crate::epoch::shed_history(engine);
    engine.hub.deliver();
    shed
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.engine.closing.store(true, Ordering::Release);
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        waiting.drain(..).filter_map(|who| who.upgrade()).for_each(|who| who.close());
        let background = self.background.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Background { jobs, thread }) = background {
            drop(jobs);
            // The file is free for others once this returns, so that the thread must be gone; it
            // cannot wait for itself, though.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
        if let Err(error) = self.engine.flush() {
            self.engine.settings.report(Progress::Problem { what: error.to_string() });
        }
    }
}

/// The type of a field of a store: [`Table`](crate::Table) or [`Kv`](crate::Kv).
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of a store is a `Table<Row>` or a `Kv<Group>`, not `{Self}`",
    label = "neither a table nor a kv group"
)]
pub trait Attach: Sized {
    /// The index of the table or group in its store.
    type Idx;

    /// Returns the field of an open store.
    fn attach(handle: &Handle, idx: Self::Idx) -> Self;

    /// Returns the open store.
    fn handle(&self) -> &Handle;
}

/// A row type that has a table in store `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no table in the store `{S}`",
    label = "not a table of `{S}`",
    note = "add a field `Table<{Self}>` to `{S}`, or use a row type that has one"
)]
pub trait TableOf<S: Store>: RefersWithin<S> {
    /// The index of its table in the store.
    #[doc(hidden)]
    const TABLE_IDX: TableIdx;
}

/// A kv group of store `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kv group of the store `{S}`",
    label = "not a group of `{S}`",
    note = "add a field `Kv<{Self}>` to `{S}`, or use a group that it has"
)]
pub trait GroupOf<S: Store>: Group {
    /// The index of the group in the store.
    #[doc(hidden)]
    const GROUP_IDX: GroupIdx;
}

//! [`WatchValue`]: a value computed from the store, followed as it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::handle::{Close, Handle, WeakHandle};
use super::snapshot::{Reads, Snapshot};
use super::trait_store::Store;
use crate::engine::{Subscription, Topic};
use crate::error::{Error, ErrorKind, Result};

type Compute<S, T> = Box<dyn FnMut(&Snapshot<S>) -> Result<T> + Send>;

/// A value that a closure reads from the store, followed as it changes.
///
/// Made by [`Store::watch`](crate::Store::watch). The closure runs in the thread that asks for the
/// next value, on a snapshot, so it may take its time. The tables and groups that it reads are
/// recorded anew each time; only changes of these make a new value. However many commits there
/// were, the next value is that of the newest. Dropping it ends it.
///
/// It does not keep the store open; when the last handle of the store is dropped, it gives
/// [`Closed`](ErrorKind::Closed).
pub struct WatchValue<S, T> {
    store: WeakHandle,
    compute: Compute<S, T>,
    arrivals: Arc<Arrivals>,
    subscriptions: BTreeMap<Topic, Subscription>,
}

/// Whether there is something new.
#[derive(Default)]
struct Arrivals {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    is_new: bool,
    is_closed: bool,
}

impl Arrivals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(&self) {
        self.state().is_new = true;
        self.arrived.notify_all();
    }
}

impl Close for Arrivals {
    fn close(&self) {
        self.state().is_closed = true;
        self.arrived.notify_all();
    }
}

/// If the closure panics, its value is still to come: the next call computes it again.
struct Unfinished<'n>(&'n Arrivals);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.arrive();
        }
    }
}

impl<S, T> fmt::Debug for WatchValue<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchValue").finish_non_exhaustive()
    }
}

impl<S: Store, T> WatchValue<S, T> {
    pub(super) fn new(handle: &Handle, compute: Compute<S, T>) -> Self {
        let arrivals = Arc::new(Arrivals::default());
        // The first value is there to be computed.
        arrivals.arrive();
        let weak: Weak<Arrivals> = Arc::downgrade(&arrivals);
        handle.closes(weak);
        Self { store: handle.downgrade(), compute, arrivals, subscriptions: BTreeMap::new() }
    }

    /// Returns the value now; after the first time, waits until something that it was computed from
    /// changes.
    ///
    /// # Errors
    ///
    /// The error that the closure returns; [`Closed`](ErrorKind::Closed) once the store is closed.
    pub fn recv(&mut self) -> Result<T> {
        self.wait(None)?;
        self.next()
    }

    /// Returns the new value if something that it was computed from has changed, without waiting.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Option<T>> {
        self.recv_timeout(Duration::ZERO)
    }

    /// Waits for a change no longer than `timeout`, and returns the new value; `None` if there was
    /// none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<T>> {
        match self.wait(Instant::now().checked_add(timeout))? {
            true => self.next().map(Some),
            false => Ok(None),
        }
    }

    /// Waits for news; tells whether there are any.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let mut state = self.arrivals.state();
        loop {
            if state.is_closed {
                return Err(closed());
            }
            if std::mem::take(&mut state.is_new) {
                return Ok(true);
            }
            state = match deadline {
                None => self.arrivals.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    let waited = self.arrivals.arrived.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn next(&mut self) -> Result<T> {
        let handle = self.store.upgrade().ok_or_else(closed)?;
        let reads = Arc::new(Reads::default());
        let mut snapshot = Snapshot::new(&handle);
        snapshot.reads = Some(reads.clone());
        let unfinished = Unfinished(&self.arrivals);
        let value = (self.compute)(&snapshot);
        drop(unfinished);
        let reads = std::mem::take(&mut *reads.0.lock().unwrap_or_else(PoisonError::into_inner));
        let follows_more = self.follow(&handle, reads);
        // A change from before it was followed would go unnoticed.
        if follows_more && handle.engine().view().stamp != snapshot.view.stamp {
            self.arrivals.arrive();
        }
        value
    }

    /// Follows these topics and no others; tells whether there are new ones among them.
    fn follow(&mut self, handle: &Handle, topics: BTreeSet<Topic>) -> bool {
        self.subscriptions.retain(|topic, _| topics.contains(topic));
        let before = self.subscriptions.len();
        for topic in topics {
            self.subscriptions.entry(topic).or_insert_with(|| {
                let arrivals = Arc::downgrade(&self.arrivals);
                let callback = move |_, _: &[crate::engine::Change]| {
                    if let Some(arrivals) = arrivals.upgrade() {
                        arrivals.arrive();
                    }
                };
                handle.engine().hub.subscribe(topic, Box::new(callback))
            });
        }
        self.subscriptions.len() > before
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was closed").help("no more changes will come")
}

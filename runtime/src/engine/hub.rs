//! Notifying observers of what was committed: in order, outside all locks, once a transaction.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::disk::View;
use crate::schema::descriptor::{GroupIdx, TableIdx};

/// The origin of a change: this copy, or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A write of this copy of the store.
    Local,
    /// Changes of another device, merged by `apply`.
    Remote,
}

/// The kind of a change of a row or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new.
    Inserted,
    /// It was there before.
    Updated,
    /// It is gone.
    Removed,
}

impl ChangeKind {
    pub(crate) fn of(existed: bool, exists: bool) -> Self {
        match (existed, exists) {
            (false, _) => Self::Inserted,
            (true, true) => Self::Updated,
            (true, false) => Self::Removed,
        }
    }
}

/// The subject that an observer listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Table(TableIdx),
    Group(GroupIdx),
    /// Versions of the schema that came after the running code.
    Schema,
    /// Edits that lost against those of other devices.
    LostEdits,
}

/// One changed row or entry: its key text, and the JSON it has now.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) kind: ChangeKind,
    /// Kept for entries only, whose observers are given the value.
    pub(crate) json: Option<String>,
}

/// One committed transaction, as far as it is observed.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) origin: Origin,
    pub(crate) changes: BTreeMap<Topic, Vec<Change>>,
    views: Views,
    /// Observers with a later id are not notified.
    before: u64,
}

/// The views before and after a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Views {
    pub(crate) before: Arc<View>,
    pub(crate) after: Arc<View>,
}

/// The function of an observer.
pub(crate) type Callback = Box<dyn FnMut(Origin, &[Change]) + Send>;

/// The function of an observer that reads the views before and after the transaction.
pub(crate) type ViewCallback = Box<dyn FnMut(Origin, &[Change], &Views) + Send>;

/// An observer that keeps the view of the last commit that it was told of.
pub(crate) trait KeepsView: Send + Sync {
    /// Lets go of it, while the file is compacted.
    fn release_view(&self);

    /// Takes a view of the same content.
    fn keep_view(&self, view: &Arc<View>);
}

struct Observer {
    topic: Topic,
    live: AtomicBool,
    // Deliveries are one at a time, so that this lock is never waited for.
    callback: Mutex<ViewCallback>,
}

#[derive(Default)]
struct State {
    next_id: u64,
    observers: BTreeMap<u64, Arc<Observer>>,
    queue: VecDeque<Event>,
    /// The events that may still be undone, if those are not to be delivered.
    held: Option<Vec<Event>>,
    delivering: bool,
    keepers: Vec<Weak<dyn KeepsView>>,
    /// Those that have let go of their views.
    released: Vec<Weak<dyn KeepsView>>,
}

/// The observers of an open store.
#[derive(Default)]
pub(crate) struct Hub(Mutex<State>);

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(
        self: &Arc<Self>,
        topic: Topic,
        mut callback: Callback,
    ) -> Subscription {
        let callback = move |origin, changes: &[Change], _: &Views| callback(origin, changes);
        self.subscribe_to_views(topic, Box::new(callback))
    }

    pub(crate) fn subscribe_to_views(
        self: &Arc<Self>,
        topic: Topic,
        callback: ViewCallback,
    ) -> Subscription {
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        let callback = Mutex::new(callback);
        state.observers.insert(id, Arc::new(Observer { topic, live: true.into(), callback }));
        Subscription { hub: self.clone(), id }
    }

    /// Whether anything listens, so that changes are collected.
    pub(crate) fn listens(&self, topic: Topic) -> bool {
        self.state().observers.values().any(|observer| observer.topic == topic)
    }

    /// Adds an observer that keeps a view, as long as it lives.
    pub(crate) fn add_keeper(&self, keeper: Weak<dyn KeepsView>) {
        let mut state = self.state();
        state.keepers.retain(|keeper| keeper.strong_count() > 0);
        state.keepers.push(keeper);
    }

    /// Has all let go of their views, unless some are still to be told of commits: the view from before
    /// a commit is then needed. Called while no commit can come in between.
    pub(crate) fn release_views(&self) {
        let mut state = self.state();
        if state.queue.is_empty() && !state.delivering {
            let keepers = state.keepers.clone();
            state.released.clone_from(&keepers);
            drop(state);
            keepers.iter().filter_map(Weak::upgrade).for_each(|keeper| keeper.release_view());
        }
    }

    /// Gives a view of the same content to those that have let go of theirs.
    pub(crate) fn keep_view(&self, view: &Arc<View>) {
        let released = std::mem::take(&mut self.state().released);
        released.iter().filter_map(Weak::upgrade).for_each(|keeper| keeper.keep_view(view));
    }

    /// Queues what was committed; called while no other commit can come in between.
    pub(crate) fn push(
        &self,
        origin: Origin,
        changes: BTreeMap<Topic, Vec<Change>>,
        before: &Arc<View>,
        after: impl FnOnce() -> Arc<View>,
    ) {
        if !changes.is_empty() {
            let views = Views { before: before.clone(), after: after() };
            let mut state = self.state();
            let before = state.next_id;
            let event = Event { origin, changes, views, before };
            match &mut state.held {
                Some(held) => held.push(event),
                None => state.queue.push_back(event),
            }
        }
    }

    /// Holds back what is queued from now on, until [`release`](Self::release) or [`forget`](Self::forget).
    pub(crate) fn hold(&self) {
        self.state().held.get_or_insert_default();
    }

    /// Has what was held back so far delivered with the rest: it cannot be undone any more.
    pub(crate) fn keep_held(&self) {
        let mut state = self.state();
        if let Some(held) = state.held.as_mut().map(std::mem::take) {
            state.queue.extend(held);
        }
    }

    /// [`keep_held`](Self::keep_held), and holds back nothing from now on.
    pub(crate) fn release(&self) {
        self.keep_held();
        self.state().held = None;
    }

    /// Drops what was held back, since it was undone, and holds back nothing from now on.
    pub(crate) fn forget(&self) {
        self.state().held = None;
    }

    /// Delivers what is queued. While one thread does, the others leave it to that one; so a
    /// callback that writes is told of its own write after it has returned.
    pub(crate) fn deliver(&self) {
        if std::mem::replace(&mut self.state().delivering, true) {
            return;
        }
        while let Some((event, observers)) = self.next() {
            for observer in observers {
                let Some(changes) = event.changes.get(&observer.topic) else { continue };
                if !observer.live.load(Ordering::Acquire) {
                    continue;
                }
                let mut callback = observer.callback.lock().unwrap_or_else(PoisonError::into_inner);
                // A panic is that callback's own affair: it has been printed by the panic hook,
                // and the others still want to know.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    callback(event.origin, changes, &event.views)
                }));
            }
        }
    }

    /// The next event with those to tell; ends the delivery if there is none.
    fn next(&self) -> Option<(Event, Vec<Arc<Observer>>)> {
        let mut state = self.state();
        let Some(event) = state.queue.pop_front() else {
            state.delivering = false;
            return None;
        };
        let to_tell = state.observers.range(..event.before).map(|(_, observer)| observer.clone());
        let to_tell = to_tell.collect();
        Some((event, to_tell))
    }
}

/// The handle of an observer; dropping it ends the calls.
///
/// It does not keep the store open.
#[must_use = "dropping the subscription ends it at once"]
pub struct Subscription {
    hub: Arc<Hub>,
    id: u64,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let removed = self.hub.state().observers.remove(&self.id);
        if let Some(observer) = removed {
            observer.live.store(false, Ordering::Release);
        }
    }
}

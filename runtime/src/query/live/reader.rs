//! One who follows a live result: what it has not been given yet.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

use super::delta::{Changes, Delta};
use super::list::Item;
use super::result::LiveResult;
use crate::error::Error;

/// How many deltas wait for a reader before they become one.
const MAX_WAITING: usize = 64;

/// One who follows a live result.
pub(crate) struct Reader<R> {
    queue: Mutex<Queue<R>>,
    arrived: Condvar,
}

struct Queue<R> {
    deltas: VecDeque<Delta<R>>,
    /// The list as the reader has it, once more deltas would have waited than are kept.
    behind: Option<Vec<Arc<Item<R>>>>,
    end: Option<End>,
    waker: Option<Waker>,
}

/// Why nothing more comes, once everything was given.
#[derive(Debug, Clone)]
pub(super) enum End {
    Closed,
    /// The result could not be kept up to date; said once.
    Failed(Arc<Error>),
}

/// The next event of a reader.
pub(crate) enum Next<R> {
    Delta(Delta<R>),
    Nothing,
    Failed(Arc<Error>),
    Closed,
}

impl<R> Reader<R> {
    pub(super) fn new(first: Delta<R>) -> Self {
        let deltas = VecDeque::from([first]);
        let queue = Queue { deltas, behind: None, end: None, waker: None };
        Self { queue: Mutex::new(queue), arrived: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a delta; `after` is the list with it. Gives the wakers to call.
    pub(super) fn push(
        &self,
        delta: &Delta<R>,
        after: impl FnOnce() -> Vec<Arc<Item<R>>>,
    ) -> Option<Waker> {
        let mut queue = self.queue();
        if queue.behind.is_none() {
            queue.deltas.push_back(delta.clone());
            if queue.deltas.len() > MAX_WAITING {
                let mut list = after();
                for delta in std::mem::take(&mut queue.deltas).iter().rev() {
                    delta.changes().undo(&mut list);
                }
                queue.behind = Some(list);
            }
        }
        self.arrived.notify_one();
        queue.waker.take()
    }

    /// Nothing more will come. Gives the wakers to call.
    pub(super) fn end(&self, end: End) -> Option<Waker> {
        let mut queue = self.queue();
        if matches!(end, End::Failed(_)) {
            // The later changes of the list cannot be told any more.
            queue.behind = None;
        }
        queue.end.get_or_insert(end);
        self.arrived.notify_all();
        queue.waker.take()
    }

    /// Returns the next event without waiting; if there is none yet, `waker` is woken by the next
    /// one.
    pub(crate) fn poll(&self, result: &LiveResult<R>, waker: Option<&Waker>) -> Next<R> {
        let mut queue = self.queue();
        loop {
            if let Some(delta) = queue.deltas.pop_front() {
                return Next::Delta(delta);
            }
            if queue.behind.is_none() {
                match &queue.end {
                    Some(End::Failed(why)) => {
                        let why = why.clone();
                        queue.end = Some(End::Closed);
                        return Next::Failed(why);
                    }
                    Some(End::Closed) => return Next::Closed,
                    None => {}
                }
                if let Some(waker) = waker {
                    queue.waker = Some(waker.clone());
                }
                return Next::Nothing;
            }
            // The result is locked before the queue, as where deltas come from.
            drop(queue);
            let current = result.visible();
            queue = self.queue();
            if let Some(list) = queue.behind.take() {
                let changes = Changes::between(&list, &current.list(), result.same);
                if !changes.is_empty() {
                    return Next::Delta(Delta::new(changes));
                }
            }
        }
    }

    /// Waits until something comes, or until the deadline.
    pub(crate) fn wait(&self, result: &LiveResult<R>, deadline: Option<Instant>) -> Next<R> {
        loop {
            match self.poll(result, None) {
                Next::Nothing => {}
                next => return next,
            }
            let queue = self.queue();
            if !queue.deltas.is_empty() || queue.behind.is_some() || queue.end.is_some() {
                continue;
            }
            match deadline {
                None => drop(self.arrived.wait(queue)),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Next::Nothing;
                    }
                    drop(self.arrived.wait_timeout(queue, left));
                }
            }
        }
    }
}

/// Readers that are still there.
pub(super) fn living<R>(readers: &mut Vec<Weak<Reader<R>>>) -> Vec<Arc<Reader<R>>> {
    readers.retain(|reader| reader.strong_count() > 0);
    readers.iter().filter_map(Weak::upgrade).collect()
}

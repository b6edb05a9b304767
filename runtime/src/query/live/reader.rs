//! One who follows a live result: what it has not been given yet.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

use super::delta::{Changes, Delta};
use super::list::Item;
use super::result::LiveResult;

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
    is_closed: bool,
    waker: Option<Waker>,
}

/// What a reader is given.
pub(crate) enum Next<R> {
    Delta(Delta<R>),
    Nothing,
    Closed,
}

impl<R> Reader<R> {
    pub(super) fn new(first: Delta<R>) -> Self {
        let deltas = VecDeque::from([first]);
        let queue = Queue { deltas, behind: None, is_closed: false, waker: None };
        Self { queue: Mutex::new(queue), arrived: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a delta; `after` is the list with it. Gives whom to wake.
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

    pub(crate) fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        self.arrived.notify_all();
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What comes next, without waiting; where nothing does, `waker` is told when it does.
    pub(crate) fn poll(&self, result: &LiveResult<R>, waker: Option<&Waker>) -> Next<R> {
        let mut queue = self.queue();
        loop {
            if let Some(delta) = queue.deltas.pop_front() {
                return Next::Delta(delta);
            }
            if queue.behind.is_none() {
                if queue.is_closed {
                    return Next::Closed;
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
            if !queue.deltas.is_empty() || queue.behind.is_some() || queue.is_closed {
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

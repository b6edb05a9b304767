//! [`CurrentView`]: the view that readers see, and which readers still see an earlier one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::disk::View;

/// The view that readers see. It is replaced after every commit, so that reading takes no lock.
pub(super) struct CurrentView {
    /// `None` only while the file is compacted, and then readers wait for `taken`.
    view: ArcSwapOption<View>,
    taken: Mutex<()>,
    /// The views from before that were in use when they were replaced, and when that was.
    older: Mutex<Vec<(Weak<View>, Instant)>>,
}

/// The readers of what was before the last commit. The space of what they see cannot be used anew.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OldReaders {
    pub(crate) count: usize,
    /// How long the oldest has been behind.
    pub(crate) oldest: Option<Duration>,
}

/// How long compacting waits for readers who are about to be done.
const READERS_MAY_TAKE: Duration = Duration::from_millis(200);

impl CurrentView {
    pub(super) fn new(view: View) -> Self {
        let view = ArcSwapOption::from_pointee(view);
        Self { view, taken: Mutex::default(), older: Mutex::default() }
    }

    pub(super) fn get(&self) -> Arc<View> {
        loop {
            if let Some(view) = self.view.load_full() {
                return view;
            }
            drop(self.wait());
        }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        match &*self.view.load() {
            Some(view) => look(view),
            None => look(&self.get()),
        }
    }

    fn wait(&self) -> MutexGuard<'_, ()> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn replace(&self, view: View) {
        let Some(before) = self.view.swap(Some(Arc::new(view))) else { return };
        let mut older = self.older();
        if Arc::strong_count(&before) > 1 {
            older.push((Arc::downgrade(&before), Instant::now()));
        }
        drop(before);
        older.retain(|(view, _)| view.strong_count() > 0);
    }

    fn older(&self) -> MutexGuard<'_, Vec<(Weak<View>, Instant)>> {
        self.older.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn old_readers(&self) -> OldReaders {
        let older = self.older();
        let alive = || older.iter().filter(|(view, _)| view.strong_count() > 0);
        let oldest = alive().map(|(_, replaced)| replaced.elapsed()).max();
        OldReaders { count: alive().count(), oldest }
    }

    /// Does work while no reader has the file, and then shows readers what it gives. Readers who come in
    /// the meantime wait. Without a view from the work, which it gives after an error, they see
    /// `fallback`.
    pub(super) fn without_readers<T>(
        &self,
        fallback: View,
        work: impl FnOnce() -> (T, Option<View>),
    ) -> T {
        let _taken = self.wait();
        let mut put_back = PutBack { to: self, view: Some(fallback) };
        if let Some(view) = self.view.swap(None) {
            let begun = Instant::now();
            let in_use = Arc::downgrade(&view);
            drop(view);
            while in_use.strong_count() > 0 && begun.elapsed() < READERS_MAY_TAKE {
                thread::sleep(Duration::from_millis(1));
            }
            if in_use.strong_count() > 0 {
                self.older().push((in_use, begun));
            }
        }
        let (value, view) = work();
        if view.is_some() {
            put_back.view = view;
        }
        value
    }
}

/// Lets readers go on, whatever becomes of the work.
struct PutBack<'v> {
    to: &'v CurrentView,
    view: Option<View>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.to.view.store(self.view.take().map(Arc::new));
    }
}

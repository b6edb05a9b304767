//! How much memory work takes, counted in a process of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;

mod hostile;
mod writing;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// How much memory is taken at the most beside what was in use before, and what came of the work.
fn peak_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let value = work();
    (HEAP.peak_usage().saturating_sub(before), value)
}

/// Held by each test, since they measure the memory of their process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const MIB: usize = 1 << 20;

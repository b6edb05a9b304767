//! A disk that refuses for a while, or from some moment on until the process is started again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use heirloom::__private::StorageHook;

/// When a disk refuses, counted in storage operations from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub after: u64,
    /// How many operations it refuses; without, the process is killed there.
    pub lasts: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Disk {
    count: AtomicU64,
    from: AtomicU64,
    to: AtomicU64,
}

impl Disk {
    pub fn hook(self: &Arc<Self>) -> StorageHook {
        let disk = self.clone();
        Arc::new(move |_| {
            let now = disk.count.fetch_add(1, SeqCst) + 1;
            let refuses = (disk.from.load(SeqCst)..disk.to.load(SeqCst)).contains(&now);
            if refuses { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    pub fn arm(&self, fault: Fault) {
        let from = self.count.load(SeqCst) + 1 + fault.after;
        self.to.store(fault.lasts.map_or(u64::MAX, |lasts| from + lasts), SeqCst);
        self.from.store(from, SeqCst);
    }

    /// Ends the fault, so that [`disarm`](Self::disarm) still tells whether it was met.
    pub fn disarm_quietly(&self) {
        self.to.store(1, SeqCst);
    }

    /// Ends the fault; tells whether it was met.
    pub fn disarm(&self) -> bool {
        let was_met =
            self.to.swap(0, SeqCst) > 0 && self.count.load(SeqCst) >= self.from.swap(0, SeqCst);
        self.from.store(0, SeqCst);
        was_met
    }
}

//! Rows of a large result, read by several threads at once.

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};
use std::thread;

use super::buffer::RowBuffer;
use super::source::{FETCHED_AT_ONCE, missing_row};
use crate::disk::{Fetched, Keys, View};
use crate::error::{ErrorKind, Result};
use crate::schema::descriptor::TableIdx;

/// From so many rows on a thread of its own pays: to start one takes as long as to read a few dozen.
pub(super) const ROWS_OF_A_THREAD: usize = 1 << 11;

/// How many keys are in memory at most beside the rows.
pub(super) const KEYS_AT_ONCE: usize = 1 << 16;

/// How many threads read one result at most: the app has other work for the rest.
const MAX_THREADS: usize = 4;

/// How many threads may run at once here; asked once, since the system looks it up in files.
fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS))
}

/// Rows to be read by their keys.
pub(super) struct Parts<'k> {
    pub(super) view: &'k Arc<View>,
    pub(super) table_idx: TableIdx,
    pub(super) keys: &'k Keys,
    /// Whether what does not decode is left out.
    pub(super) skips_invalid: bool,
}

impl Parts<'_> {
    /// Adds all rows to the result, in the order of their keys.
    pub(super) fn read_into(&self, buffer: &mut dyn RowBuffer) -> Result<()> {
        self.split(0..self.keys.len(), threads(), buffer)
    }

    /// Leaves half of the keys to another thread, if there is one and they are many.
    fn split(&self, range: Range<usize>, threads: usize, buffer: &mut dyn RowBuffer) -> Result<()> {
        if threads < 2 || range.len() < 2 * ROWS_OF_A_THREAD {
            return self.part(range, buffer);
        }
        let middle = range.start.midpoint(range.end);
        let mut second = buffer.another();
        second.reserve(range.end - middle);
        thread::scope(|scope| {
            let second =
                || self.split(middle..range.end, threads / 2, &mut *second).map(|()| second);
            let started = thread::Builder::new().spawn_scoped(scope, second);
            self.split(range.start..middle, threads - threads / 2, buffer)?;
            match started.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(second)) => buffer.append(second?),
                // A panic of the row's own code goes to the caller, whichever thread ran it.
                Ok(Err(panic)) => resume_unwind(panic),
                // The system has no thread left.
                Err(_) => self.part(middle..range.end, buffer)?,
            }
            Ok(())
        })
    }

    fn part(&self, range: Range<usize>, buffer: &mut dyn RowBuffer) -> Result<()> {
        let mut fetched = Fetched::new(self.view.clone(), self.table_idx);
        for start in range.clone().step_by(FETCHED_AT_ONCE) {
            let these = start..range.end.min(start + FETCHED_AT_ONCE);
            fetched.fill(these.len(), |keys| {
                these.filter_map(|index| self.keys.get(index)).for_each(|key| keys.push(key));
                Ok(())
            });
            while let Some(lookup) = fetched.next() {
                let (key, Some(stored)) = lookup? else { return Err(missing_row()) };
                match buffer.read(key, stored) {
                    Ok(()) => buffer.keep(),
                    Err(error) if !self.skips_invalid || error.kind() == ErrorKind::Corrupt => {
                        return Err(error);
                    }
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }
}

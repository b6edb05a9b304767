//! [`Watch`]: following the result of a query.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::handle::{Close, Handle};
use crate::error::{Error, ErrorKind, Result};
use crate::query::live::Delta;
use crate::query::live::{LiveResult, Next, Reader, TableWatches, lost};
use crate::query::{Read, Spec};
use crate::row::Row;
use crate::schema::descriptor::TableIdx;

/// The result of a query as it changes.
///
/// Made by [`Query::watch`](crate::Query::watch). The first [`Delta`] is the whole result; each one
/// after it is how a commit, of this device or merged from another, changed it. They come in the
/// order of the commits. A slow reader is given several commits as one delta, so that what waits
/// for it does not grow with their number. Dropping the watch ends it.
///
/// A watch does not keep the store open. When the last handle of the store is dropped, the watch
/// gives what is left, and then [`Closed`](ErrorKind::Closed).
///
/// Every delta is exact, or does not come. If the storage fails while the result is brought up to
/// date, the watch gives the deltas from before, then that error, once, and then it has ended. The
/// same holds if code of the row panics, with an error of kind [`Custom`](ErrorKind::Custom). To go
/// on, watch the query again, with an empty list.
pub struct Watch<R> {
    result: Arc<LiveResult<R>>,
    reader: Arc<Reader<R>>,
}

impl<R: Send + Sync + 'static> Close for TableWatches<R> {
    fn close(&self) {
        Self::close(self);
    }
}

impl<R: Row + Send + Sync> Watch<R> {
    pub(super) fn new(
        handle: &Handle,
        table_idx: TableIdx,
        spec: Spec,
        read: Read<R>,
    ) -> Result<Self> {
        let make = || {
            let watches = Arc::new(TableWatches::<R>::new(table_idx));
            let weak: Weak<TableWatches<R>> = Arc::downgrade(&watches);
            handle.closes(weak);
            watches
        };
        let Some(watches) = handle.live(table_idx, make) else {
            // A table has one type of rows.
            return Err(Error::new(ErrorKind::WrongStore, "the table has rows of another type"));
        };
        let result = watches.result(handle.engine(), spec, read)?;
        let reader = result.reader()?;
        Ok(Self { result, reader })
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was closed").help("no more changes will come")
}

impl<R> Watch<R> {
    /// Waits for the next change and returns it.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) once the store is closed and everything was received. If the
    /// storage fails, that error, once, and after it `Closed`.
    pub fn recv(&self) -> Result<Delta<R>> {
        match self.reader.wait(&self.result, None) {
            Next::Delta(delta) => Ok(delta),
            Next::Failed(why) => Err(lost(&why)),
            _ => Err(closed()),
        }
    }

    /// Returns the next change if there is one already, without waiting.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<Delta<R>>> {
        match self.reader.poll(&self.result, None) {
            Next::Delta(delta) => Ok(Some(delta)),
            Next::Nothing => Ok(None),
            Next::Failed(why) => Err(lost(&why)),
            Next::Closed => Err(closed()),
        }
    }

    /// Waits for the next change no longer than `timeout`; `None` if there was none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<Delta<R>>> {
        match self.reader.wait(&self.result, Instant::now().checked_add(timeout)) {
            Next::Delta(delta) => Ok(Some(delta)),
            Next::Nothing => Ok(None),
            Next::Failed(why) => Err(lost(&why)),
            Next::Closed => Err(closed()),
        }
    }

    /// Iterates over the changes, waiting for each; ends when the store is closed, or after an
    /// error.
    pub fn iter(&self) -> Deltas<'_, R> {
        Deltas(self)
    }

    #[cfg(feature = "stream")]
    pub(super) fn poll(
        &self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Delta<R>>>> {
        use std::task::Poll;

        match self.reader.poll(&self.result, Some(context.waker())) {
            Next::Delta(delta) => Poll::Ready(Some(Ok(delta))),
            Next::Failed(why) => Poll::Ready(Some(Err(lost(&why)))),
            Next::Nothing => Poll::Pending,
            Next::Closed => Poll::Ready(None),
        }
    }
}

/// With the feature `stream`, for any executor: the changes as they come, until the store is closed
/// or an error came.
#[cfg(feature = "stream")]
impl<R> futures_core::Stream for Watch<R> {
    type Item = Result<Delta<R>>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Delta<R>>>> {
        self.poll(context)
    }
}

impl<R> fmt::Debug for Watch<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// The changes of a [`Watch`], one after another, each waited for; an error is the last.
pub struct Deltas<'w, R>(&'w Watch<R>);

impl<R> Iterator for Deltas<'_, R> {
    type Item = Result<Delta<R>>;

    fn next(&mut self) -> Option<Result<Delta<R>>> {
        match self.0.reader.wait(&self.0.result, None) {
            Next::Delta(delta) => Some(Ok(delta)),
            Next::Failed(why) => Some(Err(lost(&why))),
            _ => None,
        }
    }
}

impl<R> fmt::Debug for Deltas<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deltas").finish_non_exhaustive()
    }
}

impl<'w, R> IntoIterator for &'w Watch<R> {
    type Item = Result<Delta<R>>;
    type IntoIter = Deltas<'w, R>;

    fn into_iter(self) -> Deltas<'w, R> {
        self.iter()
    }
}

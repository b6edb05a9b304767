//! [`WatchAggregate`]: following what an aggregate makes of rows.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::handle::Close;
use super::query::{Query, read};
use crate::engine::Subscription;
use crate::error::Result;
use crate::query::Columns;
use crate::query::aggregate::{Aggregate, Follow, LiveTally, Make, Tally};
use crate::row::Row;

/// The result of an aggregate over the rows of a query, as commits change it.
///
/// Made by [`Aggregation::watch`](crate::query::Aggregation::watch) and
/// [`Groups::watch`](crate::query::Groups::watch). The first value is what it is now; the next one
/// comes when a commit has changed rows of the query. However many commits there were, the next value
/// is that of the newest; it may equal the one before. Dropping the watch ends it.
///
/// It keeps what the aggregate needs of each group, not the rows: of `min`, `max` and
/// `count_distinct` the different values, of the others a few numbers. If the query has a limit or an
/// offset, its rows are read again for each value.
///
/// It does not keep the store open. If the storage fails while it is brought up to date, or code of
/// the row panics, it gives that error, once, and has ended.
pub struct WatchAggregate<O> {
    follow: Arc<dyn Follow<O>>,
    _subscriptions: Vec<Subscription>,
}

impl<R, K: Columns<R>, G: Aggregate<R>, O> Close for LiveTally<R, K, G, O>
where
    R: Row + Send + Sync,
    O: 'static,
{
    fn close(&self) {
        Follow::close(self);
    }
}

impl<O: 'static> WatchAggregate<O> {
    pub(super) fn new<R: Row + Send + Sync, K: Columns<R>, G: Aggregate<R>>(
        query: &Query<R>,
        tally: Tally<R, K, G>,
        make: Make<R, K, G, O>,
    ) -> Result<Self> {
        query.refuse_referred()?;
        let handle = query.committed();
        let (table_idx, spec) = (query.table_idx, query.spec.clone());
        let started = LiveTally::start(handle.engine(), table_idx, spec, read::<R>(), tally, make);
        let (follow, subscriptions) = query.placed(started)?;
        let weak: Weak<LiveTally<R, K, G, O>> = Arc::downgrade(&follow);
        handle.closes(weak);
        Ok(Self { follow, _subscriptions: subscriptions })
    }
}

impl<O> WatchAggregate<O> {
    /// Returns the value now; after the first time, waits until a commit changes rows of the query.
    ///
    /// # Errors
    ///
    /// The errors of the aggregate, such as a sum that is out of range, after which it goes on;
    /// [`Closed`](crate::ErrorKind::Closed) once the store is closed and everything was received. If
    /// the storage fails, that error, once, and after it `Closed`.
    pub fn recv(&self) -> Result<O> {
        loop {
            if let Some(value) = self.follow.next(None)? {
                return Ok(value);
            }
        }
    }

    /// Returns the next value if there is one already, without waiting.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<O>> {
        self.recv_timeout(Duration::ZERO)
    }

    /// Waits for the next value no longer than `timeout`; `None` if there was none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<O>> {
        self.follow.next(Instant::now().checked_add(timeout))
    }
}

impl<O> fmt::Debug for WatchAggregate<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchAggregate").finish_non_exhaustive()
    }
}

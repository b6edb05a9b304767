//! [`LiveTally`]: a tally that follows commits, from the rows that they change.
//!
//! The view of the commit before is kept, since it has each row as it was before a commit. So
//! memory grows with the groups, not with the rows.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::fold::fold;
use super::functions::{Aggregate, Step};
use super::tally::Tally;
use crate::disk::View;
use crate::engine::{Change, Engine, KeepsView, Subscription, Topic, Views};
use crate::error::{Error, ErrorKind, Result};
use crate::query::buffer::Read;
use crate::query::columns::Columns;
use crate::query::expr::Node;
use crate::query::live::lost;
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::{Key, Row};
use crate::schema::descriptor::TableIdx;

/// The function that makes the result of a tally.
pub(crate) type Make<R, K, G, O> = Box<dyn Fn(&Tally<R, K, G>) -> Result<O> + Send + Sync>;

/// A tally that follows commits.
pub(crate) struct LiveTally<R: Row, K: Columns<R>, G: Aggregate<R>, O> {
    table_idx: TableIdx,
    spec: Spec,
    filter: Option<Node>,
    read: Read<R>,
    make: Make<R, K, G, O>,
    engine: Weak<Engine>,
    state: Mutex<State<R, K, G>>,
    arrived: Condvar,
}

struct State<R: Row, K: Columns<R>, G: Aggregate<R>> {
    tally: Tally<R, K, G>,
    /// The view after the newest commit; `None` while the file is compacted.
    view: Option<Arc<View>>,
    /// The number of that view.
    stamp: u64,
    status: Status,
    /// Whether there is something that was not received yet.
    is_new: bool,
    /// Whether the rows have to be read again, since the query has a limit.
    is_stale: bool,
}

enum Status {
    /// The rows are being read; what commits did in the meantime waits here.
    Starting(Vec<(Vec<String>, Arc<View>)>),
    Live,
    Closed,
    /// It could not be kept up to date; said once.
    Failed(Arc<Error>),
}

/// A value that follows commits, without the types of its rows and groups.
pub(crate) trait Follow<O>: Send + Sync {
    /// The next value; nothing until the deadline, if none came. Without a deadline it waits.
    fn next(&self, deadline: Option<Instant>) -> Result<Option<O>>;

    /// No change will come any more.
    fn close(&self);
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was closed").help("no more changes will come")
}

impl<R: Row, K: Columns<R>, G: Aggregate<R>, O> LiveTally<R, K, G, O>
where
    R: Send + Sync,
    O: 'static,
{
    /// A tally of the rows of a query, and what keeps it up to date as long as it is kept.
    pub(crate) fn start(
        engine: &Arc<Engine>,
        table_idx: TableIdx,
        spec: Spec,
        read: Read<R>,
        tally: Tally<R, K, G>,
        make: Make<R, K, G, O>,
    ) -> Result<(Arc<Self>, Vec<Subscription>)> {
        let view = engine.view();
        let state = State {
            tally,
            stamp: view.stamp,
            view: Some(view),
            status: Status::Starting(Vec::new()),
            is_new: true,
            is_stale: false,
        };
        let filter = spec.simplified();
        let state = Mutex::new(state);
        let arrived = Condvar::new();
        let weak = Arc::downgrade(engine);
        let this =
            Arc::new(Self { table_idx, spec, filter, read, make, engine: weak, state, arrived });
        let subscriptions = this.subscribe(engine);
        let keeper: Weak<Self> = Arc::downgrade(&this);
        engine.hub.add_keeper(keeper);
        this.fill(engine)?;
        Ok((this, subscriptions))
    }

    fn state(&self) -> MutexGuard<'_, State<R, K, G>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the table, and the rest of the store for the view alone: an old one keeps what was
    /// removed since then in the file.
    fn subscribe(self: &Arc<Self>, engine: &Arc<Engine>) -> Vec<Subscription> {
        let this = Arc::downgrade(self);
        let weak = Arc::downgrade(engine);
        let callback = move |_, changes: &[Change], views: &Views| {
            if let (Some(this), Some(engine)) = (this.upgrade(), weak.upgrade()) {
                this.receive(&engine, changes, &views.after);
            }
        };
        let own = Topic::Table(self.table_idx);
        // Told first of each commit, since observers are told in the order in which they came.
        let mut subscriptions = vec![engine.hub.subscribe_to_views(own, Box::new(callback))];
        let tables = engine.def.tables_by_idx().map(|(table_idx, _)| Topic::Table(table_idx));
        let groups = engine.def.groups_by_idx().map(|(group_idx, _)| Topic::Group(group_idx));
        for topic in tables.chain(groups).filter(|topic| *topic != own) {
            let this = Arc::downgrade(self);
            let callback = move |_, _: &[Change], views: &Views| {
                if let Some(this) = this.upgrade() {
                    this.renew(&views.after);
                }
            };
            subscriptions.push(engine.hub.subscribe_to_views(topic, Box::new(callback)));
        }
        subscriptions
    }

    fn source(&self, engine: &Arc<Engine>, view: &Arc<View>) -> Source<'static> {
        let (engine, view) = (engine.clone(), view.clone());
        Source::new(engine, view, self.table_idx, None)
    }

    /// Reads all rows, and takes in what commits did in the meantime.
    fn fill(&self, engine: &Arc<Engine>) -> Result<()> {
        let (mut tally, view) = {
            let state = self.state();
            (state.tally.emptied(), state.view.clone())
        };
        let view = view.unwrap_or_else(|| engine.view());
        let source = self.source(engine, &view);
        fold(&mut tally, &source, &self.spec, self.read, Step::Add, true)?;
        let mut state = self.state();
        state.tally = tally;
        let Status::Starting(early) = std::mem::replace(&mut state.status, Status::Live) else {
            return Err(closed());
        };
        for (keys, view) in early {
            self.take_in(&mut state, engine, &keys, &view)?;
        }
        Ok(())
    }

    /// Takes another view of the same rows.
    fn renew(&self, view: &Arc<View>) {
        let mut state = self.state();
        if matches!(state.status, Status::Live) && view.stamp > state.stamp {
            (state.stamp, state.view) = (view.stamp, Some(view.clone()));
        }
    }

    /// Takes in what a commit did.
    fn receive(&self, engine: &Arc<Engine>, changes: &[Change], view: &Arc<View>) {
        let keys = || changes.iter().map(|change| change.key.clone()).collect::<Vec<_>>();
        let _notify = Notify(&self.arrived);
        let mut state = self.state();
        match &mut state.status {
            Status::Starting(early) => return early.push((keys(), view.clone())),
            Status::Live => {}
            Status::Closed | Status::Failed(_) => return,
        }
        // A panic below, such as one in the code of a row, leaves this status.
        let panicked = Error::new(ErrorKind::Custom, "the code of the row panicked");
        state.status = Status::Failed(Arc::new(engine.placed(panicked)));
        state.status = match self.take_in(&mut state, engine, &keys(), view) {
            Ok(()) => Status::Live,
            Err(error) => Status::Failed(Arc::new(error)),
        };
    }

    fn take_in(
        &self,
        state: &mut State<R, K, G>,
        engine: &Arc<Engine>,
        keys: &[String],
        view: &Arc<View>,
    ) -> Result<()> {
        if view.stamp <= state.stamp {
            return Ok(());
        }
        state.stamp = view.stamp;
        let before = state.view.replace(view.clone());
        if self.spec.is_windowed() {
            (state.is_new, state.is_stale) = (true, true);
            return Ok(());
        }
        let before = before.ok_or_else(|| {
            Error::new(ErrorKind::Storage, "the state before the commit is not known")
        })?;
        let (before, after) = (self.source(engine, &before), self.source(engine, view));
        engine.read_counts.add(2 * keys.len() as u64, 0);
        let mut buffer = Vec::new();
        for key in keys {
            // An entry whose key does not parse as one of the table is not a row of it.
            let Ok(key) = R::Key::from_text(key) else { continue };
            let bytes = key.to_bytes();
            let old = self.row(&before, bytes.as_slice(), &mut buffer)?;
            let new = self.row(&after, bytes.as_slice(), &mut buffer)?;
            state.is_new |= old.is_some() || new.is_some();
            if let Some(old) = old {
                state.tally.take(&old, Step::Remove);
            }
            if let Some(new) = new {
                state.tally.take(&new, Step::Add);
            }
        }
        Ok(())
    }

    /// The row under a key, if it meets the filter.
    fn row(&self, source: &Source<'_>, key: &[u8], buffer: &mut Vec<u8>) -> Result<Option<R>> {
        let row = source.view.row(self.table_idx, key).map_err(|error| source.placed(error))?;
        let Some(stored) = row else { return Ok(None) };
        let is_wanted = |row: &R| {
            let filter = self.filter.as_ref();
            filter.is_none_or(|filter| filter.matches(row, buffer))
        };
        match (self.read.stored)(key, &stored) {
            Ok(row) => Ok(Some(row).filter(is_wanted)),
            // A row that does not decode is not part of a live result.
            Err(error) if error.kind() == ErrorKind::InvalidRow => Ok(None),
            Err(error) => Err(source.placed(error)),
        }
    }

    /// The error with its store, if that is still open.
    fn placed(&self, error: Error) -> Error {
        match self.engine.upgrade() {
            Some(engine) => engine.placed(error),
            None => error,
        }
    }

    /// Reads the rows of a query with a limit again.
    fn refill(&self, view: Option<Arc<View>>) -> Result<Tally<R, K, G>> {
        let engine = self.engine.upgrade().ok_or_else(closed)?;
        let mut tally = self.state().tally.emptied();
        let source = self.source(&engine, &view.unwrap_or_else(|| engine.view()));
        fold(&mut tally, &source, &self.spec, self.read, Step::Add, true)?;
        Ok(tally)
    }
}

impl<R, K: Columns<R>, G: Aggregate<R>, O> Follow<O> for LiveTally<R, K, G, O>
where
    R: Row + Send + Sync,
    O: 'static,
{
    fn next(&self, deadline: Option<Instant>) -> Result<Option<O>> {
        let mut state = self.state();
        loop {
            if let Status::Failed(why) = &state.status {
                let why = why.clone();
                // How far it came is not known.
                (state.status, state.is_new) = (Status::Closed, false);
                return Err(lost(&why));
            }
            if std::mem::take(&mut state.is_new) {
                if std::mem::take(&mut state.is_stale) {
                    let view = state.view.clone();
                    // Commits do not wait for it.
                    drop(state);
                    let tally = self.refill(view)?;
                    state = self.state();
                    state.tally = tally;
                }
                return (self.make)(&state.tally).map(Some).map_err(|error| self.placed(error));
            }
            if matches!(state.status, Status::Closed) {
                return Err(closed());
            }
            state = match deadline {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(None);
                    }
                    let waited = self.arrived.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn close(&self) {
        let mut state = self.state();
        if !matches!(state.status, Status::Failed(_)) {
            state.status = Status::Closed;
        }
        self.arrived.notify_all();
    }
}

impl<R: Row, K: Columns<R>, G: Aggregate<R>, O> KeepsView for LiveTally<R, K, G, O>
where
    R: Send + Sync,
    O: 'static,
{
    fn release_view(&self) {
        let mut state = self.state();
        if !matches!(state.status, Status::Starting(_)) {
            state.view = None;
        }
    }

    fn keep_view(&self, view: &Arc<View>) {
        let mut state = self.state();
        if state.view.is_none() {
            (state.stamp, state.view) = (view.stamp, Some(view.clone()));
        }
    }
}

/// Wakes those who wait, also if the code of the row panics.
struct Notify<'n>(&'n Condvar);

impl Drop for Notify<'_> {
    fn drop(&mut self) {
        self.0.notify_all();
    }
}

//! The live results of one table, and what commits tell them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::result::LiveResult;
use crate::disk::View;
use crate::engine::{Change, Engine, Subscription, Topic, Views};
use crate::error::{Error, ErrorKind, Result};
use crate::query::buffer::Read;
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::{Key, Row};
use crate::schema::descriptor::TableIdx;

/// The changes of a table by one commit: every changed row as it is now, decoded once for all.
pub(crate) struct Event<R> {
    pub(super) stamp: u64,
    pub(super) view: Arc<View>,
    /// Or why they cannot be read.
    pub(super) rows: std::result::Result<ChangedRows<R>, Arc<Error>>,
}

/// Rows by key; nothing if there is none any more.
type ChangedRows<R> = Vec<(Vec<u8>, Option<Arc<R>>)>;

/// The source of the rows of a live result, and how they are read.
pub(super) struct RowSource<'s, R: Row> {
    pub(super) rows: Source<'s>,
    pub(super) read: Read<R>,
}

/// The live results of one table.
pub(crate) struct TableWatches<R> {
    table_idx: TableIdx,
    state: Mutex<State<R>>,
}

struct State<R> {
    results: Vec<Weak<LiveResult<R>>>,
    /// While there are results.
    subscription: Option<Subscription>,
}

impl<R> TableWatches<R> {
    pub(crate) fn new(table_idx: TableIdx) -> Self {
        let state = State { results: Vec::new(), subscription: None };
        Self { table_idx, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Row + Send + Sync> TableWatches<R> {
    /// The live result of a query: one that is there, or a new one.
    pub(crate) fn result(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        spec: Spec,
        read: Read<R>,
    ) -> Result<Arc<LiveResult<R>>> {
        let identity = spec.identity();
        let mut state = self.state();
        let living = state.results.iter().filter_map(Weak::upgrade);
        if let Some(known) = living
            .into_iter()
            .find(|result| result.identity == identity && !result.is_lost.load(Ordering::Acquire))
        {
            return Ok(known);
        }
        let result = Arc::new(LiveResult::new(spec, identity));
        // Locked before others can find it, so that a watch that joins waits until it is computed.
        let starting = result.lock();
        state.results.push(Arc::downgrade(&result));
        if state.subscription.is_none() {
            state.subscription = Some(self.subscribe(engine, read));
        }
        drop(state);
        // From here on, what happens is kept for it; what happened before is in the view.
        let (view, table_idx) = (engine.view(), self.table_idx);
        let rows = Source::new(engine.clone(), view, table_idx, None);
        result.start(starting, &RowSource { rows, read })?;
        Ok(result)
    }

    fn subscribe(self: &Arc<Self>, engine: &Arc<Engine>, read: Read<R>) -> Subscription {
        // The hub keeps this callback. It must keep neither the engine, which has the hub, nor the
        // results.
        let (this, weak) = (Arc::downgrade(self), Arc::downgrade(engine));
        let callback = move |_, changes: &[Change], views: &Views| {
            if let (Some(this), Some(engine)) = (this.upgrade(), weak.upgrade()) {
                let rows = Source::new(engine, views.after.clone(), this.table_idx, None);
                this.receive(changes, &RowSource { rows, read });
            }
        };
        engine.hub.subscribe_to_views(Topic::Table(self.table_idx), Box::new(callback))
    }

    fn receive(&self, changes: &[Change], source: &RowSource<'_, R>) {
        let results: Vec<_> = {
            let mut state = self.state();
            state.results.retain(|result| result.strong_count() > 0);
            if state.results.is_empty() {
                // No watch is left, so that commits cost nothing from here on.
                state.subscription = None;
                return;
            }
            state.results.iter().filter_map(Weak::upgrade).collect()
        };
        let rows = &source.rows;
        let place = |error| rows.placed(error);
        let in_store = |error| place(error).at_store(rows.engine.def.name);
        let unfinished = Unfinished { results: &results, place: &in_store };
        rows.engine.read_counts.add(changes.len() as u64, 0);
        let changed = changed_rows(changes, source).map_err(|error| Arc::new(place(error)));
        let event = Event { stamp: rows.view.stamp, view: rows.view.clone(), rows: changed };
        let event = Arc::new(event);
        let wakers = results.iter().flat_map(|result| result.receive(&event, source));
        // Collected first, since a thread that wakes up may look at the results.
        let wakers = wakers.collect::<Vec<_>>();
        std::mem::forget(unfinished);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

/// The rows that a commit changed, as they are now.
fn changed_rows<R: Row>(changes: &[Change], source: &RowSource<'_, R>) -> Result<ChangedRows<R>> {
    let RowSource { rows: source, read } = source;
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        // An entry whose key does not parse as one of the table is not a row of it.
        let Ok(key) = R::Key::from_text(&change.key) else { continue };
        let key = key.to_bytes().as_slice().to_vec();
        let row = match source.view.row(source.table_idx, &key)? {
            Some(stored) => match (read.stored)(&key, &stored) {
                Ok(row) => Some(Arc::new(row)),
                // A row that does not decode is not part of a live result.
                Err(error) if error.kind() == ErrorKind::InvalidRow => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        rows.push((key, row));
    }
    Ok(rows)
}

/// Dropped only if the app's code panics, as while a row is decoded: the results that it was to go
/// into are lost then.
struct Unfinished<'u, R> {
    results: &'u [Arc<LiveResult<R>>],
    place: &'u dyn Fn(Error) -> Error,
}

impl<R> Drop for Unfinished<'_, R> {
    fn drop(&mut self) {
        self.results.iter().for_each(|result| result.panicked(self.place));
    }
}

impl<R> TableWatches<R> {
    /// No change will come any more.
    pub(crate) fn close(&self) {
        let state = self.state();
        let results: Vec<_> = state.results.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        results.iter().for_each(|result| result.close());
    }
}

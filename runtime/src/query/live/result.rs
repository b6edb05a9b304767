//! The result of a query, kept up to date.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use super::delta::{Change, Changes, Delta};
use super::list::{Item, List};
use super::reader::{End, Reader, living};
use super::table::{Event, RowSource};
use crate::error::{Error, ErrorKind, Result};
use crate::query::buffer::Buffer;
use crate::query::expr::Node;
use crate::query::order::rank;
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::{Row, encode_record};

/// With a limit, so many rows beyond it are known at least, for when one goes.
const MIN_SPARE: usize = 32;

/// The result of a query, kept up to date; shared by all who watch the same.
pub(crate) struct LiveResult<R> {
    pub(super) identity: String,
    spec: Spec,
    filter: Option<Node>,
    /// Whether nothing that is seen of a row has changed.
    pub(super) same: fn(&Item<R>, &Item<R>) -> bool,
    state: Mutex<State<R>>,
    /// The commits that came while the result was first computed.
    early: Mutex<Option<Vec<Arc<Event<R>>>>>,
    /// Whether it is lost, so that the next watch needs a new one.
    pub(super) is_lost: AtomicBool,
}

struct State<R> {
    /// The newest commit it knows.
    stamp: u64,
    /// The first rows of the result, offset and all: without a limit all of them.
    list: List<R>,
    by_key: HashMap<Vec<u8>, Arc<Item<R>>>,
    /// Whether there are no rows beyond the list.
    is_whole: bool,
    readers: Vec<Weak<Reader<R>>>,
    status: Status,
}

/// The stage of a result.
enum Status {
    /// It is not computed yet; or never, if computing it panicked.
    Starting,
    Live,
    Ended(End),
}

/// A result that only its maker sees until it is computed.
pub(super) struct Starting<'l, R>(MutexGuard<'l, State<R>>);

/// A result that does not change while it is looked at.
pub(super) struct Visible<'l, R> {
    state: MutexGuard<'l, State<R>>,
    spec: &'l Spec,
}

impl<R> Visible<'_, R> {
    pub(super) fn list(&self) -> Vec<Arc<Item<R>>> {
        self.state.visible(self.spec)
    }
}

impl<R> State<R> {
    fn visible(&self, spec: &Spec) -> Vec<Arc<Item<R>>> {
        let limit = spec.limit.unwrap_or(usize::MAX);
        self.list.iter().skip(spec.offset).take(limit).cloned().collect()
    }
}

impl<R> LiveResult<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn visible(&self) -> Visible<'_, R> {
        Visible { state: self.state(), spec: &self.spec }
    }

    /// Adds a reader, which is first given the whole.
    pub(crate) fn reader(&self) -> Result<Arc<Reader<R>>> {
        let mut state = self.state();
        let end = match &state.status {
            Status::Live => None,
            Status::Ended(End::Closed) => Some(End::Closed),
            Status::Ended(End::Failed(why)) => return Err(lost(why)),
            Status::Starting => return Err(lost(&Arc::new(panicked()))),
        };
        let whole = Delta::new(Changes::whole(state.visible(&self.spec)));
        let reader = Arc::new(Reader::new(whole));
        // No thread waits for it yet.
        end.map(|end| reader.end(end));
        state.readers.push(Arc::downgrade(&reader));
        Ok(reader)
    }

    /// How many rows of the list are known at least, while there are so many.
    fn kept(&self) -> Option<usize> {
        let window = self.spec.window()?;
        Some(window.saturating_add(window.max(MIN_SPARE)))
    }

    /// Whether positions are those of the list.
    fn is_windowed(&self) -> bool {
        self.spec.limit.is_some() || self.spec.offset > 0
    }
}

impl<R: Row + Send + Sync> LiveResult<R> {
    /// A result that is not computed yet, and keeps what happens.
    pub(super) fn new(spec: Spec, identity: String) -> Self {
        let state = State {
            stamp: 0,
            list: List::of_sorted(Vec::new()),
            by_key: HashMap::new(),
            is_whole: true,
            readers: Vec::new(),
            status: Status::Starting,
        };
        Self {
            identity,
            filter: spec.simplified(),
            spec,
            same,
            state: Mutex::new(state),
            early: Mutex::new(Some(Vec::new())),
            is_lost: AtomicBool::new(false),
        }
    }

    /// Holds up all others that want to see the result.
    pub(super) fn lock(&self) -> Starting<'_, R> {
        Starting(self.state())
    }

    /// Computes the result, and then takes in what happened in the meantime.
    pub(super) fn start(&self, starting: Starting<'_, R>, source: &RowSource<'_, R>) -> Result<()> {
        let Starting(mut state) = starting;
        match self.compute(&mut state, source) {
            Ok(()) => {
                state.status = Status::Live;
                Ok(())
            }
            Err(why) => {
                // Others may have found it already, and wait to see it.
                self.lose(&mut state, &why);
                Err(Error::caused_by(&why, "the result of the query cannot be read"))
            }
        }
    }

    fn compute(&self, state: &mut State<R>, source: &RowSource<'_, R>) -> Result<(), Arc<Error>> {
        state.stamp = source.rows.view.stamp;
        self.refill(state, source)?;
        loop {
            let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
            let events = std::mem::take(&mut *early).unwrap_or_default();
            if events.is_empty() {
                return Ok(());
            }
            *early = Some(Vec::new());
            drop(early);
            for event in events {
                // No watch follows it yet.
                self.take_in(state, &event, source)?;
            }
        }
    }

    /// Takes in what a commit did, and gives the wakers to call.
    pub(super) fn receive(&self, event: &Arc<Event<R>>, source: &RowSource<'_, R>) -> Vec<Waker> {
        {
            let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(events) = &mut *early {
                events.push(event.clone());
                return Vec::new();
            }
        }
        let mut state = self.state();
        if !matches!(state.status, Status::Live) {
            return Vec::new();
        }
        let changes = match self.take_in(&mut state, event, source) {
            Ok(Some(changes)) => changes,
            Ok(None) => return Vec::new(),
            Err(why) => return self.lose(&mut state, &why),
        };
        let delta = Delta::new(changes);
        let readers = living(&mut state.readers);
        let after = || state.visible(&self.spec);
        readers.iter().filter_map(|reader| reader.push(&delta, after)).collect()
    }

    /// Whether a row is in the result by itself, and where.
    fn item(&self, key: &[u8], row: Option<&Arc<R>>, buffer: &mut Vec<u8>) -> Option<Item<R>> {
        let row = row?;
        if let Some(filter) = &self.filter
            && !filter.matches(&**row, buffer)
        {
            return None;
        }
        let rank = rank(&self.spec.order, &**row, key);
        if self.spec.cursor.as_ref().is_some_and(|cursor| !cursor.is_before(&rank)) {
            return None;
        }
        Some(Item { rank, key: key.to_vec(), row: row.clone() })
    }

    /// Changes the list; nothing if what is seen of it stays as it was.
    fn take_in(
        &self,
        state: &mut State<R>,
        event: &Event<R>,
        source: &RowSource<'_, R>,
    ) -> Result<Option<Changes<R>>, Arc<Error>> {
        if event.stamp <= state.stamp {
            return Ok(None);
        }
        state.stamp = event.stamp;
        let rows = event.rows.as_ref().map_err(Arc::clone)?;
        let mut buffer = Vec::new();
        let mut changed = Vec::new();
        for (key, row) in rows {
            let old = state.by_key.get(key).cloned();
            let new = self.item(key, row.as_ref(), &mut buffer);
            // Beyond what is known of the list it is one of many.
            let new = new.filter(|new| {
                state.is_whole || state.list.last().is_some_and(|last| new.rank <= last.rank)
            });
            match (&old, &new) {
                (None, None) => {}
                (Some(old), Some(new)) if same(old, new) => {}
                _ => changed.push((old, new.map(Arc::new))),
            }
        }
        if changed.is_empty() || self.spec.limit == Some(0) {
            return Ok(None);
        }
        let is_windowed = self.is_windowed();
        let before = if is_windowed { state.visible(&self.spec) } else { Vec::new() };
        let place = |state: &State<R>, item: &Option<Arc<Item<R>>>| {
            let item = item.as_ref().filter(|_| !is_windowed)?;
            Some((state.list.position(&item.rank), item.clone()))
        };
        let from: Vec<_> = changed.iter().map(|(old, _)| place(state, old)).collect();
        for (old, _) in &changed {
            if let Some(old) = old {
                state.list.remove(&old.rank);
                state.by_key.remove(&old.key);
            }
        }
        for (_, new) in &changed {
            if let Some(new) = new {
                state.list.insert(new.clone());
                state.by_key.insert(new.key.clone(), new.clone());
            }
        }
        if !is_windowed {
            let changes = changed.iter().zip(from).map(|((_, new), old)| Change {
                old,
                new: place(state, new),
                is_moved: false,
            });
            return Ok(Some(Changes::new(changes.collect())));
        }
        if !state.is_whole && state.list.len() < self.spec.window().unwrap_or(usize::MAX) {
            let rows = Source { view: event.view.clone(), ..source.rows.clone() };
            let source = RowSource { rows, read: source.read };
            self.refill(state, &source)?;
        }
        self.trim(state);
        let changes = Changes::between(&before, &state.visible(&self.spec), self.same);
        Ok((!changes.is_empty()).then_some(changes))
    }

    /// Reads the list anew; items that did not change stay the same.
    fn refill(&self, state: &mut State<R>, source: &RowSource<'_, R>) -> Result<(), Arc<Error>> {
        self.read_anew(state, source).map_err(|error| Arc::new(source.rows.placed(error)))
    }

    fn read_anew(&self, state: &mut State<R>, source: &RowSource<'_, R>) -> Result<()> {
        let kept = self.kept();
        let spec = Spec { offset: 0, limit: kept, ..self.spec.clone() };
        let mut items = Vec::new();
        let mut buffer = Buffer::new(source.read);
        let mut run = source.rows.clone().run(spec, &mut buffer)?.in_full();
        while let Some(row) = buffer.next(&mut run) {
            let row = match row {
                Ok(row) => row,
                // A row that does not decode is not part of a live result.
                Err(error) if error.kind() == ErrorKind::InvalidRow => continue,
                Err(error) => return Err(error),
            };
            let rank = rank(&self.spec.order, &row, run.key());
            items.push(match state.by_key.get(run.key()) {
                // Also one that the commit changed: it has been put there as it is now.
                Some(known) if known.rank == rank => known.clone(),
                _ => Arc::new(Item { rank, key: run.key().to_vec(), row: Arc::new(row) }),
            });
        }
        drop(run);
        state.is_whole = kept.is_none_or(|kept| items.len() < kept);
        state.by_key = items.iter().map(|item| (item.key.clone(), item.clone())).collect();
        state.list = List::of_sorted(items);
        Ok(())
    }

    /// Forgets what is far beyond the limit.
    fn trim(&self, state: &mut State<R>) {
        let Some(kept) = self.kept() else { return };
        while state.list.len() > kept.saturating_mul(2) {
            let Some(last) = state.list.last().cloned() else { return };
            state.list.remove(&last.rank);
            state.by_key.remove(&last.key);
            state.is_whole = false;
        }
    }
}

impl<R> LiveResult<R> {
    /// No change will come any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if !matches!(state.status, Status::Ended(_)) {
            state.status = Status::Ended(End::Closed);
        }
        let readers = living(&mut state.readers);
        drop(state);
        let wakers = readers.iter().filter_map(|reader| reader.end(End::Closed));
        wakers.collect::<Vec<_>>().into_iter().for_each(Waker::wake);
    }

    /// Taking something in has panicked: it is not known how far it came.
    pub(super) fn panicked(&self, place: impl FnOnce(Error) -> Error) {
        let wakers = self.lose(&mut self.state(), &Arc::new(place(panicked())));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// It is not up to date and cannot be brought there: those who follow it are told, instead of
    /// being given deltas that would leave them with something else. Gives the wakers to call.
    fn lose(&self, state: &mut State<R>, why: &Arc<Error>) -> Vec<Waker> {
        self.is_lost.store(true, Ordering::Release);
        state.status = Status::Ended(End::Failed(why.clone()));
        (state.list, state.by_key) = (List::of_sorted(Vec::new()), HashMap::new());
        let readers = living(&mut state.readers);
        readers.iter().filter_map(|reader| reader.end(End::Failed(why.clone()))).collect()
    }
}

/// Returns the error for those that follow a result which is lost.
pub(crate) fn lost(why: &Arc<Error>) -> Error {
    Error::caused_by(why, "the live result could not be brought up to date")
        .help("watch the query again")
}

fn panicked() -> Error {
    Error::new(ErrorKind::Custom, "the code of the row panicked")
}

fn same<R: Row>(old: &Item<R>, new: &Item<R>) -> bool {
    let json = |item: &Item<R>| encode_record(&*item.row).ok();
    old.rank == new.rank && json(old).is_some_and(|old| Some(old) == json(new))
}

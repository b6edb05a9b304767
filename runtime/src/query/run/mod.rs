//! Running a plan: candidates, filter, order, and the part asked for.

mod all;

use std::collections::VecDeque;

use super::buffer::RowBuffer;
use super::expr::Node;
use super::order::rank;
use super::plan::{Access, Arrangement, Facts, Plan, plan};
use super::source::Source;
use super::spec::Spec;
use super::top::Top;
use super::walk::{Walk, WalkStep};
use crate::disk::{Fetched, Span};
use crate::error::{Error, ErrorKind, Result};

/// How many keys are sorted at once; if there are more, reading the table in order is no slower.
const MAX_SORTED_KEYS: usize = 1 << 16;

/// A row that is set aside in the buffer, under a number, and the bytes of its key.
struct Found {
    key: Vec<u8>,
    row: usize,
}

/// A running query: its rows, one after another, through a buffer that is always the same.
pub(crate) struct Run<'s> {
    source: Source<'s>,
    spec: Spec,
    /// The condition that candidates must still meet.
    filter: Option<Node>,
    /// Whether they must still be held to the cursor.
    is_cut_off: bool,
    is_filtered: bool,
    is_back: bool,
    walks: VecDeque<Walk>,
    /// The keys or rows that the first walk has read in advance.
    fetched: Fetched,
    /// Whether all rows of the result are taken.
    is_full: bool,
    /// Whether all candidates are taken.
    sorts: bool,
    /// The writes of the transaction, in order, by rank; they come between the candidates.
    written: std::iter::Peekable<std::vec::IntoIter<(Vec<u8>, Found)>>,
    /// A candidate that comes after the next written row.
    ahead: Option<(Vec<u8>, Found)>,
    /// The whole result, if it had to be sorted.
    sorted: Option<std::vec::IntoIter<Found>>,
    /// The rows at the end, which do not decode.
    errors: VecDeque<Error>,
    to_skip: usize,
    left: usize,
    encoding: Vec<u8>,
    /// The key of the current row.
    key: Vec<u8>,
    rows_read: u64,
    entries_read: u64,
    /// The access, if its entries are just the rows.
    counted: Option<Access>,
}

impl<'s> Run<'s> {
    pub(crate) fn start(
        source: Source<'s>,
        spec: Spec,
        buffer: &mut dyn RowBuffer,
    ) -> Result<Self> {
        if let Some(cursor) = &spec.cursor {
            cursor.check(&spec.order)?;
        }
        let filter = spec.simplified();
        let facts = source.facts()?;
        let plan = plan(&spec, filter.as_ref(), &facts);
        let mut run = Self {
            is_filtered: filter.is_some(),
            is_cut_off: spec.cursor.is_some(),
            is_back: plan.is_back,
            walks: VecDeque::new(),
            fetched: Fetched::new(source.view.clone(), source.table_idx),
            is_full: false,
            sorts: false,
            written: Vec::new().into_iter().peekable(),
            ahead: None,
            sorted: None,
            errors: VecDeque::new(),
            to_skip: spec.offset,
            left: spec.limit.unwrap_or(usize::MAX),
            encoding: Vec::new(),
            key: Vec::new(),
            rows_read: 0,
            entries_read: 0,
            counted: None,
            filter,
            spec,
            source,
        };
        if run.left > 0 {
            run.take_written(buffer)?;
            run.open(&plan, &facts, buffer)?;
            if run.spec.is_reversed {
                run.reverse(buffer)?;
            }
        }
        Ok(run)
    }

    /// The rows of the transaction that match, in order.
    fn take_written(&mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        let Some(ops) = self.source.written else { return Ok(()) };
        let mut written = Vec::new();
        for (bytes, op) in ops {
            let Some(json) = &op.json else { continue };
            let Some(read) = buffer.read_text(bytes, json) else { continue };
            match read {
                Ok(()) if self.matches(buffer) && self.is_past(bytes, buffer) => {
                    let rank = self.rank(bytes, buffer);
                    written.push((rank, Found { key: bytes.to_vec(), row: buffer.set_aside() }));
                }
                Ok(()) => {}
                Err(error) if !self.is_filtered => self.errors.push_back(error),
                Err(_) => {}
            }
        }
        written.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.written = written.into_iter().peekable();
        Ok(())
    }

    fn open(&mut self, plan: &Plan, facts: &Facts<'_>, buffer: &mut dyn RowBuffer) -> Result<()> {
        let (mut is_exact, mut is_past) = (plan.is_exact, plan.is_past);
        if plan.arrangement == Arrangement::ByKey || matches!(plan.access, Access::Union(_)) {
            match self.sorted_keys(plan)? {
                Some(mut keys) => {
                    // In the order of keys, the cursor is one of them.
                    if let Some(cursor) = &self.spec.cursor
                        && plan.arrangement == Arrangement::ByKey
                    {
                        keys.retain(|key| key.as_slice() > cursor.key());
                        is_past = true;
                    }
                    self.walks.push_back(Walk::Keys(keys.into_iter()));
                }
                None => {
                    let whole = Access::Rows(vec![Span::whole()]);
                    self.walks = self.source.walks(&whole, false)?;
                    is_exact = false;
                    is_past = false;
                }
            }
        } else {
            self.walks = self.source.walks(&plan.access, plan.is_back)?;
        }
        if !self.is_filtered && !self.spec.is_reversed {
            if let Access::Index { index, .. } = plan.access
                && self.source.view.index_has_invalid(self.source.table_idx, index)?
            {
                let invalid =
                    self.source.view.index(self.source.table_idx, index, &Span::invalid())?;
                self.walks.push_back(Walk::Index(invalid));
            }
            self.add_strays(buffer)?;
        }
        self.is_cut_off &= !is_past;
        if is_exact {
            self.filter = None;
            self.counted = Some(plan.access.clone());
        }
        let is_asked = self.filter.is_some()
            || self.is_cut_off
            || plan.arrangement == Arrangement::Sorted
            || self.written.peek().is_some();
        if !is_asked && self.source.all_decode(facts)? {
            buffer.only_keeps();
        }
        if plan.arrangement == Arrangement::Sorted {
            self.sort(buffer)?;
        }
        if self.spec.is_reversed {
            // A row that does not decode comes after all rows, and so before none.
            self.errors.clear();
        }
        Ok(())
    }

    fn add_strays(&mut self, buffer: &dyn RowBuffer) -> Result<()> {
        if !self.is_filtered {
            for (key, _) in self.source.view.strays(self.source.table_idx)? {
                self.errors.push_back(buffer.stray(&key));
            }
        }
        Ok(())
    }

    /// The keys of all candidates in their order; nothing if there are too many.
    fn sorted_keys(&mut self, plan: &Plan) -> Result<Option<Vec<Vec<u8>>>> {
        let mut keys = Vec::new();
        let mut walks = self.source.walks(&plan.access, false)?;
        while let Some(walk) = walks.front_mut() {
            match walk.owned_key(false) {
                Some(key) => {
                    self.entries_read += 1;
                    keys.push(key?);
                }
                None => {
                    walks.pop_front();
                }
            }
            if keys.len() > MAX_SORTED_KEYS {
                return Ok(None);
            }
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(Some(keys))
    }

    /// Reads everything, and keeps what the window needs.
    fn sort(&mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        let mut top = Top::new(self.spec.window());
        self.sorts = true;
        for (rank, found) in self.written.by_ref() {
            if let Some(dropped) = top.add(rank, found) {
                buffer.forget(dropped.row);
            }
        }
        while let Some(row) = self.candidate(buffer) {
            match row {
                Ok(()) => {
                    let rank = self.rank(&self.key, buffer);
                    if top.takes(&rank) {
                        let found = Found { key: self.key.clone(), row: buffer.set_aside() };
                        if let Some(dropped) = top.add(rank, found) {
                            buffer.forget(dropped.row);
                        }
                    }
                }
                // After an error of the storage nothing more comes.
                Err(error)
                    if matches!(error.kind(), ErrorKind::InvalidRow | ErrorKind::Corrupt) =>
                {
                    self.errors.push_back(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.sorts = false;
        self.sorted = Some(top.into_sorted().into_iter());
        Ok(())
    }

    /// Whether the current row meets what candidates must still be held to.
    fn matches(&mut self, buffer: &dyn RowBuffer) -> bool {
        match (&self.filter, buffer.current()) {
            (Some(filter), Some(row)) => filter.matches(row, &mut self.encoding),
            _ => true,
        }
    }

    /// Whether the current row comes after the cursor.
    fn is_past(&self, key: &[u8], buffer: &dyn RowBuffer) -> bool {
        let cursor = self.spec.cursor.as_ref().filter(|_| self.is_cut_off);
        cursor.is_none_or(|cursor| cursor.is_before(&self.rank(key, buffer)))
    }

    /// Takes all rows of the result, to give the last first.
    fn reverse(&mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        let mut found = Vec::new();
        while let Some(row) = self.next(buffer) {
            match row {
                Ok(()) => found.push(Found { key: self.key.clone(), row: buffer.set_aside() }),
                Err(error) if error.kind() == ErrorKind::InvalidRow => self.errors.push_back(error),
                Err(error) => return Err(error),
            }
        }
        found.reverse();
        self.left = usize::MAX;
        self.sorted = Some(found.into_iter());
        Ok(())
    }

    /// The rank of the current row.
    fn rank(&self, key: &[u8], buffer: &dyn RowBuffer) -> Vec<u8> {
        buffer.current().map_or_else(Vec::new, |row| rank(&self.spec.order, row, key))
    }

    /// How many candidates are read in any case.
    fn wanted(&mut self) -> usize {
        if self.sorts {
            return usize::MAX;
        }
        match self.is_full && self.written.peek().is_none() {
            // Each gives one row of the result at most.
            true => self.to_skip.saturating_add(self.left),
            false => 1,
        }
    }

    /// Reads the next committed row that the transaction has not written and that matches; its key is
    /// in `self.key`.
    fn candidate(&mut self, buffer: &mut dyn RowBuffer) -> Option<Result<()>> {
        loop {
            let wanted = self.wanted();
            let walk = self.walks.front_mut()?;
            let step = self.source.step(
                walk,
                self.is_back,
                wanted,
                &mut self.fetched,
                &mut self.key,
                buffer,
            );
            let row = match step {
                WalkStep::Row(row) => row,
                WalkStep::Entry(row) => {
                    self.entries_read += 1;
                    row
                }
                WalkStep::Skipped => continue,
                WalkStep::Failed(error) => {
                    self.walks.clear();
                    return Some(Err(error));
                }
                WalkStep::End => {
                    self.walks.pop_front();
                    continue;
                }
            };
            self.rows_read += 1;
            match row {
                Ok(()) if self.matches(buffer) && self.is_past(&self.key, buffer) => {
                    return Some(Ok(()));
                }
                Ok(()) => {}
                Err(error) if self.tells(&error) => return Some(Err(error)),
                Err(_) => {}
            }
        }
    }

    /// Whether a row that cannot be read is told. No condition holds for one that does not decode; what a
    /// damaged one says is not known.
    fn tells(&self, error: &Error) -> bool {
        !self.is_filtered || error.kind() == ErrorKind::Corrupt
    }

    /// Whether candidates come out just as they come in.
    fn is_streamed(&mut self) -> bool {
        self.sorted.is_none() && self.ahead.is_none() && self.written.peek().is_none()
    }

    /// Makes the next row of the whole result the current one.
    fn row(&mut self, buffer: &mut dyn RowBuffer) -> Option<Result<()>> {
        if self.is_streamed() {
            return self.candidate(buffer).or_else(|| self.errors.pop_front().map(Err));
        }
        let next = match &mut self.sorted {
            Some(sorted) => sorted.next(),
            None => match self.merged(buffer) {
                Ok(next) => next,
                Err(error) => return Some(Err(error)),
            },
        };
        match next {
            Some(found) => {
                buffer.recall(found.row);
                self.key = found.key;
                Some(Ok(()))
            }
            None => self.errors.pop_front().map(Err),
        }
    }

    /// The next row, a candidate or one that the transaction wrote.
    fn merged(&mut self, buffer: &mut dyn RowBuffer) -> Result<Option<Found>> {
        if self.ahead.is_none()
            && let Some(row) = self.candidate(buffer)
        {
            row?;
            let rank = self.rank(&self.key, buffer);
            self.ahead = Some((rank, Found { key: self.key.clone(), row: buffer.set_aside() }));
        }
        let written_first = match (&self.ahead, self.written.peek()) {
            (Some((candidate, _)), Some((written, _))) => written < candidate,
            (None, Some(_)) => true,
            _ => false,
        };
        let next = if written_first { self.written.next() } else { self.ahead.take() };
        Ok(next.map(|(_, found)| found))
    }

    /// Goes to where the window begins; `None` if nothing is left of it.
    fn enter_window(&mut self, buffer: &mut dyn RowBuffer) -> Option<Result<()>> {
        if self.left == 0 {
            return None;
        }
        while self.to_skip > 0 {
            self.to_skip -= 1;
            match self.row(buffer)? {
                // A skipped row need not decode, but a failure of the storage is reported.
                Err(error) if error.kind() != ErrorKind::InvalidRow => return Some(Err(error)),
                _ => {}
            }
        }
        Some(Ok(()))
    }

    /// Makes the next row the current one.
    pub(crate) fn next(&mut self, buffer: &mut dyn RowBuffer) -> Option<Result<()>> {
        if let Err(error) = self.enter_window(buffer)? {
            return Some(Err(error));
        }
        let row = self.row(buffer)?;
        self.left -= 1;
        Some(row)
    }

    /// The bytes of the key of the current row.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The same, of which all rows are taken, so that some may be looked up in advance.
    pub(crate) fn in_full(mut self) -> Self {
        self.is_full = true;
        self
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.source.engine.read_counts.add(self.rows_read, self.entries_read);
    }
}

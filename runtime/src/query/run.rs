//! Running a plan: candidates, filter, order, and the part asked for.

use std::collections::VecDeque;

use super::expr::Node;
use super::order::rank;
use super::parts::{KEYS_AT_ONCE, Parts, ROWS_OF_A_THREAD};
use super::plan::{Access, Arrangement, Plan};
use super::source::Source;
use super::spec::Spec;
use super::top::Top;
use super::walk::{Step, Walk};
use crate::disk::{Fetched, Keys, Span};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Key, Row};

/// How many keys are sorted at once; where there are more, reading the table in order is no slower.
const MAX_SORTED_KEYS: usize = 1 << 16;

/// From so many rows on, it pays to ask an index how many there are before memory grows for them.
const COUNT_FROM_ROWS: usize = 1 << 10;

/// A row that a query gives, and the bytes of its key.
pub(crate) struct Found<R> {
    pub(crate) key: Vec<u8>,
    pub(crate) row: R,
}

/// A running query: its rows, one after another.
pub(crate) struct Run<'s, R: Row> {
    source: Source<'s, R>,
    spec: Spec<R>,
    /// What candidates must still be held to.
    filter: Option<Node<R>>,
    is_filtered: bool,
    is_back: bool,
    walks: VecDeque<Walk>,
    /// What the first of the walks has been asked for in advance.
    fetched: Fetched,
    /// Whether all rows of the result are taken.
    is_full: bool,
    /// Whether all candidates are taken.
    sorts: bool,
    /// What the transaction wrote, in order, by rank; it comes between the candidates.
    written: std::iter::Peekable<std::vec::IntoIter<(Vec<u8>, Found<R>)>>,
    /// A candidate that comes after the next written row.
    ahead: Option<(Vec<u8>, Found<R>)>,
    /// The whole result, where it had to be sorted.
    sorted: Option<std::vec::IntoIter<Found<R>>>,
    /// What comes at the end: rows that are none.
    errors: VecDeque<Error>,
    to_skip: usize,
    left: usize,
    buffer: Vec<u8>,
    /// The key of the last candidate.
    key: Vec<u8>,
    rows_read: u64,
    entries_read: u64,
    /// The access, where its entries are just the rows.
    counted: Option<Access>,
}

impl<'s, R: Row> Run<'s, R> {
    pub(crate) fn start(source: Source<'s, R>, spec: Spec<R>) -> Result<Self> {
        let filter = spec.simplified();
        let plan = source.plan(&spec, filter.as_ref())?;
        let mut run = Self {
            is_filtered: filter.is_some(),
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
            buffer: Vec::new(),
            key: Vec::new(),
            rows_read: 0,
            entries_read: 0,
            counted: None,
            filter,
            spec,
            source,
        };
        if run.left > 0 {
            run.take_written()?;
            run.open(&plan)?;
        }
        Ok(run)
    }

    /// The rows of the transaction that match, in order.
    fn take_written(&mut self) -> Result<()> {
        let Some(ops) = self.source.written else { return Ok(()) };
        let mut written = Vec::new();
        for (bytes, op) in ops {
            let (Some(json), Some(key)) = (&op.json, R::Key::from_bytes(bytes)) else { continue };
            match (self.source.read.text)(&key, json) {
                Ok(row) if self.matches(&row) => {
                    let rank = rank(&self.spec.order, &row, bytes);
                    written.push((rank, Found { key: bytes.clone(), row }));
                }
                Ok(_) => {}
                Err(error) if !self.is_filtered => self.errors.push_back(error),
                Err(_) => {}
            }
        }
        written.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.written = written.into_iter().peekable();
        Ok(())
    }

    fn open(&mut self, plan: &Plan) -> Result<()> {
        let mut is_exact = plan.is_exact;
        if plan.arrangement == Arrangement::ByKey || matches!(plan.access, Access::Union(_)) {
            match self.sorted_keys(plan)? {
                Some(keys) => self.walks.push_back(Walk::Keys(keys.into_iter())),
                None => {
                    let whole = Access::Rows(vec![Span::whole()]);
                    self.walks = self.source.walks(&whole, false)?;
                    is_exact = false;
                }
            }
        } else {
            self.walks = self.source.walks(&plan.access, plan.is_back)?;
        }
        if !self.is_filtered {
            if let Access::Index { index, .. } = plan.access {
                let invalid =
                    self.source.view.index(self.source.table_idx, index, &Span::invalid())?;
                self.walks.push_back(Walk::Index(invalid));
            }
            self.add_strays()?;
        }
        if is_exact {
            self.filter = None;
            self.counted = Some(plan.access.clone());
        }
        if plan.arrangement == Arrangement::Sorted {
            self.sort()?;
        }
        Ok(())
    }

    fn add_strays(&mut self) -> Result<()> {
        if !self.is_filtered {
            for (key, _) in self.source.view.strays(self.source.table_idx)? {
                self.errors.push_back((self.source.read.stray)(&key));
            }
        }
        Ok(())
    }

    /// The keys of all candidates in their order; nothing where there are too many.
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
    fn sort(&mut self) -> Result<()> {
        let mut top = Top::new(self.spec.window());
        self.sorts = true;
        let mut unsorted = self.written.by_ref().collect::<Vec<_>>();
        unsorted.drain(..).for_each(|(rank, found)| top.add(rank, found));
        while let Some(row) = self.candidate() {
            match row {
                Ok(row) => {
                    let rank = rank(&self.spec.order, &row, &self.key);
                    top.add(rank, Found { key: self.key.clone(), row });
                }
                Err(error) if error.kind() == ErrorKind::InvalidRow => {
                    self.errors.push_back(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.sorts = false;
        self.sorted = Some(top.into_sorted().into_iter());
        Ok(())
    }

    fn matches(&mut self, row: &R) -> bool {
        match &self.filter {
            Some(filter) => filter.matches(row, &mut self.buffer),
            None => true,
        }
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

    /// The next committed row that the transaction has not written and that matches; its key is in
    /// `self.key`.
    fn candidate(&mut self) -> Option<Result<R>> {
        loop {
            let wanted = self.wanted();
            let walk = self.walks.front_mut()?;
            let step =
                self.source.step(walk, self.is_back, wanted, &mut self.fetched, &mut self.key);
            let row = match step {
                Step::Row(row) => row,
                Step::Entry(row) => {
                    self.entries_read += 1;
                    row
                }
                Step::Skipped => continue,
                Step::Failed(error) => {
                    self.walks.clear();
                    return Some(Err(error));
                }
                Step::End => {
                    self.walks.pop_front();
                    continue;
                }
            };
            self.rows_read += 1;
            match row {
                Ok(row) if self.matches(&row) => return Some(Ok(row)),
                Ok(_) => {}
                Err(error) if !self.is_filtered => return Some(Err(error)),
                Err(_) => {}
            }
        }
    }

    /// Whether candidates come out just as they come in.
    fn is_streamed(&mut self) -> bool {
        self.sorted.is_none() && self.ahead.is_none() && self.written.peek().is_none()
    }

    /// The next row of the whole result.
    fn found(&mut self) -> Option<Result<Found<R>>> {
        if self.is_streamed() {
            return self.streamed().map(|row| row.map(|row| Found { key: self.key.clone(), row }));
        }
        if let Some(sorted) = &mut self.sorted {
            return match sorted.next() {
                Some(found) => Some(Ok(found)),
                None => self.errors.pop_front().map(Err),
            };
        }
        if self.ahead.is_none() {
            match self.candidate() {
                Some(Ok(row)) => {
                    let rank = rank(&self.spec.order, &row, &self.key);
                    self.ahead = Some((rank, Found { key: self.key.clone(), row }));
                }
                Some(Err(error)) => return Some(Err(error)),
                None => {}
            }
        }
        let written_first = match (&self.ahead, self.written.peek()) {
            (Some((candidate, _)), Some((written, _))) => written < candidate,
            (None, Some(_)) => true,
            _ => false,
        };
        let next = if written_first { self.written.next() } else { self.ahead.take() };
        match next {
            Some((_, found)) => Some(Ok(found)),
            None => self.errors.pop_front().map(Err),
        }
    }

    fn streamed(&mut self) -> Option<Result<R>> {
        match self.candidate() {
            Some(row) => Some(row),
            None => self.errors.pop_front().map(Err),
        }
    }

    /// [`found`](Self::found) without the key, of which a streamed row then needs no copy.
    fn row(&mut self) -> Option<Result<R>> {
        if self.is_streamed() {
            return self.streamed();
        }
        self.found().map(|found| found.map(|found| found.row))
    }

    /// Goes to where the window begins; `None` where nothing is left of it.
    fn enter_window(&mut self) -> Option<Result<()>> {
        if self.left == 0 {
            return None;
        }
        while self.to_skip > 0 {
            self.to_skip -= 1;
            match self.row()? {
                // What is skipped may be no row, but the storage must not fail unseen.
                Err(error) if error.kind() != ErrorKind::InvalidRow => return Some(Err(error)),
                _ => {}
            }
        }
        Some(Ok(()))
    }

    /// The next row, without the bytes of its key.
    pub(crate) fn next_row(&mut self) -> Option<Result<R>> {
        if let Err(error) = self.enter_window()? {
            return Some(Err(error));
        }
        let row = self.row()?;
        self.left -= 1;
        Some(row)
    }

    /// The same, of which all rows are taken, so that some may be looked up in advance.
    pub(crate) fn in_full(mut self) -> Self {
        self.is_full = true;
        self
    }

    /// All rows that are left.
    pub(crate) fn rows(mut self) -> Result<Vec<R>> {
        self.is_full = true;
        let mut rows = Vec::new();
        let mut expected = None;
        while let Some(row) = self.next_row() {
            rows.push(row?);
            self.take_fetched(&mut rows)?;
            if rows.len() < COUNT_FROM_ROWS {
                continue;
            }
            let expected = match expected {
                Some(expected) => expected,
                None => {
                    let still = self.still_to_come()?;
                    rows.reserve_exact(still);
                    *expected.insert(rows.len() + still)
                }
            };
            if expected.saturating_sub(rows.len()) >= 2 * ROWS_OF_A_THREAD {
                self.take_in_parts(&mut rows)?;
            }
        }
        Ok(rows)
    }

    /// Adds the rows that were looked up together with the last one, where nothing more is to be
    /// asked of them.
    fn take_fetched(&mut self, rows: &mut Vec<R>) -> Result<()> {
        if self.filter.is_some() || self.to_skip > 0 || !self.is_streamed() {
            return Ok(());
        }
        let is_index = matches!(self.walks.front(), Some(Walk::Index(_)));
        while let Some(lookup) = self.fetched.next() {
            let (key, Some(stored)) = lookup? else { continue };
            if self.source.is_written(key) {
                continue;
            }
            self.rows_read += 1;
            self.entries_read += u64::from(is_index);
            match (self.source.read.stored)(key, stored) {
                Ok(row) => {
                    rows.push(row);
                    self.left -= 1;
                }
                Err(error) if !self.is_filtered => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Adds many rows of an index, looked up and decoded by several threads, where nothing more is to
    /// be asked of them.
    fn take_in_parts(&mut self, rows: &mut Vec<R>) -> Result<()> {
        let is_asked_more = self.filter.is_some() || self.to_skip > 0 || !self.is_streamed();
        let is_written = self.source.written.is_some_and(|written| !written.is_empty());
        if is_asked_more || is_written || !self.fetched.is_empty() {
            return Ok(());
        }
        let Some(walk @ Walk::Index(_)) = self.walks.front_mut() else { return Ok(()) };
        let mut keys = Keys::default();
        let at_most = self.left.min(KEYS_AT_ONCE);
        let found = walk.append_keys(self.is_back, at_most, &mut keys);
        let parts = Parts {
            view: &self.source.view,
            table_idx: self.source.table_idx,
            read: self.source.read,
            keys: &keys,
            skips_invalid: self.is_filtered,
        };
        let before = rows.len();
        parts.read_into(rows)?;
        self.left -= rows.len() - before;
        self.rows_read += keys.len() as u64;
        self.entries_read += keys.len() as u64;
        // What comes before a failure is looked at first.
        found
    }

    /// About how many rows still come, where an index tells by its blocks; 0 where none does.
    fn still_to_come(&self) -> Result<usize> {
        let Some(Access::Index { index, spans }) = &self.counted else { return Ok(0) };
        let mut count = 0;
        for span in spans {
            count += self.source.view.count_index(self.source.table_idx, *index, span)?.0;
        }
        let still = count.saturating_sub(self.entries_read).saturating_add(1);
        Ok(usize::try_from(still).unwrap_or(usize::MAX).min(self.left.saturating_add(1)))
    }
}

impl<R: Row> Iterator for Run<'_, R> {
    type Item = Result<Found<R>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.enter_window()? {
            return Some(Err(error));
        }
        let found = self.found()?;
        self.left -= 1;
        Some(found)
    }
}

impl<R: Row> Drop for Run<'_, R> {
    fn drop(&mut self) {
        self.source.engine.touched.add(self.rows_read, self.entries_read);
    }
}

//! The sources of queries: a table of a view, with or without a transaction's writes.

use std::any::TypeId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::buffer::RowBuffer;
use super::expr::Node;
use super::plan::{Access, Arrangement, Facts, Plan, plan};
use super::run::Run;
use super::spec::Spec;
use super::walk::{Common, Walk, WalkStep};
use crate::disk::{Fetched, View};
use crate::engine::{Engine, IndexState, RowOps, WriteBatch};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::TableIdx;

/// How many rows are looked up at once. More would be gone from the nearest cache by the time that
/// they are decoded.
pub(super) const FETCHED_AT_ONCE: usize = 32;

/// A view of a table, and over it what a transaction wrote.
#[derive(Clone)]
pub(crate) struct Source<'s> {
    pub(crate) engine: Arc<Engine>,
    pub(crate) view: Arc<View>,
    pub(crate) table_idx: TableIdx,
    pub(crate) written: Option<&'s RowOps>,
    /// All that the transaction wrote.
    pub(crate) batch: Option<&'s WriteBatch>,
}

impl<'s> Source<'s> {
    /// The table as a transaction sees it, or if there is none, as the view has it.
    pub(crate) fn new(
        engine: Arc<Engine>,
        view: Arc<View>,
        table_idx: TableIdx,
        batch: Option<&'s WriteBatch>,
    ) -> Self {
        let written = batch.and_then(|batch| batch.tables.get(&table_idx));
        Self { engine, view, table_idx, written, batch }
    }

    /// The same view of another table.
    pub(crate) fn of_table(&self, table_idx: TableIdx) -> Self {
        Self::new(self.engine.clone(), self.view.clone(), table_idx, self.batch)
    }

    /// The table with rows of a type.
    pub(crate) fn table_of(&self, row: TypeId) -> Result<TableIdx> {
        let mut tables = self.engine.def.tables_by_idx();
        let found = tables.find(|(_, table)| (table.type_id)() == row);
        found.map(|(table_idx, _)| table_idx).ok_or_else(|| {
            let error =
                Error::new(ErrorKind::WrongStore, "the store has no table of that row type");
            error.help("ask a store that has both tables")
        })
    }

    /// A query with the keys of referred rows in place of conditions on these. Adds the tables that were
    /// looked at.
    pub(crate) fn resolved(&self, spec: &Spec, tables: &mut Vec<TableIdx>) -> Result<Spec> {
        let mut resolved = spec.clone();
        if let Some(filter) = spec.filter.as_ref().filter(|filter| filter.has_referred()) {
            resolved.filter = Some(filter.resolved(self, tables)?);
        }
        Ok(resolved)
    }

    pub(crate) fn plan(&self, spec: &Spec, filter: Option<&Node>) -> Result<Plan> {
        Ok(plan(spec, filter, &self.facts()?))
    }

    pub(super) fn facts(&self) -> Result<Facts<'static>> {
        let mut indexes = Vec::new();
        let states = self.engine.index_states(&self.view, self.table_idx);
        for (index, state) in states.into_iter().enumerate() {
            indexes.push(match state {
                // Its order is not that of whole values.
                IndexState::Complete if self.view.index_is_cut(self.table_idx, index)? => {
                    IndexState::Candidates
                }
                state => state,
            });
        }
        let table = &self.engine.def.tables[self.table_idx];
        Ok(Facts { table, rows: self.view.len(self.table_idx)?, indexes })
    }

    /// Whether an index says that all rows in its table decode.
    pub(super) fn all_decode(&self, facts: &Facts<'_>) -> Result<bool> {
        let known = facts.indexes.iter().position(|state| *state == IndexState::Complete);
        let Some(index) = known else { return Ok(false) };
        Ok(!self.view.index_has_invalid(self.table_idx, index)?)
    }

    /// The error with its store and table.
    pub(crate) fn placed(&self, error: Error) -> Error {
        self.engine.placed(error.at_table(self.engine.def.tables[self.table_idx].name))
    }

    /// The ways through the table that an access takes, in order.
    pub(super) fn walks(&self, access: &Access, is_back: bool) -> Result<VecDeque<Walk>> {
        let mut walks = VecDeque::new();
        match access {
            Access::Nothing => {}
            Access::Rows(spans) => {
                // A way takes some room, and mostly there is one.
                walks.reserve_exact(spans.len());
                for span in spans {
                    let (from, to) = span.bounds();
                    walks.push_back(Walk::Rows(self.view.rows_in(self.table_idx, from, to)?));
                }
            }
            Access::Index { index, spans } => {
                walks.reserve_exact(spans.len());
                for span in spans {
                    walks.push_back(Walk::Index(self.view.index(self.table_idx, *index, span)?));
                }
            }
            Access::Common { index, spans } => {
                let parts = spans.iter().map(|span| self.view.index(self.table_idx, *index, span));
                walks.push_back(Walk::Common(Common::of(parts.collect::<Result<_>>()?)));
            }
            Access::Union(parts) => {
                for part in parts {
                    walks.extend(self.walks(part, false)?);
                }
            }
        }
        if is_back {
            walks.make_contiguous().reverse();
        }
        Ok(walks)
    }

    /// Whether a transaction has written the row anew.
    #[inline]
    pub(super) fn is_written(&self, key: &[u8]) -> bool {
        self.written.is_some_and(|rows| rows.contains_key(key))
    }

    /// Reads the next row on the way into the buffer, and into `key` the bytes of its key. Of rows that are looked up,
    /// `wanted` are surely asked for, so that some of them may be looked up at once.
    pub(super) fn step(
        &self,
        walk: &mut Walk,
        is_back: bool,
        wanted: usize,
        fetched: &mut Fetched,
        key: &mut Vec<u8>,
        buffer: &mut dyn RowBuffer,
    ) -> WalkStep {
        if let Walk::Rows(rows) = walk {
            let next = rows.step_with(is_back, |found, row| {
                if self.is_written(found) {
                    return WalkStep::Skipped;
                }
                found.clone_into(key);
                WalkStep::Row(buffer.read(found, row))
            });
            return match next {
                Some(Ok(step)) => step,
                Some(Err(error)) => WalkStep::Failed(error),
                None => WalkStep::End,
            };
        }
        if fetched.is_empty() {
            let at_most = wanted.clamp(1, FETCHED_AT_ONCE);
            fetched.fill(at_most, |keys| walk.append_keys(is_back, at_most, keys));
        }
        let row = match fetched.next() {
            Some(Ok((found, _))) if self.is_written(found) => return WalkStep::Skipped,
            Some(Ok((found, Some(row)))) => {
                found.clone_into(key);
                buffer.read(found, row)
            }
            Some(Ok((found, None))) => {
                found.clone_into(key);
                Err(self.placed(missing_row()))
            }
            Some(Err(error)) => return WalkStep::Failed(error),
            None => return WalkStep::End,
        };
        match walk {
            Walk::Index(_) | Walk::Common(_) => WalkStep::Entry(row),
            _ => WalkStep::Row(row),
        }
    }

    /// The rows of a query, which go through the buffer.
    pub(crate) fn run(self, spec: Spec, buffer: &mut dyn RowBuffer) -> Result<Run<'s>> {
        Run::start(self, spec, buffer)
    }

    /// How many rows a query gives.
    pub(crate) fn count(self, spec: &Spec, buffer: &mut dyn RowBuffer) -> Result<usize> {
        let counted = match spec.filter {
            None if spec.cursor.is_none() => self.len()?,
            _ => {
                let mut spec = spec.clone();
                // In which order rows are counted makes no difference, but to a cursor.
                if spec.cursor.is_none() {
                    spec.order.clear();
                }
                (spec.offset, spec.limit) = (0, spec.window());
                self.count_matching(spec, buffer)?
            }
        };
        Ok(counted.saturating_sub(spec.offset).min(spec.limit.unwrap_or(usize::MAX)))
    }

    fn len(&self) -> Result<usize> {
        let mut len = self.view.len(self.table_idx)?;
        for op in self.written.into_iter().flat_map(BTreeMap::values) {
            match (op.existed, op.json.is_some()) {
                (false, true) => len += 1,
                (true, false) => len -= 1,
                _ => {}
            }
        }
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn count_matching(self, spec: Spec, buffer: &mut dyn RowBuffer) -> Result<usize> {
        let most = spec.limit.unwrap_or(usize::MAX);
        match self.exact_access(&spec)? {
            Some(Plan { access: Access::Index { index, spans }, .. }) => {
                let (mut count, mut touched) = (0, 0);
                for span in &spans {
                    let (totals, read) = self.view.index_totals(self.table_idx, index, span)?;
                    (count, touched) = (count + totals.entries, touched + read);
                }
                self.engine.read_counts.add(0, touched);
                return Ok(usize::try_from(count).unwrap_or(usize::MAX).min(most));
            }
            Some(plan) => {
                let (mut count, mut key) = (0, Vec::new());
                for mut walk in self.walks(&plan.access, false)? {
                    while count < most
                        && let Some(found) = walk.key(false, &mut key)
                    {
                        found?;
                        count += 1;
                    }
                }
                self.engine.read_counts.add(0, count as u64);
                return Ok(count);
            }
            None => {}
        }
        let mut count = 0;
        let mut run = self.run(spec, buffer)?.in_full();
        while let Some(row) = run.next(buffer) {
            row?;
            count += 1;
        }
        Ok(count)
    }

    /// The plan of a query whose rows are just the entries of an index, or none, and none of which is
    /// written anew.
    fn exact_access(&self, spec: &Spec) -> Result<Option<Plan>> {
        if spec.cursor.is_some() || self.written.is_some_and(|rows| !rows.is_empty()) {
            return Ok(None);
        }
        let plan = self.plan(spec, spec.simplified().as_ref())?;
        let is_exact = match plan.access {
            Access::Nothing => true,
            Access::Index { .. } | Access::Common { .. } => plan.is_exact,
            _ => false,
        };
        Ok(is_exact.then_some(plan))
    }

    /// The keys of the rows of a query, if an index alone can say.
    fn exact_keys(&self, spec: &Spec) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(plan) = self.exact_access(spec)? else { return Ok(None) };
        let walks = self.walks(&plan.access, plan.is_back)?;
        // Those in an order of keys are sorted first, those in another have to be read.
        let most = match plan.arrangement {
            Arrangement::AsTheyCome => spec.window().unwrap_or(usize::MAX),
            Arrangement::ByKey => usize::MAX,
            Arrangement::Sorted => return Ok(None),
        };
        let mut keys = Vec::new();
        for mut walk in walks {
            while keys.len() < most
                && let Some(key) = walk.owned_key(plan.is_back)
            {
                keys.push(key?);
            }
        }
        self.engine.read_counts.add(0, keys.len() as u64);
        if plan.arrangement == Arrangement::ByKey {
            keys.sort_unstable();
        }
        let keys = keys.into_iter().skip(spec.offset).take(spec.limit.unwrap_or(usize::MAX));
        Ok(Some(keys.collect()))
    }

    /// The bytes of the keys of the rows of a query.
    pub(crate) fn keys(self, spec: &Spec, buffer: &mut dyn RowBuffer) -> Result<Vec<Vec<u8>>> {
        if spec.filter.is_some()
            && let Some(keys) = self.exact_keys(spec)?
        {
            return Ok(keys);
        }
        let mut run = self.run(spec.clone(), buffer)?.in_full();
        let mut keys = Vec::new();
        while let Some(row) = run.next(buffer) {
            row?;
            keys.push(run.key().to_vec());
        }
        Ok(keys)
    }
}

/// An index names a row that is not there. No commit leaves it so.
pub(super) fn missing_row() -> Error {
    Error::new(ErrorKind::Corrupt, "a row that an index names is missing").help(
        "the file is damaged: restore a backup, or start a new file and let another device's \
               changes fill it",
    )
}

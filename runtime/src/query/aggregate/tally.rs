//! [`Tally`]: what an aggregate keeps of each group of rows.

use std::collections::BTreeMap;

use super::functions::{Aggregate, Step};
use crate::error::Result;
use crate::query::column::Name;
use crate::query::columns::Columns;

/// The state of an aggregate for each group of rows, by the encoding of the columns that these
/// share.
pub(crate) struct Tally<R, K: Columns<R>, G: Aggregate<R>> {
    pub(super) key: K,
    pub(super) aggregate: G,
    groups: BTreeMap<Vec<u8>, Group<K::Value, G::State>>,
    /// The encoding of the row that is looked at.
    encoded: Vec<u8>,
}

struct Group<V, S> {
    value: V,
    rows: u64,
    state: S,
}

/// All rows as one group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole;

impl<R> Columns<R> for Whole {
    type Value = ();
    type Itself = Self;

    fn itself(self) -> Self {
        self
    }

    fn encode(&self, _: &R, _: &mut Vec<u8>) {}

    fn value(&self, _: &R) -> Option<()> {
        Some(())
    }

    fn constant(&self) -> Option<()> {
        Some(())
    }

    fn needs(&self, _: &mut Vec<Name>) {}

    fn roots(&self, _: &mut Vec<&'static str>) {}

    fn parse(&self, _: &mut std::slice::Iter<'_, &str>) -> Option<()> {
        Some(())
    }
}

impl<R, K: Columns<R>, G: Aggregate<R>> Tally<R, K, G> {
    pub(crate) fn new(key: K, aggregate: G) -> Self {
        Self { key, aggregate, groups: BTreeMap::new(), encoded: Vec::new() }
    }

    /// The same without rows.
    pub(super) fn emptied(&self) -> Self {
        Self::new(self.key.clone(), self.aggregate.clone())
    }

    /// Adds a row, or takes one out. A group without rows is removed.
    pub(super) fn take(&mut self, row: &R, step: Step) {
        self.encoded.clear();
        self.key.encode(row, &mut self.encoded);
        match self.groups.get_mut(&self.encoded) {
            Some(group) if step == Step::Remove => {
                self.aggregate.take(&mut group.state, row, step);
                group.rows = group.rows.saturating_sub(1);
                if group.rows == 0 {
                    self.groups.remove(&self.encoded);
                }
            }
            Some(group) => {
                self.aggregate.take(&mut group.state, row, step);
                group.rows += 1;
            }
            None if step == Step::Remove => {}
            None => {
                let Some(value) = self.key.value(row) else { return };
                let mut group = Group { value, rows: 1, state: G::State::default() };
                self.aggregate.take(&mut group.state, row, step);
                self.groups.insert(self.encoded.clone(), group);
            }
        }
    }

    /// Adds rows by what was kept of them elsewhere: the encoding of their group, their number and
    /// the state.
    pub(super) fn insert(&mut self, encoded: Vec<u8>, value: K::Value, rows: u64, state: G::State) {
        self.groups.insert(encoded, Group { value, rows, state });
    }

    /// Returns the result of each group, in the order of the columns that its rows share.
    pub(crate) fn groups(&self) -> Result<Vec<(K::Value, G::Output)>> {
        let group = |group: &Group<K::Value, G::State>| {
            Ok((group.value.clone(), self.aggregate.output(&group.state)?))
        };
        self.groups.values().map(group).collect()
    }
}

impl<R, G: Aggregate<R>> Tally<R, Whole, G> {
    /// Returns the result of all rows.
    pub(crate) fn whole(&self) -> Result<G::Output> {
        match self.groups.values().next() {
            Some(group) => self.aggregate.output(&group.state),
            None => self.aggregate.output(&G::State::default()),
        }
    }
}

//! Filling a tally from an index that has all of the columns, without reading the rows.
//!
//! What many entries come to is known to the index, if one group is made of numbers that its entries begin
//! with. Otherwise each entry is looked at.
//!
//! An entry is the encodings of its values, one after another, and only a value's type knows where
//! its encoding ends. So the row of an entry is read where a value begins that is new and that is not
//! a number: once for each group, and once for each value before a column that is needed.

use std::collections::HashMap;

use super::functions::{Aggregate, Step};
use super::tally::Tally;
use crate::disk::{EntryChunk, Span, Totals};
use crate::error::Result;
use crate::query::buffer::Read;
use crate::query::column::Name;
use crate::query::columns::Columns;
use crate::query::plan::covering;
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::order::number_len;
use crate::row::{IndexValues, Row};

/// Before so many rows were read, an index is not given up.
const MIN_ROWS: u64 = 1 << 10;

/// To go from an entry to its row takes as long as reading a few rows in their order.
const ENTRIES_A_ROW: u64 = 4;

/// The state of one group, made of its index entries.
struct Group<V, S> {
    value: V,
    rows: u64,
    state: S,
}

/// The values of the entry before, and where each ends, as far as that is known.
#[derive(Default)]
struct Known {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Known {
    /// Forgets the values that differ in another entry, and takes over its bytes.
    fn compare(&mut self, bytes: &[u8]) {
        let common = self.bytes.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        // No encoding is the beginning of another.
        let same = self.ends.partition_point(|end| *end <= common);
        self.ends.truncate(same);
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    fn value(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(place).copied().unwrap_or(self.bytes.len());
        self.bytes.get(start.copied().unwrap_or_default()..end).unwrap_or_default()
    }
}

/// Fills a tally, if an index will do; otherwise it is as it was.
pub(super) fn fold_covered<R: Row, K: Columns<R>, G: Aggregate<R>>(
    tally: &mut Tally<R, K, G>,
    source: &Source<'_>,
    spec: &Spec,
    read: Read<R>,
    step: Step,
    skips_invalid: bool,
) -> Result<bool> {
    if source.written.is_some_and(|rows| !rows.is_empty()) {
        return Ok(false);
    }
    let (mut columns, mut taken) = (Vec::new(), Vec::new());
    tally.key.needs(&mut columns);
    if !tally.aggregate.needs(&mut taken) {
        return Ok(false);
    }
    let group_len = columns.len();
    columns.extend(taken.iter().map(|column| column.name));
    let filter = spec.simplified();
    let facts = source.facts()?;
    let Some((index, spans)) = covering(filter.as_ref(), &facts, &columns) else {
        return Ok(false);
    };
    let def = &facts.table.indexes[index];
    let place = |name: &Name| def.columns().position(|column| column == *name);
    let places: Vec<usize> = columns.iter().filter_map(place).collect();
    let is_number = |name: Name| taken.iter().any(|column| column.is_number && column.name == name);
    let is_number: Vec<bool> = def.columns().map(is_number).collect();
    if filter.is_none() && !skips_invalid && has_invalid(source, index)? {
        return Ok(false);
    }
    if fold_totals(tally, source, index, &places, &spans)? {
        return Ok(true);
    }
    let mut covered = Covered::<R, K, G> {
        source,
        read,
        index,
        width: def.fields.len(),
        last: places.iter().copied().max(),
        group_places: &places[..group_len],
        taken_places: &places[group_len..],
        is_number: &is_number,
        known: Known::default(),
        values: IndexValues::default(),
        by_value: HashMap::new(),
        by_encoding: HashMap::new(),
        groups: Vec::new(),
        current: None,
        rows_read: 0,
        entries_read: 0,
    };
    let is_done = covered.walk(tally, &spans, step);
    source.engine.read_counts.add(covered.rows_read, covered.entries_read);
    if !is_done? {
        return Ok(false);
    }
    let mut encodings: Vec<_> = covered.by_encoding.into_iter().collect();
    encodings.sort_unstable_by_key(|(_, number)| *number);
    for ((encoded, _), group) in encodings.into_iter().zip(covered.groups) {
        tally.insert(encoded, group.value, group.rows, group.state);
    }
    Ok(true)
}

/// Fills a tally of one group from what the blocks of an index come to, if that tells; otherwise it is as
/// it was.
fn fold_totals<R: Row, K: Columns<R>, G: Aggregate<R>>(
    tally: &mut Tally<R, K, G>,
    source: &Source<'_>,
    index: usize,
    places: &[usize],
    spans: &[Span],
) -> Result<bool> {
    let Some(value) = tally.key.constant().filter(|_| places.iter().all(|place| *place == 0))
    else {
        return Ok(false);
    };
    if tally.aggregate.of_totals(&Totals::default()).is_none() {
        return Ok(false);
    }
    let (mut totals, mut touched) = (Totals::default(), 0);
    for span in spans {
        let (of_span, read) = source.view.index_totals(source.table_idx, index, span)?;
        totals += of_span;
        touched += read;
    }
    source.engine.read_counts.add(0, touched);
    let Some(state) = tally.aggregate.of_totals(&totals) else { return Ok(false) };
    if totals.entries > 0 {
        tally.insert(Vec::new(), value, totals.entries, state);
    }
    Ok(true)
}

/// Whether there are rows that are not in the order of an index.
pub(super) fn has_invalid(source: &Source<'_>, index: usize) -> Result<bool> {
    Ok(source.view.index_has_invalid(source.table_idx, index)?
        || !source.view.strays(source.table_idx)?.is_empty())
}

/// Walking an index.
struct Covered<'w, R: Row, K: Columns<R>, G: Aggregate<R>> {
    source: &'w Source<'w>,
    read: Read<R>,
    index: usize,
    /// How many fields the index has.
    width: usize,
    /// The last of them that is needed.
    last: Option<usize>,
    /// The positions in the index of the columns of the group, and of those of the aggregate.
    group_places: &'w [usize],
    taken_places: &'w [usize],
    /// Of each field of the index, whether it is one number.
    is_number: &'w [bool],
    known: Known,
    values: IndexValues,
    /// The groups by the bytes of their columns. Several of these may be of one group.
    by_value: HashMap<Vec<u8>, usize>,
    by_encoding: HashMap<Vec<u8>, usize>,
    groups: Vec<Group<K::Value, G::State>>,
    /// The group of the entry before.
    current: Option<usize>,
    rows_read: u64,
    entries_read: u64,
}

impl<R: Row, K: Columns<R>, G: Aggregate<R>> Covered<'_, R, K, G> {
    /// Adds all entries in some spans; false if that would take longer than reading the rows.
    fn walk(&mut self, tally: &Tally<R, K, G>, spans: &[Span], step: Step) -> Result<bool> {
        let group_end = self.group_places.iter().map(|place| place + 1).max().unwrap_or_default();
        let mut chunk = EntryChunk::default();
        for span in spans {
            let mut entries = self.source.view.index(self.source.table_idx, self.index, span)?;
            loop {
                let read = entries.next_chunk(&mut chunk);
                for (values, key) in chunk.iter() {
                    if !self.entry(tally, group_end, values, key, step)? {
                        return Ok(false);
                    }
                }
                read?;
                if chunk.is_empty() {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// Adds one entry; false if the rows have to be read.
    fn entry(
        &mut self,
        tally: &Tally<R, K, G>,
        group_end: usize,
        values: &[u8],
        key: &[u8],
        step: Step,
    ) -> Result<bool> {
        self.entries_read += 1;
        self.known.compare(values);
        if self.known.ends.len() < group_end {
            self.current = None;
        }
        let Some(row) = self.find_ends(key)? else { return Ok(false) };
        let group = match self.current {
            Some(group) => group,
            None => match self.group(tally, key, row)? {
                Some(group) => *self.current.insert(group),
                None => return Ok(false),
            },
        };
        let Self { groups, known, taken_places, .. } = self;
        let Some(group) = groups.get_mut(group) else { return Ok(false) };
        group.rows += 1;
        let mut values = taken_places.iter().map(|place| known.value(*place));
        let is_taken = tally.aggregate.take_encoded(&mut group.state, &mut values, key, step);
        Ok(is_taken && !self.is_slow())
    }

    fn is_slow(&self) -> bool {
        self.rows_read > MIN_ROWS && self.rows_read * ENTRIES_A_ROW > self.entries_read
    }

    /// Finds where the values of the entry end, up to the last that is needed, with the row if that
    /// had to be read; nothing if the row does not say what its entry says.
    #[expect(clippy::option_option, reason = "the inner one is whether the row was read")]
    fn find_ends(&mut self, key: &[u8]) -> Result<Option<Option<R>>> {
        let Some(last) = self.last else { return Ok(Some(None)) };
        while self.known.ends.len() <= last {
            let place = self.known.ends.len();
            if place + 1 == self.width {
                self.known.ends.push(self.known.bytes.len());
                break;
            }
            let start = self.known.ends.last().copied().unwrap_or_default();
            let is_number = self.is_number.get(place) == Some(&true);
            let rest = self.known.bytes.get(start..).unwrap_or_default();
            match number_len(rest).filter(|len| is_number && *len <= rest.len()) {
                Some(len) => self.known.ends.push(start + len),
                None => {
                    let Some(row) = self.row(key)? else { return Ok(None) };
                    self.values.clear();
                    row.index_values(self.index, &mut self.values);
                    if self.values.bytes != self.known.bytes {
                        return Ok(None);
                    }
                    self.known.ends.clone_from(&self.values.ends);
                    return Ok(Some(Some(row)));
                }
            }
        }
        Ok(Some(None))
    }

    /// The group of the entry.
    fn group(
        &mut self,
        tally: &Tally<R, K, G>,
        key: &[u8],
        row: Option<R>,
    ) -> Result<Option<usize>> {
        let mut value = Vec::new();
        for place in self.group_places {
            value.extend_from_slice(self.known.value(*place));
        }
        if let Some(group) = self.by_value.get(&value) {
            return Ok(Some(*group));
        }
        let mut encoded = Vec::new();
        let common = match tally.key.constant() {
            Some(constant) => Some(constant),
            None => {
                let row = match row {
                    Some(row) => Some(row),
                    None => self.row(key)?,
                };
                row.and_then(|row| {
                    tally.key.encode(&row, &mut encoded);
                    tally.key.value(&row)
                })
            }
        };
        let Some(common) = common else { return Ok(None) };
        let next = self.groups.len();
        let group = *self.by_encoding.entry(encoded).or_insert(next);
        if group == next {
            self.groups.push(Group { value: common, rows: 0, state: G::State::default() });
        }
        self.by_value.insert(value, group);
        Ok(Some(group))
    }

    fn row(&mut self, key: &[u8]) -> Result<Option<R>> {
        self.rows_read += 1;
        let row = self.source.view.row(self.source.table_idx, key)?;
        // A row that does not decode is reported where all rows are read.
        Ok(row.and_then(|stored| (self.read.stored)(key, &stored).ok()))
    }
}

//! Sets of values as ranges of their encodings: what a condition on one column comes down to.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::disk::after_prefix;

/// One contiguous part of the order of all values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Bound<Vec<u8>>,
    pub(crate) to: Bound<Vec<u8>>,
}

/// A set of values: ranges in their order, apart from one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<Range>);

impl Range {
    pub(super) fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
            | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
            _ => false,
        }
    }

    /// The one value it consists of.
    pub(crate) fn point(&self) -> Option<&[u8]> {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Included(to)) if from == to => Some(from),
            _ => None,
        }
    }

    fn holds(&self, value: &[u8]) -> bool {
        let after = match &self.from {
            Bound::Included(from) => value >= from.as_slice(),
            Bound::Excluded(from) => value > from.as_slice(),
            Bound::Unbounded => true,
        };
        after
            && match &self.to {
                Bound::Included(to) => value <= to.as_slice(),
                Bound::Excluded(to) => value < to.as_slice(),
                Bound::Unbounded => true,
            }
    }

    /// Whether both ends are given.
    pub(crate) fn is_bounded(&self) -> bool {
        self.from != Bound::Unbounded && self.to != Bound::Unbounded
    }
}

impl Ranges {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn point(value: Vec<u8>) -> Self {
        Self(vec![Range { from: Bound::Included(value.clone()), to: Bound::Included(value) }])
    }

    /// Single values, sorted and each once.
    pub(crate) fn points(values: Vec<Vec<u8>>) -> Self {
        let point = |value: Vec<u8>| Range {
            from: Bound::Included(value.clone()),
            to: Bound::Included(value),
        };
        Self(values.into_iter().map(point).collect())
    }

    pub(crate) fn between(from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Self {
        let range = Range { from, to };
        Self(if range.is_empty() { Vec::new() } else { vec![range] })
    }

    /// All encodings that start with these bytes.
    pub(crate) fn prefix(prefix: Vec<u8>) -> Self {
        let end = after_prefix(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Self::between(Bound::Included(prefix), end)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Range> {
        self.0.iter()
    }

    pub(crate) fn into_vec(self) -> Vec<Range> {
        self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is made of single values only.
    pub(crate) fn are_points(&self) -> bool {
        self.0.iter().all(|range| range.point().is_some())
    }

    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        // The first range that does not end before the value.
        let at = self.0.partition_point(|range| match &range.to {
            Bound::Included(to) => to.as_slice() < value,
            Bound::Excluded(to) => to.as_slice() <= value,
            Bound::Unbounded => false,
        });
        self.0.get(at).is_some_and(|range| range.holds(value))
    }

    #[cfg(test)]
    pub(crate) fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::union_of(self.0)
    }

    /// Returns the values that lie in some of these ranges.
    pub(crate) fn union_of(mut ranges: Vec<Range>) -> Self {
        ranges.sort_by(|a, b| compare_starts(&a.from, &b.from));
        let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if touches(&last.to, &range.from) => {
                    if compare_ends(&last.to, &range.to).is_lt() {
                        last.to = range.to;
                    }
                }
                _ => joined.push(range),
            }
        }
        Self(joined)
    }

    pub(crate) fn complement(self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut from = Some(Bound::Unbounded);
        for range in self.0 {
            if let Some(from) = from.take()
                && let Some(to) = flip(range.from)
            {
                gaps.push(Range { from, to });
            }
            from = flip(range.to);
        }
        if let Some(from) = from {
            gaps.push(Range { from, to: Bound::Unbounded });
        }
        gaps.retain(|gap| !gap.is_empty());
        Self(gaps)
    }
}

/// Returns the start of the complement for the end of a set, and the other way round.
fn flip(bound: Bound<Vec<u8>>) -> Option<Bound<Vec<u8>>> {
    match bound {
        Bound::Included(value) => Some(Bound::Excluded(value)),
        Bound::Excluded(value) => Some(Bound::Included(value)),
        Bound::Unbounded => None,
    }
}

fn compare_starts(a: &Bound<Vec<u8>>, b: &Bound<Vec<u8>>) -> Ordering {
    let key = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Unbounded | Bound::Included(_) => 0,
        Bound::Excluded(_) => 1,
    };
    value(a).cmp(&value(b)).then_with(|| key(a).cmp(&key(b)))
}

fn compare_ends(a: &Bound<Vec<u8>>, b: &Bound<Vec<u8>>) -> Ordering {
    let key = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Excluded(_) => 0,
        Bound::Unbounded | Bound::Included(_) => 1,
    };
    match (value(a), value(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(left), Some(right)) => left.cmp(right).then_with(|| key(a).cmp(&key(b))),
    }
}

fn value(bound: &Bound<Vec<u8>>) -> Option<&[u8]> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

/// Whether nothing lies between an end and the start after it.
fn touches(end: &Bound<Vec<u8>>, start: &Bound<Vec<u8>>) -> bool {
    match (end, start) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(end), Bound::Excluded(start)) => start < end,
        (Bound::Included(end) | Bound::Excluded(end), Bound::Included(start))
        | (Bound::Included(end), Bound::Excluded(start)) => start <= end,
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::Ranges;

    fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![
            Just(Bound::Unbounded),
            (0..8u8).prop_map(|n| Bound::Included(vec![n])),
            (0..8u8).prop_map(|n| Bound::Excluded(vec![n])),
        ]
    }

    fn ranges() -> impl Strategy<Value = Ranges> {
        prop::collection::vec((bound(), bound()), 0..4).prop_map(|bounds| {
            let ranges = bounds.into_iter().map(|(from, to)| Ranges::between(from, to));
            ranges.fold(Ranges::none(), Ranges::union)
        })
    }

    /// Values at and between the bounds.
    fn values() -> impl Iterator<Item = Vec<u8>> {
        (0..8u8).flat_map(|n| [vec![n], vec![n, 0]])
    }

    proptest! {
        #[test]
        fn they_are_sets(a in ranges(), b in ranges()) {
            let (either, not) = (a.clone().union(b.clone()), a.clone().complement());
            for value in values() {
                prop_assert_eq!(either.holds(&value), a.holds(&value) || b.holds(&value));
                prop_assert_eq!(not.holds(&value), !a.holds(&value));
            }
        }
    }
}

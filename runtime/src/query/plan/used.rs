//! The spans of an index, or of keys of several fields, that conditions leave.

use std::ops::Bound;

use super::Name;
use super::conditions::{Conditions, share};
use crate::disk::{Span, after_prefix};
use crate::query::ranges::{Range, Ranges};
use crate::row::cut;

/// More spans than this are looked at as one range instead.
const MAX_SPANS: usize = 10_000;

/// The part of an index that the conditions use.
pub(super) struct Used {
    pub(super) spans: Vec<Span>,
    /// The fields whose conditions the spans say.
    pub(super) known: Vec<Name>,
    /// How many leading fields have one value each, and the encodings of these.
    pub(super) points: usize,
    pub(super) prefix: Vec<u8>,
    /// Whether the spans hold nothing else.
    pub(super) is_exact: bool,
    pub(super) share: f64,
    /// From what length on values are cut.
    limit: usize,
}

impl Used {
    pub(super) fn of(conditions: &Conditions<'_>, fields: &[Name], limit: usize) -> Self {
        let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
        let mut used = Self {
            spans: Vec::new(),
            known: Vec::new(),
            points: 0,
            prefix: Vec::new(),
            is_exact: true,
            share: 1.0,
            limit,
        };
        let mut last = None;
        for &name in fields {
            let Some(set) = conditions.of_field(name) else { break };
            if set.len().saturating_mul(prefixes.len()) > MAX_SPANS {
                break;
            }
            used.known.push(name);
            used.share *= share(set);
            if !set.are_points() {
                last = Some(set);
                break;
            }
            if set.len() == 1 && used.points + 1 == used.known.len() {
                used.points += 1;
            }
            prefixes = prefixes
                .iter()
                .flat_map(|prefix| {
                    set.iter().filter_map(|range| range.point()).map(|value| {
                        let held = cut(value).filter(|_| value.len() > limit);
                        [prefix.as_slice(), held.as_deref().unwrap_or(value)].concat()
                    })
                })
                .collect();
            if used.points == used.known.len() {
                used.prefix = prefixes.first().cloned().unwrap_or_default();
            }
        }
        for prefix in prefixes {
            match last {
                Some(set) => used.add_ranges(&prefix, set),
                None if prefix.is_empty() => used.spans.push(Span::all()),
                None => used.spans.push(Span::starting_with(prefix)),
            }
        }
        if !used.is_exact {
            // Spans with bounds that were cut may have come to overlap, and a row comes once.
            let ranges = used.spans.into_iter().map(|Span { from, to }| Range { from, to });
            used.spans = spans_of(&Ranges::union_of(ranges.collect()));
        }
        used
    }

    /// The spans of values in a set that follow a prefix.
    fn add_ranges(&mut self, prefix: &[u8], set: &Ranges) {
        for range in set.iter() {
            let from = match &range.from {
                Bound::Unbounded => Bound::Included(prefix.to_vec()),
                Bound::Included(value) | Bound::Excluded(value) if value.len() > self.limit => {
                    self.is_exact = false;
                    Bound::Included([prefix, &value[..self.limit]].concat())
                }
                Bound::Included(value) => Bound::Included([prefix, value].concat()),
                // After all entries with that value, whatever follows it.
                Bound::Excluded(value) => end_of([prefix, value].concat(), Bound::Included),
            };
            let to = match &range.to {
                Bound::Unbounded if prefix.is_empty() => Span::all().to,
                Bound::Unbounded => end_of(prefix.to_vec(), Bound::Excluded),
                Bound::Included(value) | Bound::Excluded(value) if value.len() > self.limit => {
                    self.is_exact = false;
                    end_of([prefix, &value[..self.limit]].concat(), Bound::Excluded)
                }
                Bound::Included(value) => end_of([prefix, value].concat(), Bound::Excluded),
                Bound::Excluded(value) => Bound::Excluded([prefix, value].concat()),
            };
            self.spans.push(Span { from, to });
        }
    }
}

/// The bound right after all that starts with `prefix`.
fn end_of(prefix: Vec<u8>, bound: impl FnOnce(Vec<u8>) -> Bound<Vec<u8>>) -> Bound<Vec<u8>> {
    after_prefix(&prefix).map_or(Bound::Unbounded, bound)
}

pub(super) fn spans_of(set: &Ranges) -> Vec<Span> {
    set.iter().map(|range| Span { from: range.from.clone(), to: range.to.clone() }).collect()
}

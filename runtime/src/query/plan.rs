//! Choosing how to find the rows of a query.

mod by_index;
mod by_key;
mod conditions;
mod used;

use self::by_index::by_index;
use self::by_key::by_key;
use self::conditions::Conditions;
use self::used::Used;
use super::column::Name;
use super::expr::Node;
use super::spec::Spec;
use crate::disk::Span;
use crate::engine::IndexState;
use crate::row::VALUE_LIMIT_BYTES;
use crate::schema::descriptor::TableDef;

/// A table that seems smaller is planned for as if it had so many rows, so that plans do not change
/// while it grows.
const MIN_ROWS: f64 = 1_000.0;

/// The cost of sorting a row, in rows: more than going from an index to the row, since all rows are
/// in memory for it.
const SORTING: f64 = 1.2;

/// The facts of a table that a plan needs beside its descriptor.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    pub(crate) table: &'f TableDef,
    pub(crate) rows: u64,
    pub(crate) indexes: Vec<IndexState>,
}

/// The source of candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nowhere: no row can match.
    Nothing,
    /// The rows of the table between keys, in their order.
    Rows(Vec<Span>),
    /// The entries of an index.
    Index { index: usize, spans: Vec<Span> },
    /// The rows that each of some spans of an index over items has, each of them one item.
    Common { index: usize, spans: Vec<Span> },
    /// Several of the above, each key once.
    Union(Vec<Access>),
}

/// How candidates become the order asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// They come in it.
    AsTheyCome,
    /// Their keys are sorted before the rows are read.
    ByKey,
    /// The matching rows are sorted.
    Sorted,
}

/// How to run a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) access: Access,
    pub(crate) arrangement: Arrangement,
    /// Whether candidates come in descending order.
    pub(crate) is_back: bool,
    /// Whether candidates meet the filter by where they come from.
    pub(crate) is_exact: bool,
    /// Whether they come after the cursor by where they come from.
    pub(crate) is_past: bool,
    /// An index that would have served, and does not stand yet.
    pub(crate) waits_for: Option<usize>,
}

struct Candidate {
    plan: Plan,
    cost: f64,
    index: Option<usize>,
}

/// The best plan for a query.
pub(crate) fn plan(spec: &Spec, filter: Option<&Node>, facts: &Facts<'_>) -> Plan {
    let conditions = Conditions::of(filter);
    if conditions.fields.iter().any(|(_, set)| set.is_none()) {
        return Plan {
            access: Access::Nothing,
            arrangement: Arrangement::AsTheyCome,
            is_back: false,
            is_exact: true,
            is_past: true,
            waits_for: None,
        };
    }
    let mut candidates = vec![by_key(spec, &conditions, facts)];
    for (index, def) in facts.table.indexes.iter().enumerate() {
        candidates.extend(by_index(spec, &conditions, facts, index, def));
    }
    candidates.extend(by_union(spec, &conditions, facts));
    let waiting = |candidate: &Candidate| {
        candidate.index.filter(|index| facts.indexes.get(*index) == Some(&IndexState::Building))
    };
    let cheapest = |usable: bool| {
        let candidates = candidates.iter().filter(|c| !usable || waiting(c).is_none());
        candidates.min_by(|a, b| a.cost.total_cmp(&b.cost))
    };
    let waits_for = cheapest(false).and_then(waiting);
    match cheapest(true) {
        Some(best) => Plan { waits_for, ..best.plan.clone() },
        // The table itself always is a candidate.
        None => Plan {
            access: Access::Rows(vec![Span::whole()]),
            arrangement: Arrangement::Sorted,
            is_back: false,
            is_exact: false,
            is_past: false,
            waits_for,
        },
    }
}

/// An index that has all of these columns and whose entries in the spans are just the rows of a filter.
pub(crate) fn covering(
    filter: Option<&Node>,
    facts: &Facts<'_>,
    columns: &[Name],
) -> Option<(usize, Vec<Span>)> {
    let conditions = Conditions::of(filter);
    if !conditions.rest.is_empty() || conditions.fields.iter().any(|(_, set)| set.is_none()) {
        return None;
    }
    let indexes = facts.table.indexes.iter().enumerate().filter(|(index, def)| {
        facts.indexes.get(*index) == Some(&IndexState::Complete)
            // A row may have several entries in one over each item, or none.
            && !def.each
            && columns.iter().all(|column| def.columns().any(|name| name == *column))
    });
    let used = indexes.filter_map(|(index, def)| {
        let names: Vec<Name> = def.columns().collect();
        let used = Used::of(&conditions, &names, VALUE_LIMIT_BYTES);
        let is_exact = used.is_exact && used.known.len() == conditions.fields.len();
        is_exact.then_some((index, def.fields.len(), used.spans))
    });
    // The spans hold the same rows in each of them.
    let best = used.min_by_key(|(_, width, _)| *width);
    best.map(|(index, _, spans)| (index, spans))
}

/// Returns the cost of reading, in rows: `each` per candidate, and only as far as the limit needs
/// if they come in order.
fn cost(candidates: f64, each: f64, is_served: bool, spec: &Spec, share: f64) -> f64 {
    if !is_served {
        return candidates * (each + SORTING) + 1.0;
    }
    let wanted = spec.window().map_or(f64::INFINITY, |window| window as f64 / share.max(1e-6));
    candidates.min(wanted) * each + 1.0
}

/// Plans a condition that holds if one of several does, each of which can be looked up.
fn by_union(spec: &Spec, conditions: &Conditions<'_>, facts: &Facts<'_>) -> Option<Candidate> {
    let unions = conditions.rest.iter().filter_map(|node| match node {
        Node::Any(branches) => union(branches, facts),
        _ => None,
    });
    let (parts, found) = unions.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let arrangement = if spec.order.is_empty() { Arrangement::ByKey } else { Arrangement::Sorted };
    let plan = Plan {
        access: Access::Union(parts),
        arrangement,
        is_back: false,
        is_exact: false,
        is_past: false,
        waits_for: None,
    };
    let cost = found * if spec.order.is_empty() { 2.0 } else { 2.0 + SORTING } + 1.0;
    Some(Candidate { plan, cost, index: None })
}

/// How each branch is looked up, and how many candidates that gives.
fn union(branches: &[Node], facts: &Facts<'_>) -> Option<(Vec<Access>, f64)> {
    let plain = Spec::default();
    let mut parts = Vec::with_capacity(branches.len());
    let mut found = 0.0;
    for branch in branches {
        let conditions = Conditions::of(Some(branch));
        if conditions.fields.iter().any(|(_, set)| set.is_none()) {
            continue;
        }
        let key = by_key(&plain, &conditions, facts);
        let is_whole = key.plan.access == Access::Rows(vec![Span::whole()]);
        let indexes = facts.table.indexes.iter().enumerate();
        let indexes = indexes
            .filter(|(index, _)| facts.indexes.get(*index) != Some(&IndexState::Building))
            .filter_map(|(index, def)| by_index(&plain, &conditions, facts, index, def));
        let ways = indexes.chain((!is_whole).then_some(key));
        let best = ways.min_by(|a, b| a.cost.total_cmp(&b.cost))?;
        found += best.cost / 2.0;
        parts.push(best.plan.access);
    }
    Some((parts, found))
}

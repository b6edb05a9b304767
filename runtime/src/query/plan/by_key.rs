//! Finding rows by their keys.

use std::ops::Bound;

use super::conditions::{Conditions, share};
use super::used::{Used, spans_of};
use super::{Access, Arrangement, Candidate, Facts, MIN_ROWS, Name, Plan, cost};
use crate::disk::Span;
use crate::query::cursor::narrow;
use crate::query::keys::key_ranges;
use crate::query::order::ColumnOrder;
use crate::query::spec::Spec;

pub(super) fn by_key(spec: &Spec, conditions: &Conditions<'_>, facts: &Facts<'_>) -> Candidate {
    let names: Vec<Name> = facts.table.key_names().map(|name| (name, false)).collect();
    match names[..] {
        [key] => by_single_key(spec, conditions, facts, key),
        _ => by_key_fields(spec, conditions, facts, &names),
    }
}

fn by_single_key(
    spec: &Spec,
    conditions: &Conditions<'_>,
    facts: &Facts<'_>,
    key: Name,
) -> Candidate {
    let set = conditions.of_field(key).and_then(|set| key_ranges(facts.table, set));
    let rows = (facts.rows as f64).max(MIN_ROWS);
    // A key is found, and is there once.
    let (mut spans, candidates) = match &set {
        Some(set) => {
            let found = if set.are_points() { set.len() as f64 } else { rows * share(set) };
            (spans_of(set), found)
        }
        None => (vec![Span::whole()], rows),
    };
    let known = if set.is_some() { vec![key] } else { Vec::new() };
    let first = spec.order.first();
    let is_served = first.is_none_or(|order| order.field.is_named(key));
    let is_back = is_served && first.is_some_and(|order| order.is_desc);
    let is_by_key = spec.order.len() <= 1;
    if let Some(cursor) = spec.cursor.as_ref().filter(|_| is_served) {
        // A row may have come under its key with other values in the columns after that.
        let edge =
            if is_by_key { Bound::Excluded(cursor.key()) } else { Bound::Included(cursor.key()) };
        narrow(&mut spans, edge, is_back);
    }
    let plan = Plan {
        access: Access::Rows(spans),
        arrangement: if is_served { Arrangement::AsTheyCome } else { Arrangement::Sorted },
        is_back,
        is_exact: conditions.rest.is_empty() && conditions.fields.len() == known.len(),
        is_past: is_served && is_by_key,
        waits_for: None,
    };
    let cost = cost(candidates, 1.0, is_served, spec, conditions.share_beside(&known));
    Candidate { plan, cost, index: None }
}

/// Rows stand under the sort keys of their key's fields, so these are used as those of an index are.
fn by_key_fields(
    spec: &Spec,
    conditions: &Conditions<'_>,
    facts: &Facts<'_>,
    names: &[Name],
) -> Candidate {
    let mut used = Used::of(conditions, names, usize::MAX);
    let rows = (facts.rows as f64).max(MIN_ROWS);
    let is_one = used.points == names.len();
    let candidates = if is_one { 1.0 } else { rows * used.share };
    if used.known.is_empty() {
        used.spans = vec![Span::whole()];
    }
    let single = &names[..used.points];
    let is_single = |order: &&ColumnOrder| single.iter().any(|name| order.field.is_named(*name));
    let wanted: Vec<&ColumnOrder> = spec.order.iter().filter(|order| !is_single(order)).collect();
    let rest = &names[used.points..];
    // Behind all fields of the key, nothing is left to be ordered.
    let is_whole = wanted.len() >= rest.len();
    let wanted = &wanted[..wanted.len().min(rest.len())];
    // Rows with equal values come by key, in the direction of the last column.
    let is_back = match is_whole {
        true => wanted.first().is_some_and(|order| order.is_desc),
        false => spec.order.last().is_some_and(|order| order.is_desc),
    };
    let is_served = wanted
        .iter()
        .zip(rest)
        .all(|(order, name)| order.field.is_named(*name) && order.is_desc == is_back);
    let mut is_past = false;
    if let Some(cursor) = spec.cursor.as_ref().filter(|_| is_served)
        // Among the rows that have one value each in some fields, it has its place only with these.
        && cursor.key().starts_with(&used.prefix)
    {
        // A row may have come under its key with other values in other columns.
        let are_key_fields =
            |order: &ColumnOrder| names.iter().any(|name| order.field.is_named(*name));
        is_past = spec.order.iter().all(are_key_fields);
        let key = cursor.key();
        narrow(
            &mut used.spans,
            if is_past { Bound::Excluded(key) } else { Bound::Included(key) },
            is_back,
        );
    }
    let plan = Plan {
        access: Access::Rows(used.spans),
        arrangement: if is_served { Arrangement::AsTheyCome } else { Arrangement::Sorted },
        is_back,
        is_exact: conditions.rest.is_empty() && conditions.fields.len() == used.known.len(),
        is_past,
        waits_for: None,
    };
    let cost = cost(candidates, 1.0, is_served, spec, conditions.share_beside(&used.known));
    Candidate { plan, cost, index: None }
}

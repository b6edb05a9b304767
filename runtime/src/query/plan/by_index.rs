//! Finding rows by an index.

use std::ops::Bound;

use super::conditions::Conditions;
use super::used::Used;
use super::{Access, Arrangement, Candidate, Facts, MIN_ROWS, Name, Plan, cost};
use crate::disk::Span;
use crate::engine::IndexState;
use crate::query::cursor::narrow;
use crate::query::expr::Node;
use crate::query::order::ColumnOrder;
use crate::query::spec::Spec;
use crate::row::{VALUE_LIMIT_BYTES, cut};
use crate::schema::descriptor::IndexDef;

/// A guess at the share of rows that have an item in a collection.
const ITEM_SHARE: f64 = 0.01;

pub(super) fn by_index(
    spec: &Spec,
    conditions: &Conditions<'_>,
    facts: &Facts<'_>,
    index: usize,
    def: &IndexDef,
) -> Option<Candidate> {
    if def.each {
        return by_item(spec, conditions, facts, index, def);
    }
    let state = facts.indexes.get(index).copied()?;
    let names: Vec<Name> = def.columns().collect();
    let mut used = Used::of(conditions, &names, VALUE_LIMIT_BYTES);
    let rest = &names[used.points..];
    let is_served = serves(&spec.order, rest, &used) && state != IndexState::Candidates;
    let gives_order = is_served && !spec.order.is_empty();
    if used.known.is_empty() && !gives_order {
        return None;
    }
    let is_back = is_served && spec.order.last().is_some_and(|order| order.is_desc);
    let arrangement = match is_served {
        true => Arrangement::AsTheyCome,
        false if spec.order.is_empty() => Arrangement::ByKey,
        false => Arrangement::Sorted,
    };
    let edge = spec.cursor.as_ref().filter(|_| gives_order);
    let edge = edge.filter(|cursor| {
        // Among rows that have one value each in some columns, it has its place only with these.
        used.known.iter().take(used.points).all(|name| {
            let point = conditions.of_field(*name).and_then(|set| set.iter().next()?.point());
            cursor.has(&spec.order, *name, point)
        })
    });
    let edge = edge.and_then(|cursor| cursor.entry(&spec.order, rest));
    if let Some(edge) = &edge {
        let edge = [used.prefix.as_slice(), edge].concat();
        narrow(&mut used.spans, Bound::Excluded(&edge), is_back);
    }
    let is_exact = used.is_exact
        && state != IndexState::Candidates
        && conditions.rest.is_empty()
        && conditions.fields.len() == used.known.len();
    let rows = (facts.rows as f64).max(MIN_ROWS);
    // All fields of a unique index given, there is one row.
    let one = def.unique && used.points == def.fields.len();
    let candidates = if one { 1.0 } else { rows * used.share };
    // If keys are sorted first, the limit stops only the reading of rows.
    let cost = match arrangement {
        Arrangement::ByKey => {
            candidates * 0.5
                + cost(candidates, 1.5, true, spec, conditions.share_beside(&used.known))
        }
        _ => cost(candidates, 2.0, is_served, spec, conditions.share_beside(&used.known)),
    };
    let plan = Plan {
        access: Access::Index { index, spans: used.spans },
        arrangement,
        is_back,
        is_exact,
        is_past: edge.is_some(),
        waits_for: None,
    };
    Some(Candidate { plan, cost, index: Some(index) })
}

/// Looking up items in an index over each: the rows that have all of them, in the order of their keys.
fn by_item(
    spec: &Spec,
    conditions: &Conditions<'_>,
    facts: &Facts<'_>,
    index: usize,
    def: &IndexDef,
) -> Option<Candidate> {
    let state = facts.indexes.get(index).copied()?;
    let items = conditions.rest.iter().filter_map(|node| match node {
        Node::Holds { field, in_index: Some(item), .. } => {
            def.columns().any(|name| field.is_named(name)).then_some(item)
        }
        _ => None,
    });
    let items: Vec<Vec<u8>> = items.map(|item| cut(item).unwrap_or_else(|| item.clone())).collect();
    let is_served = spec.order.is_empty();
    let edge = spec.cursor.as_ref().filter(|_| is_served);
    let mut spans = Vec::with_capacity(items.len());
    for item in &items {
        let mut of_item = vec![Span::starting_with(item.clone())];
        if let Some(cursor) = edge {
            let edge = [item.as_slice(), cursor.key()].concat();
            narrow(&mut of_item, Bound::Excluded(&edge), false);
        }
        spans.append(&mut of_item);
    }
    let access = match spans.len() {
        _ if spans.len() < items.len() => Access::Nothing,
        0 => return None,
        1 => Access::Index { index, spans },
        _ => Access::Common { index, spans },
    };
    let known = i32::try_from(items.len()).unwrap_or(i32::MAX);
    let candidates = (facts.rows as f64).max(MIN_ROWS) * ITEM_SHARE.powi(known);
    let others = conditions.share_beside(&[]) * 2.0_f64.powi(known);
    let plan = Plan {
        access,
        arrangement: if is_served { Arrangement::AsTheyCome } else { Arrangement::Sorted },
        is_back: false,
        is_exact: state == IndexState::Complete
            && conditions.fields.is_empty()
            && conditions.rest.len() == items.len(),
        is_past: edge.is_some(),
        waits_for: None,
    };
    let cost = cost(candidates, 2.0, is_served, spec, others);
    Some(Candidate { plan, cost, index: Some(index) })
}

/// Whether rows come from an index in the order asked for: by its fields after those that have one
/// value, all in one direction, then by key.
fn serves(order: &[ColumnOrder], rest: &[Name], used: &Used) -> bool {
    let single = used.known.get(..used.points).unwrap_or_default();
    let mut wanted =
        order.iter().filter(|order| !single.iter().any(|name| order.field.is_named(*name)));
    let direction = order.last().is_some_and(|order| order.is_desc);
    for field in rest {
        match wanted.next() {
            Some(order) if order.field.is_named(*field) && order.is_desc == direction => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

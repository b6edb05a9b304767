//! Choosing how to find the rows of a query.

use std::ops::Bound;

use super::cursor::narrow;
use super::expr::Node;
use super::keys::key_ranges;
use super::order::ColumnOrder;
use super::ranges::{Range, Ranges};
use super::spec::Spec;
use crate::disk::{Span, after_prefix};
use crate::engine::IndexState;
use crate::row::{VALUE_LIMIT_BYTES, cut};
use crate::schema::descriptor::{IndexDef, TableDef};

/// More spans than this are looked at as one range instead.
const MAX_SPANS: usize = 10_000;

/// A table that seems smaller is planned for as if it had so many rows, so that plans do not change
/// while it grows.
const MIN_ROWS: f64 = 1_000.0;

/// What sorting a row costs, in rows: more than going from an index to the row, since all rows are
/// in memory for it.
const SORTING: f64 = 1.2;

/// A guess at the share of rows that have an item in a collection.
const ITEM_SHARE: f64 = 0.01;

/// What a plan must know of the table beside its descriptor.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    pub(crate) table: &'f TableDef,
    pub(crate) rows: u64,
    pub(crate) indexes: Vec<IndexState>,
}

/// Where candidates come from.
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

/// The name of a field or path, and whether it is that of a path.
pub(super) type Name = (&'static str, bool);

/// The conditions of a filter that all must hold: a set for each field or path, and the rest.
struct Conditions<'n> {
    fields: Vec<(Name, &'n Ranges)>,
    rest: Vec<&'n Node>,
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

impl<'n> Conditions<'n> {
    fn of(filter: Option<&'n Node>) -> Self {
        let mut this = Self { fields: Vec::new(), rest: Vec::new() };
        match filter {
            None => {}
            Some(Node::All(nodes)) => nodes.iter().for_each(|node| this.add(node)),
            Some(node) => this.add(node),
        }
        this
    }

    fn add(&mut self, node: &'n Node) {
        match node {
            Node::Within(field, ranges) => {
                self.fields.push(((field.name, field.is_path), ranges));
            }
            other => self.rest.push(other),
        }
    }

    fn of_field(&self, name: Name) -> Option<&'n Ranges> {
        self.fields.iter().find_map(|(field, set)| (*field == name).then_some(*set))
    }

    /// The share of rows that the conditions leave, `known` ones not counted.
    fn share_beside(&self, known: &[Name]) -> f64 {
        let fields = self.fields.iter().filter(|(name, _)| !known.contains(name));
        let fields: f64 = fields.map(|(_, set)| share(set)).product();
        fields * 0.5_f64.powi(i32::try_from(self.rest.len()).unwrap_or(i32::MAX))
    }
}

/// A guess at the share of rows whose value lies in a set.
fn share(set: &Ranges) -> f64 {
    let parts = set.iter().map(|range| match range.point() {
        Some(_) => 0.01,
        None if range.is_bounded() => 0.05,
        None => 0.3,
    });
    parts.sum::<f64>().min(1.0)
}

fn by_key(spec: &Spec, conditions: &Conditions<'_>, facts: &Facts<'_>) -> Candidate {
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

/// What reading costs, in rows: `each` per candidate, and only as far as the limit needs where
/// they come in order.
fn cost(candidates: f64, each: f64, is_served: bool, spec: &Spec, share: f64) -> f64 {
    if !is_served {
        return candidates * (each + SORTING) + 1.0;
    }
    let wanted = spec.window().map_or(f64::INFINITY, |window| window as f64 / share.max(1e-6));
    candidates.min(wanted) * each + 1.0
}

fn by_index(
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
    // Where keys are sorted first, the limit stops only the reading of rows.
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

/// An index that has all of these fields and whose entries in the spans are just the rows of a filter.
pub(crate) fn covering(
    filter: Option<&Node>,
    facts: &Facts<'_>,
    fields: &[&str],
) -> Option<(usize, Vec<Span>)> {
    let conditions = Conditions::of(filter);
    if !conditions.rest.is_empty() || conditions.fields.iter().any(|(_, set)| set.is_none()) {
        return None;
    }
    let indexes = facts.table.indexes.iter().enumerate().filter(|(index, def)| {
        facts.indexes.get(*index) == Some(&IndexState::Complete)
            // A row may have several entries in one over each item, or none.
            && !def.each
            && fields.iter().all(|field| def.columns().any(|name| name == (*field, false)))
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

/// What of an index the conditions make use of.
struct Used {
    spans: Vec<Span>,
    /// The fields whose conditions the spans say.
    known: Vec<Name>,
    /// How many leading fields have one value each, and the encodings of these.
    points: usize,
    prefix: Vec<u8>,
    /// Whether the spans hold nothing else.
    is_exact: bool,
    share: f64,
    /// From what length on values are cut.
    limit: usize,
}

impl Used {
    fn of(conditions: &Conditions<'_>, fields: &[Name], limit: usize) -> Self {
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
            // Where bounds were cut, spans may have come to overlap, and a row comes once.
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

/// Where one condition is that one of several holds, and each of them can be looked up.
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

fn spans_of(set: &Ranges) -> Vec<Span> {
    set.iter().map(|range| Span { from: range.from.clone(), to: range.to.clone() }).collect()
}

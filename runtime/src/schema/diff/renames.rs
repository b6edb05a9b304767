//! Possible renames: something gone and something new that are alike.
//!
//! Never more than a hint. If several pairs are possible, each is told.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Comparison, Scope};
use super::shape::{Node, Payload};
use super::{Rule, rules};

/// How many new names are told for one that is gone.
const MAX_CANDIDATES: usize = 4;

/// A name without what `rename_all` changes.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

/// The pairs of fields that are perhaps one, the old name first. Those that do not differ in case
/// alone are judged by `rule`.
pub(super) fn of_fields<'a, 'n>(
    scope: Scope<'a>,
    rule: &'static Rule,
    gone: &[(&'n str, Node<'a>)],
    come: &[(&'n str, Node<'a>)],
) -> Vec<(&'static Rule, &'n str, &'n str)> {
    let gone_folded: BTreeSet<String> = gone.iter().map(|(name, _)| folded(name)).collect();
    let come_folded: BTreeMap<String, &str> =
        come.iter().map(|(name, _)| (folded(name), *name)).collect();
    let free: Vec<_> =
        come.iter().filter(|(name, _)| !gone_folded.contains(&folded(name))).collect();
    let mut pairs = Vec::new();
    for (was, old) in gone {
        if let Some(is) = come_folded.get(&folded(was)) {
            pairs.push((&rules::FIELD_CASE_CHANGED, *was, *is));
            continue;
        }
        let alike = free
            .iter()
            .filter(|(_, new)| Comparison::seems_same(scope, old, new))
            .take(MAX_CANDIDATES);
        pairs.extend(alike.map(|(is, _)| (rule, *was, *is)));
    }
    pairs
}

/// The pairs of variants that are perhaps one: the only two, or those that differ in case.
pub(super) fn of_variants<'a>(
    gone: &[(&'a str, &Payload<'a>)],
    come: &[(&'a str, &Payload<'a>)],
) -> Vec<(&'a str, &'a str)> {
    let is_alike = |old: &Payload<'a>, new: &Payload<'a>| {
        matches!(old, Payload::Unit) == matches!(new, Payload::Unit)
    };
    if let ([(was, old)], [(is, new)]) = (gone, come)
        && is_alike(old, new)
    {
        return vec![(was, is)];
    }
    let mut pairs = Vec::new();
    for (was, _) in gone {
        let recased = come.iter().find(|(is, _)| folded(is) == folded(was));
        pairs.extend(recased.map(|(is, _)| (*was, *is)));
    }
    pairs
}

/// The pairs of tables or groups that have the same fields, the old name first.
pub(super) fn of_named<'n, T>(
    gone: &[(&'n str, &'n T)],
    come: &[(&'n str, &'n T)],
    is_alike: impl Fn(&T, &T) -> bool,
) -> Vec<(&'n str, &'n str)> {
    let mut pairs = Vec::new();
    for (was, old) in gone {
        let alike = come.iter().filter(|(_, new)| is_alike(old, new)).take(MAX_CANDIDATES);
        pairs.extend(alike.map(|(is, _)| (*was, *is)));
    }
    pairs
}

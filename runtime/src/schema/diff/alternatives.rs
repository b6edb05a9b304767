//! Comparing what a value may be, alternative by alternative.

use super::compare::{Comparison, SchemaPath};
use super::shape::{Array, Node, Object, Payload, Shape};
use super::{Rule, rules};

impl<'a> Comparison<'a> {
    /// The rule if the two are not of one kind, so that there is nothing to compare further.
    pub(super) fn retyping(
        &self,
        old: (&Shape<'a>, &Node<'a>),
        new: (&Shape<'a>, &Node<'a>),
    ) -> Option<&'static Rule> {
        let ((was, old), (is, new)) = (old, new);
        if let Some(rule) = retagging(was, is) {
            return Some(rule);
        }
        let (before, after) = (Kind::only(was)?, Kind::only(is)?);
        if before == after {
            return None;
        }
        Some(match (before, after) {
            (Kind::Integer, Kind::Number) => &rules::INTEGER_TO_FLOAT,
            (Kind::Number, Kind::Integer) => &rules::FLOAT_TO_INTEGER,
            (Kind::Text, Kind::Enum) => &rules::TEXT_TO_ENUM,
            (Kind::Enum, Kind::Text) => &rules::ENUM_TO_TEXT,
            (_, Kind::Array) if self.is_item(is, old, true) => &rules::WRAPPED_IN_LIST,
            (Kind::Array, _) if self.is_item(was, new, false) => &rules::UNWRAPPED_FROM_LIST,
            _ => &rules::TYPE_CHANGED,
        })
    }

    /// Whether the items of a list are what the other version has in its place.
    fn is_item(&self, list: &Shape<'a>, single: &Node<'a>, list_is_new: bool) -> bool {
        let [Array::List { item, .. }] = list.arrays.as_slice() else { return false };
        if !self.gives_hints {
            return false;
        }
        match list_is_new {
            true => Self::seems_same(self.scope, single, item),
            false => Self::seems_same(self.scope, item, single),
        }
    }

    pub(super) fn compare_alternatives(
        &mut self,
        path: &SchemaPath,
        mut old: Shape<'a>,
        mut new: Shape<'a>,
    ) {
        let mut left = Left { is_open: old.any && new.any, ..Left::default() };
        self.compare_variants(path, &old, &new);
        self.compare_catching(path, &mut old, &mut new);
        left.flag(old.any, new.any, "anything");
        left.flag(old.boolean, new.boolean, "boolean");
        for constant in old.constants.symmetric_difference(&new.constants) {
            left.flag(old.constants.contains(constant), new.constants.contains(constant), constant);
        }
        for (was, is) in pairs(&mut old.integers, &mut new.integers, |a, b| u32::from(a == b) + 1) {
            self.compare_integers(path, &was, &is);
        }
        for (was, is) in pairs(&mut old.numbers, &mut new.numbers, |a, b| u32::from(a == b) + 1) {
            self.compare_numbers(path, &was, &is);
        }
        for (was, is) in pairs(&mut old.texts, &mut new.texts, |a, b| u32::from(a == b) + 1) {
            self.compare_texts(path, &was, &is);
        }
        for (was, is) in pairs(&mut old.arrays, &mut new.arrays, alike_arrays) {
            self.compare_arrays(path, was, is);
        }
        let only = old.objects.len() == 1 && new.objects.len() == 1;
        let alike = |a: &Object<'a>, b: &Object<'a>| alike_objects(a, b) + u32::from(only);
        for (was, is) in pairs(&mut old.objects, &mut new.objects, alike) {
            self.compare_objects(path, &was, &is);
        }
        left.rest(&old, &new);
        self.report_left(path, left, &old, &new);
        self.compare_order(path, &old, &new);
    }

    /// Reports the alternatives that only one version has.
    fn report_left(&mut self, path: &SchemaPath, left: Left, old: &Shape<'a>, new: &Shape<'a>) {
        if let ([was], [is], false) = (&*left.old, &*left.new, left.is_open) {
            let rule = match (was.as_str(), is.as_str()) {
                ("integer", "number") => &rules::INTEGER_TO_FLOAT,
                ("number", "integer") => &rules::FLOAT_TO_INTEGER,
                _ => &rules::TYPE_CHANGED,
            };
            self.push_step(path, rule, was, is);
            return;
        }
        let is_enum = !old.variants.is_empty() || !new.variants.is_empty();
        let (removed, added) = match (left.is_open, is_enum) {
            (true, _) => (&rules::MEMBER_OF_OPEN, &rules::MEMBER_OF_OPEN),
            (false, true) => (&rules::VARIANT_REMOVED, &rules::VARIANT_ADDED),
            (false, false) => (&rules::MEMBER_REMOVED, &rules::MEMBER_ADDED),
        };
        for was in left.old {
            let change = self.owner.change(removed).operating(super::Operation::RemoveVariant);
            self.changes.push(change.at_field(&path.text).old_is(was));
        }
        for is in left.new {
            self.changes.push(self.owner.change(added).at_field(&path.text).new_is(is));
        }
    }

    /// Alternatives without names are tried in order, so that the order says what a value is.
    fn compare_order(&mut self, path: &SchemaPath, old: &Shape<'a>, new: &Shape<'a>) {
        let common = |order: &[&'static str], other: &[&'static str]| {
            let kept = order.iter().copied().filter(|kind| other.contains(kind));
            kept.collect::<Vec<_>>()
        };
        let was = common(&old.order, &new.order);
        let is = common(&new.order, &old.order);
        let overlaps = was.iter().any(|kind| matches!(*kind, "any" | "word" | "text"));
        if was.len() == is.len() && was != is && overlaps {
            self.push_step(path, &rules::MEMBERS_REORDERED, was.join(", "), is.join(", "));
        }
    }
}

/// The kind of a shape's only alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Boolean,
    Integer,
    Number,
    Text,
    Array,
    Struct,
    Map,
    Constant,
    Enum,
}

impl Kind {
    fn only(shape: &Shape<'_>) -> Option<Self> {
        if shape.alternatives() != 1 {
            return None;
        }
        Some(match shape {
            Shape { any: true, .. } => Self::Any,
            Shape { boolean: true, .. } => Self::Boolean,
            Shape { integers, .. } if !integers.is_empty() => Self::Integer,
            Shape { numbers, .. } if !numbers.is_empty() => Self::Number,
            Shape { texts, .. } if !texts.is_empty() => Self::Text,
            Shape { arrays, .. } if !arrays.is_empty() => Self::Array,
            Shape { constants, .. } if !constants.is_empty() => Self::Constant,
            Shape { variants, .. } if !variants.is_empty() => Self::Enum,
            Shape { objects, .. } if objects.iter().any(Object::is_map) => Self::Map,
            _ => Self::Struct,
        })
    }
}

/// Whether an enum writes its variants in another form.
fn retagging(old: &Shape<'_>, new: &Shape<'_>) -> Option<&'static Rule> {
    let has_data = |shape: &Shape<'_>| {
        shape.variants.values().any(|payload| !matches!(payload, Payload::Unit))
    };
    let shares_names = old.variants.keys().any(|name| new.variants.contains_key(name));
    let changed = match (old.style, new.style) {
        (Some(was), Some(is)) => was != is && shares_names,
        // With tags on the one side, alternatives without names on the other.
        (Some(_), None) => has_data(old) && new.alternatives() > 1 && !new.any,
        (None, Some(_)) => has_data(new) && old.alternatives() > 1 && !old.any,
        (None, None) => false,
    };
    changed.then_some(&rules::TAGGING_CHANGED)
}

/// The alternatives that are left after those that correspond were taken away, in words.
#[derive(Default)]
struct Left {
    old: Vec<String>,
    new: Vec<String>,
    is_open: bool,
}

impl Left {
    fn flag(&mut self, old: bool, new: bool, what: &str) {
        match (old, new) {
            (true, false) => self.old.push(what.to_owned()),
            (false, true) => self.new.push(what.to_owned()),
            _ => {}
        }
    }

    fn rest(&mut self, old: &Shape<'_>, new: &Shape<'_>) {
        for (shape, left) in [(old, &mut self.old), (new, &mut self.new)] {
            left.extend(shape.integers.iter().map(|_| "integer".to_owned()));
            left.extend(shape.numbers.iter().map(|_| "number".to_owned()));
            left.extend(shape.texts.iter().map(|text| match text.is_open() {
                true => "any text".to_owned(),
                false => "text".to_owned(),
            }));
            left.extend(shape.arrays.iter().map(|_| "list".to_owned()));
            left.extend(shape.objects.iter().map(|object| {
                let names: Vec<&str> = object.properties.keys().copied().take(4).collect();
                format!("struct {{ {} }}", names.join(", "))
            }));
        }
    }
}

/// How many pairs are looked at for those that are alike; beyond, those in one place are.
const MAX_PAIRS: usize = 1_000_000;

/// Takes those out of two lists that correspond, the most alike first; 0 is not alike at all.
fn pairs<T>(old: &mut Vec<T>, new: &mut Vec<T>, alike: impl Fn(&T, &T) -> u32) -> Vec<(T, T)> {
    let mut scores = Vec::new();
    let all = old.len().saturating_mul(new.len()) <= MAX_PAIRS;
    for (i, was) in old.iter().enumerate() {
        for (j, is) in new.iter().enumerate().filter(|(j, _)| all || *j == i) {
            let score = alike(was, is);
            if score > 0 {
                scores.push((score, i, j));
            }
        }
    }
    // The earlier ones first among equals.
    scores.sort_by_key(|&(score, i, j)| (std::cmp::Reverse(score), i, j));
    let (mut olds, mut news): (Vec<Option<T>>, Vec<Option<T>>) =
        (old.drain(..).map(Some).collect(), new.drain(..).map(Some).collect());
    let mut pairs = Vec::new();
    for (_, i, j) in scores {
        let (Some(was), Some(is)) = (olds.get_mut(i), news.get_mut(j)) else { continue };
        if was.is_some()
            && is.is_some()
            && let (Some(was), Some(is)) = (was.take(), is.take())
        {
            pairs.push((was, is));
        }
    }
    old.extend(olds.into_iter().flatten());
    new.extend(news.into_iter().flatten());
    pairs
}

fn alike_arrays(old: &Array<'_>, new: &Array<'_>) -> u32 {
    match (old, new) {
        (Array::List { is_set: was, .. }, Array::List { is_set: is, .. }) => {
            2 + u32::from(was == is)
        }
        (Array::Tuple(was), Array::Tuple(is)) => 2 + u32::from(was.len() == is.len()),
        (Array::List { .. }, Array::Tuple(_)) | (Array::Tuple(_), Array::List { .. }) => 1,
    }
}

fn alike_objects(old: &Object<'_>, new: &Object<'_>) -> u32 {
    if old.is_map() != new.is_map() {
        return 0;
    }
    if old.is_map() {
        return 1;
    }
    let shared = old.properties.keys().filter(|name| new.properties.contains_key(*name)).count();
    let same = shared == old.properties.len() && shared == new.properties.len();
    u32::try_from(2 * shared + usize::from(same)).unwrap_or(u32::MAX)
}

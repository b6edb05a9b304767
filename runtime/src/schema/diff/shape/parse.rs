//! From the schemas of a node to a [`Shape`].

use serde_json::Value;

use super::form::{Array, Object, Rest, Shape};
use super::keywords::Keywords;
use super::leaves::{Leaf, leaves};
use super::node::{Node, Types};
use super::scalar::{Integer, Number, Text};
use super::variants::name_variants;

/// Arrays of a fixed length are tuples up to here.
const MAX_TUPLE: u64 = 64;

/// Parses the values that a node admits. A keyword that serde's schemas do not have ends up as
/// something that is not understood.
pub(in super::super) fn parse<'a>(node: &Node<'a>, types: Types<'a>) -> Shape<'a> {
    let (leaves, is_whole) = leaves(node, types);
    let mut shape = Shape { is_cut: !is_whole, ..Shape::default() };
    let mut words = Vec::new();
    let is_exclusive = leaves.iter().any(|leaf| leaf.is_exclusive);
    for leaf in &leaves {
        add(&mut shape, &mut words, leaf);
    }
    name_variants(&mut shape, words, is_exclusive);
    shape
}

/// Whether an object may have any fields with any values.
pub(in super::super) fn is_any_object<'a>(object: &Object<'a>, types: Types<'a>) -> bool {
    match &object.rest {
        Rest::Map { keys: None, values } => parse(values, types).any,
        _ => false,
    }
}

fn add<'a>(shape: &mut Shape<'a>, words: &mut Vec<&'a str>, leaf: &Leaf<'a>) {
    let mut keywords = Keywords::of(leaf);
    if keywords.is_never {
        return;
    }
    if let Some(values) = keywords.values.take() {
        for value in values {
            match value {
                Value::String(word) => words.push(word),
                Value::Null => shape.null = true,
                other => _ = shape.constants.insert(other.to_string()),
            }
        }
        shape.order.push("word");
        leave(shape, keywords);
        return;
    }
    let types = keywords.types.take().unwrap_or_else(|| keywords.implied_types());
    let says_nothing = types.is_empty();
    for name in types {
        let kind = match name {
            "null" => {
                shape.null = true;
                continue;
            }
            "boolean" => {
                shape.boolean = true;
                "boolean"
            }
            "integer" => {
                let integer = Integer::of(&mut keywords);
                shape.integers.push(integer);
                "number"
            }
            "number" => {
                shape.numbers.push(Number::of(&keywords));
                "number"
            }
            "string" => {
                shape.texts.push(Text::of(&keywords));
                "text"
            }
            "array" => {
                shape.arrays.push(array(&keywords));
                "array"
            }
            "object" => {
                shape.objects.push(object(&mut keywords));
                "object"
            }
            _ => {
                let unknown = shape.unjudged.entry("type").or_default();
                unknown.insert(name.to_owned());
                continue;
            }
        };
        shape.order.push(kind);
    }
    if says_nothing {
        shape.any = true;
        shape.order.push("any");
    }
    leave(shape, keywords);
}

fn leave<'a>(shape: &mut Shape<'a>, keywords: Keywords<'a>) {
    for (keyword, values) in keywords.unjudged {
        shape.unjudged.entry(keyword).or_default().extend(values);
    }
}

fn array<'a>(keywords: &Keywords<'a>) -> Array<'a> {
    let count = |name| keywords.plain.get(name).and_then(|value| value.as_u64());
    if let Some(items) = &keywords.prefix {
        return Array::Tuple(items.clone());
    }
    let item = keywords.items.clone().unwrap_or_else(Node::anything);
    let is_set = keywords.plain.get("uniqueItems") == Some(&&Value::Bool(true));
    match (count("minItems"), count("maxItems")) {
        (Some(min), Some(max)) if min == max && max <= MAX_TUPLE && !is_set => {
            Array::Tuple((0..max).map(|_| item.clone()).collect())
        }
        (min, max) => Array::List { item, is_set, min: min.filter(|&min| min > 0), max },
    }
}

fn object<'a>(keywords: &mut Keywords<'a>) -> Object<'a> {
    let mut properties = std::mem::take(&mut keywords.properties);
    let required = std::mem::take(&mut keywords.required);
    for name in &required {
        properties.entry(name).or_insert_with(Node::anything);
    }
    let patterns = std::mem::take(&mut keywords.patterns);
    let rest = match (patterns.into_iter().next(), keywords.additional.take()) {
        (Some((pattern, values)), _) => Rest::Map { keys: Some(pattern), values },
        (None, Some(values)) if properties.is_empty() => Rest::Map { keys: None, values },
        (None, _) if keywords.is_closed => Rest::Closed,
        (None, _) => Rest::Open,
    };
    Object { properties, required, rest }
}

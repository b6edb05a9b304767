//! A shape in a few words, for people.

use super::form::{Array, Object, Payload, Rest, Shape};
use super::node::{Node, Types};
use super::parse::{is_any_object, parse};
use super::scalar::{Text, TextKind};

/// How deep the words go, and how many names are listed.
const MAX_DEPTH: usize = 3;
const MAX_NAMES: usize = 4;

/// Describes the values at a node in a few words.
pub(in super::super) fn describe(node: &Node<'_>, types: Types<'_>) -> String {
    describe_to(node, types, MAX_DEPTH)
}

fn describe_to<'a>(node: &Node<'a>, types: Types<'a>, depth: usize) -> String {
    if depth == 0 {
        return "…".into();
    }
    let shape = parse(node, types);
    let mut words = words(&shape, types, depth);
    if words.is_empty() {
        return if shape.null { "null".into() } else { "nothing".into() };
    }
    if words.len() > MAX_NAMES {
        words.truncate(MAX_NAMES);
        words.push("…".into());
    }
    if shape.null && !shape.any {
        words.push("null".into());
    }
    words.join(" or ")
}

fn words<'a>(shape: &Shape<'a>, types: Types<'a>, depth: usize) -> Vec<String> {
    let mut words = Vec::new();
    if shape.any {
        words.push("anything".into());
    }
    if shape.boolean {
        words.push("boolean".into());
    }
    for integer in shape.integers.iter().take(MAX_NAMES) {
        let zero = if integer.is_nonzero { " but 0" } else { "" };
        words.push(format!("{}{zero}", integer.format.unwrap_or("integer")));
    }
    for number in shape.numbers.iter().take(MAX_NAMES) {
        words.push(number.format.unwrap_or("number").into());
    }
    let is_any = |object: &&Object<'a>| is_any_object(object, types);
    let is_open = !shape.variants.is_empty()
        && shape.texts.iter().any(Text::is_open)
        && shape.objects.iter().any(|object| is_any(&object));
    let texts = shape.texts.iter().filter(|text| !is_open || !text.is_open());
    words.extend(texts.take(MAX_NAMES).map(text));
    if !shape.variants.is_empty() {
        let names = shape.variants.iter().map(|(name, payload)| match payload {
            Payload::Unit => (*name).to_owned(),
            Payload::Value(_) | Payload::Fields(_) => format!("{name}(…)"),
        });
        let open = if is_open { "open " } else { "" };
        words.push(format!("{open}enum {{ {} }}", listed(names, shape.variants.len())));
    }
    words.extend(shape.constants.iter().take(MAX_NAMES).cloned());
    for array in shape.arrays.iter().take(MAX_NAMES) {
        words.push(match array {
            Array::List { item, is_set, .. } => {
                let kind = if *is_set { "set" } else { "list" };
                format!("{kind} of {}", describe_to(item, types, depth - 1))
            }
            Array::Tuple(items) => {
                let each = items.iter().map(|item| describe_to(item, types, depth - 1));
                format!("tuple ({})", listed(each, items.len()))
            }
        });
    }
    let objects = shape.objects.iter().filter(|object| !is_open || !is_any(object));
    words.extend(objects.take(MAX_NAMES).map(|object| describe_object(object, types, depth)));
    words
}

fn text(text: &Text<'_>) -> String {
    match text.kind {
        TextKind::Plain => "text".into(),
        TextKind::Char => "char".into(),
        TextKind::Id(table) => format!("id of `{table}`"),
        TextKind::Of(format) => format.into(),
    }
}

fn describe_object<'a>(object: &Object<'a>, types: Types<'a>, depth: usize) -> String {
    match &object.rest {
        Rest::Map { values, .. } if object.is_map() => {
            format!("map of {}", describe_to(values, types, depth - 1))
        }
        _ => {
            let names = object.properties.keys().map(|name| (*name).to_owned());
            format!("struct {{ {} }}", listed(names, object.properties.len()))
        }
    }
}

fn listed(names: impl Iterator<Item = String>, len: usize) -> String {
    let mut names: Vec<String> = names.take(MAX_NAMES).collect();
    if len > MAX_NAMES {
        names.push("…".into());
    }
    names.join(", ")
}

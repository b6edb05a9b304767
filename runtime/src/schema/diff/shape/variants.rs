//! Telling the variants of an enum from the alternatives of a type without tags.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Object, Payload, Rest, Shape, Style};
use super::node::Node;

/// Gives the alternatives of an enum their names, as far as they have any.
///
/// Alternatives that exclude each other are an enum's, and so are several.
pub(super) fn name_variants<'a>(shape: &mut Shape<'a>, words: Vec<&'a str>, is_exclusive: bool) {
    let is_enum = is_exclusive || shape.objects.len() + usize::from(!words.is_empty()) > 1;
    for word in words {
        shape.variants.insert(word, Payload::Unit);
        shape.style = Some(Style::External);
    }
    if !is_enum {
        return;
    }
    let tag = tag_of(&shape.objects);
    for mut object in std::mem::take(&mut shape.objects) {
        let named = match tag {
            Some(tag) => object.properties.get(tag).and_then(only_word).map(|word| {
                object.properties.remove(tag);
                object.required.remove(tag);
                (word, Style::Tagged(tag))
            }),
            None => external(&object, is_exclusive).map(|name| (name, Style::External)),
        };
        match named {
            Some((name, style)) if !shape.variants.contains_key(name) => {
                let payload = match style {
                    Style::Tagged(_) => Payload::Fields(object),
                    Style::External => match object.properties.remove(name) {
                        Some(value) => Payload::Value(value),
                        None => Payload::Unit,
                    },
                };
                shape.variants.insert(name, payload);
                shape.style = Some(style);
            }
            _ => shape.objects.push(object),
        }
    }
}

/// `{"Variant": …}`: exactly one field, which must be there.
fn external<'a>(object: &Object<'a>, is_exclusive: bool) -> Option<&'a str> {
    let mut names = object.properties.keys();
    let (Some(&name), None) = (names.next(), names.next()) else { return None };
    // Std's `Result` is written without closing its objects.
    let is_variant =
        matches!(object.rest, Rest::Closed) || is_exclusive && matches!(object.rest, Rest::Open);
    (is_variant && object.required.contains(name)).then_some(name)
}

/// The field that names the variant, if each object has one with a word of its own.
fn tag_of<'a>(objects: &[Object<'a>]) -> Option<&'a str> {
    let mut words: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
    let mut tagged = 0;
    for object in objects {
        let mut is_tagged = false;
        for name in &object.required {
            if let Some(word) = object.properties.get(name).and_then(only_word) {
                let seen = words.entry(name).or_default();
                if !seen.contains(&word) {
                    seen.push(word);
                    is_tagged = true;
                }
            }
        }
        tagged += usize::from(is_tagged);
    }
    let (&tag, _) = words.iter().find(|(_, words)| words.len() == tagged)?;
    Some(tag)
}

/// The word of a schema that admits one text only.
fn only_word<'a>(node: &Node<'a>) -> Option<&'a str> {
    let keywords = node.object()?;
    match (keywords.get("const"), keywords.get("enum")) {
        (Some(Value::String(word)), None) => Some(word),
        (None, Some(Value::Array(words))) => match words.as_slice() {
            [Value::String(word)] => Some(word),
            _ => None,
        },
        _ => None,
    }
}

//! [`Keywords`]: what the schemas of one alternative say together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::leaves::Leaf;
use super::node::Node;
use crate::schema::describe::PROSE;

/// The keywords of an alternative, those of all its schemas put together.
#[derive(Default)]
pub(super) struct Keywords<'a> {
    pub(super) is_never: bool,
    pub(super) types: Option<BTreeSet<&'a str>>,
    pub(super) values: Option<Vec<&'a Value>>,
    /// Limits and the like, by keyword: those of the first schema that has them.
    pub(super) plain: BTreeMap<&'a str, &'a Value>,
    pub(super) items: Option<Node<'a>>,
    pub(super) prefix: Option<Vec<Node<'a>>>,
    pub(super) properties: BTreeMap<&'a str, Node<'a>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) patterns: BTreeMap<&'a str, Node<'a>>,
    pub(super) additional: Option<Node<'a>>,
    pub(super) is_closed: bool,
    /// The keywords that are not understood, with their values as text.
    pub(super) unjudged: BTreeMap<&'a str, BTreeSet<String>>,
}

/// Keywords with a value that is compared as it is.
const PLAIN: [&str; 14] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

impl<'a> Keywords<'a> {
    pub(super) fn of(leaf: &Leaf<'a>) -> Self {
        let mut keywords = Self::default();
        for part in &leaf.parts {
            match part.schema {
                Value::Bool(true) => {}
                Value::Bool(false) => keywords.is_never = true,
                Value::Object(object) => keywords.add(object),
                other => keywords.leave("", other),
            }
        }
        keywords
    }

    fn leave(&mut self, keyword: &'a str, value: &Value) {
        self.unjudged.entry(keyword).or_default().insert(value.to_string());
    }

    fn add(&mut self, object: &'a Map<String, Value>) {
        for (keyword, value) in object {
            let keyword = keyword.as_str();
            let understood = match (keyword, value) {
                ("$ref", Value::String(_)) | ("oneOf" | "allOf", Value::Array(_)) => true,
                ("anyOf", Value::Array(_)) => !object.contains_key("oneOf"),
                ("type", _) => self.add_types(value),
                ("const", value) => self.add_values(vec![value]),
                ("enum", Value::Array(values)) => self.add_values(values.iter().collect()),
                ("items", Value::Object(_) | Value::Bool(true)) => {
                    both(&mut self.items, Node::of(value))
                }
                // After `prefixItems`: no more than those.
                ("items", Value::Bool(false)) => true,
                ("prefixItems", Value::Array(items)) => {
                    self.prefix.get_or_insert_with(|| items.iter().map(Node::of).collect());
                    true
                }
                ("properties", Value::Object(named)) => {
                    let named = named.iter().map(|(name, schema)| (name.as_str(), schema));
                    add_all(&mut self.properties, named)
                }
                ("patternProperties", Value::Object(named)) => {
                    let named = named.iter().map(|(name, schema)| (name.as_str(), schema));
                    add_all(&mut self.patterns, named)
                }
                ("required", Value::Array(names)) => {
                    self.required.extend(names.iter().filter_map(Value::as_str));
                    true
                }
                ("additionalProperties" | "unevaluatedProperties", Value::Bool(false)) => {
                    self.is_closed = true;
                    true
                }
                ("additionalProperties", Value::Object(_) | Value::Bool(true)) => {
                    both(&mut self.additional, Node::of(value))
                }
                ("unevaluatedProperties", Value::Bool(true)) => true,
                ("$defs" | "definitions", _) => true,
                _ if PROSE.contains(&keyword) => true,
                _ if PLAIN.contains(&keyword) => {
                    self.plain.entry(keyword).or_insert(value);
                    true
                }
                _ => false,
            };
            if !understood {
                self.leave(keyword, value);
            }
        }
    }

    fn add_types(&mut self, value: &'a Value) -> bool {
        let types: BTreeSet<&str> = match value {
            Value::String(name) => [name.as_str()].into(),
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => return false,
        };
        self.types = Some(match &self.types {
            Some(before) => before.intersection(&types).copied().collect(),
            None => types,
        });
        true
    }

    fn add_values(&mut self, values: Vec<&'a Value>) -> bool {
        self.values = Some(match &self.values {
            Some(before) => before.iter().copied().filter(|value| values.contains(value)).collect(),
            None => values,
        });
        true
    }

    /// The types that the keywords speak of, if no type is named.
    pub(super) fn implied_types(&self) -> BTreeSet<&'a str> {
        let says = |keywords: &[&str]| keywords.iter().any(|name| self.plain.contains_key(name));
        let is_object = !self.properties.is_empty()
            || !self.required.is_empty()
            || !self.patterns.is_empty()
            || self.additional.is_some()
            || self.is_closed;
        let mut types = BTreeSet::new();
        if is_object {
            types.insert("object");
        }
        if self.items.is_some() || self.prefix.is_some() || says(&["minItems", "maxItems"]) {
            types.insert("array");
        }
        if says(&["pattern", "minLength", "maxLength"]) {
            types.insert("string");
        }
        types
    }
}

fn both<'a>(slot: &mut Option<Node<'a>>, node: Node<'a>) -> bool {
    match slot {
        Some(before) => before.and(&node),
        None => *slot = Some(node),
    }
    true
}

fn add_all<'a>(
    into: &mut BTreeMap<&'a str, Node<'a>>,
    named: impl Iterator<Item = (&'a str, &'a Value)>,
) -> bool {
    for (name, schema) in named {
        let node = Node::of(schema);
        into.entry(name).and_modify(|before| before.and(&node)).or_insert(node);
    }
    true
}

//! [`Node`]: a place in a JSON Schema that says what a value may be.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::super::describe::TYPES;

static ANYTHING: Value = Value::Bool(true);

/// The named types of one schema.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Types<'a>(pub(in super::super) &'a BTreeMap<String, Value>);

impl<'a> Types<'a> {
    /// Returns the schema that a `$ref` refers to.
    pub(super) fn resolve(self, reference: &str) -> Option<&'a Value> {
        let name = reference.strip_prefix(TYPES)?;
        match self.0.get(name) {
            Some(schema) => Some(schema),
            None => self.0.get(&name.replace("~1", "/").replace("~0", "~")),
        }
    }
}

/// One of the schemas that a value must satisfy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) schema: &'a Value,
    /// Whether its alternatives have been dealt with.
    pub(super) is_bare: bool,
}

/// The identity of a node: the addresses of its schemas, which stand still while two are compared.
pub(in super::super) type NodeKey = Vec<(usize, bool)>;

/// A place in a JSON Schema: all the schemas that a value there must satisfy, usually one.
#[derive(Debug, Clone)]
pub(in super::super) struct Node<'a> {
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> Node<'a> {
    pub(in super::super) fn of(schema: &'a Value) -> Self {
        Self { parts: vec![Part { schema, is_bare: false }] }
    }

    pub(in super::super) fn anything() -> Self {
        Self::of(&ANYTHING)
    }

    /// The same place, if the other must be satisfied as well.
    pub(super) fn and(&mut self, other: &Self) {
        self.parts.extend(other.parts.iter().copied());
    }

    pub(in super::super) fn key(&self, types: Types<'a>) -> NodeKey {
        let mut key: NodeKey = Vec::new();
        for part in &self.parts {
            let mut schema = part.schema;
            // Named types are the same wherever they are referred to from.
            for _ in 0..MAX_HOPS {
                match only_reference(schema).and_then(|reference| types.resolve(reference)) {
                    Some(target) => schema = target,
                    None => break,
                }
            }
            key.push((std::ptr::from_ref(schema).addr(), part.is_bare));
        }
        key.sort_unstable();
        key.dedup();
        key
    }

    /// Whether two places are written with the same words.
    pub(in super::super) fn is_written_as(&self, other: &Self) -> bool {
        let schemas = |node: &Self| node.parts.iter().map(|part| part.schema).collect::<Vec<_>>();
        schemas(self) == schemas(other)
    }

    /// Returns the value that an absent one is filled with, as far as the schema shows it.
    pub(in super::super) fn default(&self) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.schema.as_object()?.get("default"))
    }

    /// The only keyword-bearing object of the node, if it is as simple as that.
    pub(super) fn object(&self) -> Option<&'a Map<String, Value>> {
        match self.parts.as_slice() {
            [part] => part.schema.as_object(),
            _ => None,
        }
    }
}

/// How many references to references are followed.
const MAX_HOPS: usize = 64;

fn only_reference(schema: &Value) -> Option<&str> {
    let object = schema.as_object().filter(|object| object.len() == 1)?;
    object.get("$ref")?.as_str()
}

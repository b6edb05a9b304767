//! Taking the alternatives of a node apart, so that each is a list of schemas without any.

use serde_json::Value;

use super::node::{Node, Part, Types};

/// One alternative of a node: all of its schemas must be satisfied, none has alternatives left.
pub(super) struct Leaf<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Whether it is one of several that exclude each other, as schemars writes enums.
    pub(super) is_exclusive: bool,
}

/// How many alternatives, and how many schemas of one, are looked at.
const MAX_LEAVES: usize = 4096;
const MAX_PARTS: usize = 256;

/// The alternatives of a node, and whether these are all of them.
pub(super) fn leaves<'a>(node: &Node<'a>, types: Types<'a>) -> (Vec<Leaf<'a>>, bool) {
    let mut leaves = Vec::new();
    let mut is_whole = true;
    let mut pending = vec![Pending {
        todo: node.parts.iter().rev().copied().collect(),
        done: Vec::new(),
        is_exclusive: false,
    }];
    while let Some(mut next) = pending.pop() {
        if leaves.len() + pending.len() > MAX_LEAVES || next.done.len() > MAX_PARTS {
            is_whole = false;
            break;
        }
        match next.split(types) {
            Some(alternatives) => pending.extend(alternatives.into_iter().rev()),
            None => leaves.push(Leaf { parts: next.done, is_exclusive: next.is_exclusive }),
        }
    }
    (leaves, is_whole)
}

struct Pending<'a> {
    todo: Vec<Part<'a>>,
    done: Vec<Part<'a>>,
    is_exclusive: bool,
}

impl<'a> Pending<'a> {
    /// Works through what is to be done; stops at the first schema with alternatives and gives
    /// what stands for each.
    fn split(&mut self, types: Types<'a>) -> Option<Vec<Self>> {
        while let Some(part) = self.todo.pop() {
            let seen = |done: &Part<'a>| {
                std::ptr::eq(done.schema, part.schema) && done.is_bare == part.is_bare
            };
            // A reference that leads back to itself says nothing.
            if self.done.iter().any(seen) || self.done.len() > MAX_PARTS {
                continue;
            }
            self.done.push(part);
            let Some(keywords) = part.schema.as_object() else { continue };
            if part.is_bare {
                continue;
            }
            if let Some(Value::String(reference)) = keywords.get("$ref")
                && let Some(schema) = types.resolve(reference)
            {
                self.todo.push(Part { schema, is_bare: false });
            }
            if let Some(Value::Array(all)) = keywords.get("allOf") {
                self.todo.extend(all.iter().map(|schema| Part { schema, is_bare: false }));
            }
            // If a schema has both keywords, which serde's types never do, `anyOf` is left over.
            let alternatives = match (keywords.get("oneOf"), keywords.get("anyOf")) {
                (Some(Value::Array(alternatives)), _) => Some((alternatives, true)),
                (_, Some(Value::Array(alternatives))) => Some((alternatives, false)),
                _ => None,
            };
            if let Some((alternatives, is_exclusive)) = alternatives {
                let each = alternatives.iter().map(|schema| {
                    let mut todo = self.todo.clone();
                    todo.push(Part { schema, is_bare: false });
                    let is_exclusive = self.is_exclusive || is_exclusive;
                    Self { todo, done: self.done.clone(), is_exclusive }
                });
                return Some(each.collect());
            }
        }
        None
    }
}

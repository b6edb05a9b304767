//! The values that a JSON Schema admits, in the words of Rust types: parsed as far as serde and
//! schemars go.

mod describe;
mod form;
mod keywords;
mod leaves;
mod node;
mod parse;
mod scalar;
mod variants;

pub(super) use describe::describe;
pub(super) use form::{Array, Object, Payload, Rest, Shape};
pub(super) use node::{Node, NodeKey, Types};
pub(super) use parse::{is_any_object, parse};
pub(super) use scalar::{Integer, Number, Text, TextKind};

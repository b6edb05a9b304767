//! What indexes know of rows: the same reading of them as everybody else's.

use std::fmt::Write as _;

use serde_json::Value;

use super::{decode, default_of_field};
use crate::row::{IndexValues, Key, Row};
use crate::schema::descriptor::{IndexVisitor, ValueTraits};

/// Visits the values of a stored row for each index; false where the row does not decode, or says
/// it has another key.
pub(crate) fn index_values<R: Row>(json: &[u8], key: &[u8], visit: &mut IndexVisitor<'_>) -> bool {
    let Ok(row) = decode::<R>(json) else { return false };
    if row.key().to_bytes().as_slice() != key {
        return false;
    }
    let mut values = IndexValues::default();
    for index in 0..R::INDEXES.len() {
        values.clear();
        row.index_values(index, &mut values);
        let traits = ValueTraits { is_cut: values.is_cut, is_null: values.is_null };
        visit(index, &values.bytes, traits);
    }
    true
}

/// All that decides how a stored row reads: its fields, their types to any depth, their defaults.
///
/// A computed default counts by its text; what functions it calls do is nothing we could see.
pub(crate) fn index_basis<R: Row>() -> String {
    let mut basis = format!("1 {:?} {}", <R::Key as Key>::KIND, R::KEY_FIELD);
    for (index, field) in R::FIELDS.iter().enumerate() {
        let default = match field.default.is_evolve() {
            true => default_of_field::<R>(&|_| None, index).ok(),
            false => None,
        };
        // Writing to a string cannot fail.
        let _ = write!(basis, " {field:?} {default:?}");
    }
    let mut schema = schemars::schema_for!(R).to_value();
    without_prose(&mut schema);
    let _ = write!(basis, " {schema}");
    basis
}

/// Comments in the code are no part of how rows read.
fn without_prose(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|name, value| {
                !(matches!(name.as_str(), "description" | "title") && value.is_string())
            });
            members.values_mut().for_each(without_prose);
        }
        Value::Array(items) => items.iter_mut().for_each(without_prose),
        _ => {}
    }
}

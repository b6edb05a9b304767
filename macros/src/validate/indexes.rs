//! An index orders rows by values, and each order is kept once.

use crate::diag::Diag;
use crate::model::{Index, IndexField, Record};
use crate::parse::item_type;
use crate::suggest::did_you_mean;

/// An index names fields of the row, each once.
pub(super) fn indexes_name_fields(record: &Record, diag: &mut Diag) {
    let fields = record.fields.iter().map(|field| &*field.parsed.name);
    let names: Vec<&str> = fields.chain(record.computed.iter().map(|it| &*it.name)).collect();
    for index in &record.indexes {
        for (at, field) in index.fields.iter().enumerate() {
            let (name, text) = (&field.name, field.text());
            if !field.is_known() {
                let meant = did_you_mean(name, &names);
                let row = &record.ident;
                diag.error(&field.origin, format_args!("`{row}` has no field `{name}`{meant}"));
            } else if index.fields[..at].iter().any(|before| before.text() == text) {
                diag.error(
                    &field.origin,
                    format_args!("the index names `{text}` already; remove one of the two"),
                );
            }
        }
    }
}

/// An indexed field has one value in each row, or is indexed item by item.
pub(super) fn indexed_fields_have_one_value(record: &Record, diag: &mut Diag) {
    for index in record.indexes.iter().filter(|index| !index.each) {
        for (place, IndexField { origin: tokens, name, .. }) in index.places() {
            let Some(field) = record.fields.get(place) else { continue };
            if item_type(&field.ty).is_some() {
                let (ty, origin) = (&field.ty_text, "an index puts a row in one place");
                let fix = match index.on_field && !index.unique {
                    true => "write `#[index(each)]`, which finds rows by any of them",
                    false => "remove it; `#[index(each)]` on the field finds rows by any of them",
                };
                diag.error(
                    tokens,
                    format_args!(
                        "{origin}, and `{name}` is a `{ty}`, which holds many values; {fix}"
                    ),
                );
            }
        }
    }
}

/// An index over each item is one over a collection, and of nothing else.
pub(super) fn each_is_of_a_collection(record: &Record, diag: &mut Diag) {
    for index in record.indexes.iter().filter(|index| index.each) {
        let Some((place, IndexField { name, .. })) = index.places().next() else { continue };
        let Some(field) = record.fields.get(place) else { continue };
        if item_type(&field.ty).is_none() {
            let ty = &field.ty_text;
            diag.error(
                &index.origin,
                format_args!(
                    "`each` needs a field whose type is written as a `Vec`, `VecDeque`, `BTreeSet` or \
                     `HashSet`, or an `Option` of one, and `{name}` is a `{ty}`; write `#[index]`"
                ),
            );
        } else if index.unique {
            diag.error(
                &index.origin,
                format_args!(
                    "an index over each item cannot be unique: a value that two rows may not share \
                     is a row of its own, in a table that has it as its key; remove `unique`"
                ),
            );
        }
    }
}

/// Rows are in the order of their keys already.
pub(super) fn key_is_not_indexed_alone(record: &Record, diag: &mut Diag) {
    for index in record.indexes.iter().filter(|index| !index.each) {
        let is_plain = |field: &IndexField| field.inner.is_none() && field.place.is_some();
        let places: Vec<usize> = index.places().map(|(place, _)| place).collect();
        // A unique index on a part of the key says more than the key does.
        let says_more = index.unique && places.len() < record.key.len();
        if index.fields.iter().all(is_plain) && record.key.starts_with(&places) && !says_more {
            let names: Vec<&str> = index.fields.iter().map(|field| &*field.name).collect();
            let is_key = match (&names[..], record.key.len()) {
                ([name], 1) => format!("`{name}` is the key"),
                ([name], _) => format!("`{name}` is the first field of the key"),
                _ => format!("the key has the fields `{}` first", names.join(", ")),
            };
            diag.error(
                &index.origin,
                format_args!(
                    "{is_key}, by which rows are found and ordered anyway; remove the index"
                ),
            );
        }
    }
}

/// A path begins at a column, and its name is that of no field.
pub(super) fn paths_begin_at_columns(record: &Record, diag: &mut Diag) {
    let paths = record.indexes.iter().flat_map(Index::places);
    for (place, path) in paths.filter(|(_, path)| path.inner.is_some()) {
        let Some(root) = record.fields.get(place) else { continue };
        let (name, text) = (&path.name, path.text());
        if root.column().is_none() {
            diag.error(
                &path.origin,
                format_args!(
                    "`{text}` begins at the column of `{name}`, which has none; remove \
                     `#[column(skip)]`"
                ),
            );
        }
        let start = format!("{}.", root.stored);
        if let Some(other) = record.fields.iter().find(|field| field.stored.starts_with(&start)) {
            diag.error(
                &path.origin,
                format_args!(
                    "`{text}` and the field that is stored as `{}` could be taken for each other; \
                     give one of them another name by `#[serde(rename = \"…\")]`, or remove the index",
                    other.stored
                ),
            );
        }
    }
}

/// No two indexes are the same.
pub(super) fn indexes_are_distinct(record: &Record, diag: &mut Diag) {
    let complete = |index: &&Index| index.fields.iter().all(IndexField::is_known);
    let mut known: Vec<Vec<String>> = Vec::new();
    for index in record.indexes.iter().filter(complete) {
        let fields: Vec<String> = index.fields.iter().map(IndexField::text).collect();
        if known.contains(&fields) {
            let again = if index.on_field { "`#[index]`" } else { "it" };
            diag.error(
                &index.origin,
                format_args!("there is an index on the same fields already; remove {again}"),
            );
        } else {
            known.push(fields);
        }
    }
}

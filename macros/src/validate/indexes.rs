//! An index orders rows by values, and each order is kept once.

use crate::diag::Diag;
use crate::model::{Index, Record};
use crate::parse::item_type;
use crate::suggest::did_you_mean;

/// An index names fields of the row, each once.
pub(super) fn indexes_name_fields(record: &Record, diag: &mut Diag) {
    let names: Vec<&str> = record.fields.iter().map(|field| &*field.parsed.name).collect();
    for index in &record.indexes {
        for (at, (tokens, name, place)) in index.fields.iter().enumerate() {
            if place.is_none() {
                let meant = did_you_mean(name, &names);
                let row = &record.ident;
                diag.error(tokens, format_args!("`{row}` has no field `{name}`{meant}"));
            } else if index.fields[..at].iter().any(|(_, before, _)| before == name) {
                diag.error(
                    tokens,
                    format_args!("the index names `{name}` already; remove one of the two"),
                );
            }
        }
    }
}

/// What is indexed has one value in each row, or is indexed item by item.
pub(super) fn indexed_fields_have_one_value(record: &Record, diag: &mut Diag) {
    for index in record.indexes.iter().filter(|index| !index.each) {
        for (tokens, name, place) in &index.fields {
            let Some(field) = place.and_then(|place| record.fields.get(place)) else { continue };
            if item_type(&field.ty).is_some() {
                let (ty, origin) = (&field.ty_text, "an index puts a row in one place");
                let fix = match index.on_field && !index.unique {
                    true => "write `#[index(each)]`, which finds rows by any of them",
                    false => "remove it; `#[index(each)]` on the field finds rows by any of them",
                };
                diag.error(
                    tokens,
                    format_args!("{origin}, and `{name}` is a `{ty}`, which holds many values; {fix}"),
                );
            }
        }
    }
}

/// An index over each item is one over a collection, and of nothing else.
pub(super) fn each_is_of_a_collection(record: &Record, diag: &mut Diag) {
    for index in record.indexes.iter().filter(|index| index.each) {
        let [(_, name, Some(place))] = &index.fields[..] else { continue };
        let Some(field) = record.fields.get(*place) else { continue };
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
    for index in &record.indexes {
        if let [place] = index.places()[..]
            && index.fields.len() == 1
            && Some(place) == record.key
        {
            diag.error(
                &index.origin,
                format_args!(
                    "`{}` is the key, by which rows are found and ordered anyway; remove the index",
                    index.fields[0].1
                ),
            );
        }
    }
}

/// No two indexes are the same.
pub(super) fn indexes_are_distinct(record: &Record, diag: &mut Diag) {
    let complete = |index: &&Index| index.places().len() == index.fields.len();
    let mut known: Vec<Vec<usize>> = Vec::new();
    for index in record.indexes.iter().filter(complete) {
        let places = index.places();
        if known.contains(&places) {
            let again = if index.on_field { "`#[index]`" } else { "it" };
            diag.error(
                &index.origin,
                format_args!("there is an index on the same fields already; remove {again}"),
            );
        } else {
            known.push(places);
        }
    }
}

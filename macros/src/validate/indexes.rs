//! An index orders rows by values, and each order is kept once.

use crate::diag::Diag;
use crate::model::{Index, Record};
use crate::parse::{generic_argument, option_inner};
use crate::suggest::did_you_mean;

/// Types that hold many values, and so cannot put a row in one place.
const COLLECTIONS: [&str; 4] = ["Vec", "VecDeque", "HashSet", "BTreeSet"];

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

/// What is indexed has one value in each row.
pub(super) fn indexed_fields_have_one_value(record: &Record, diag: &mut Diag) {
    for index in &record.indexes {
        for (tokens, name, place) in &index.fields {
            let Some(field) = place.and_then(|place| record.fields.get(place)) else { continue };
            let ty = option_inner(&field.ty).unwrap_or(&field.ty);
            if COLLECTIONS.iter().any(|many| generic_argument(ty, many).is_some()) {
                let ty = &field.ty_text;
                diag.error(
                    tokens,
                    format_args!(
                        "an index puts a row in one place, and `{name}` is a `{ty}`, which holds \
                         many values; remove it: `contains` looks at every row"
                    ),
                );
            }
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

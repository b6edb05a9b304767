//! Rows have one key, and every row has it.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::Record;
use crate::parse::{is_tuple, option_inner};
use crate::suggest::did_you_mean;

/// How many fields a key of several has at most.
const MAX_FIELDS: usize = 4;

/// There is a key, and only one.
pub(super) fn there_is_one_key(record: &Record, diag: &mut Diag) {
    if record.kind != Kind::Table || record.composite.is_some() || record.is_key_broken {
        return;
    }
    let Some(key) = record.key_fields().next() else {
        diag.error(
            &record.ident,
            format_args!(
                "`{}` has no key; name a field `id`, put `#[key]` on the field that tells rows apart, or \
                 name several with `#[table(key(first, second))]`",
                record.ident
            ),
        );
        return;
    };
    if is_tuple(&key.ty) {
        diag.error(
            &key.ty,
            "the parts of a key are fields of their own; make each a field, and name them with \
             `#[table(key(first, second))]`",
        );
    }
    let marked = record.fields.iter().filter_map(|field| field.parsed.key.as_ref());
    for second in marked.skip(1) {
        diag.error(
            second,
            format_args!(
                "a row has one key, and `#[key]` is on `{}` already; remove one of the two, or name both \
                 with `#[table(key(first, second))]`",
                key.parsed.name
            ),
        );
    }
}

/// A key of several fields names two to four, each once, and is the only one.
pub(super) fn several_fields_are_one_key(record: &Record, diag: &mut Diag) {
    let Some(composite) = &record.composite else { return };
    let names: Vec<&str> = record.fields.iter().map(|field| &*field.parsed.name).collect();
    for (at, (field, place)) in composite.fields.iter().enumerate() {
        let (row, name) = (&record.ident, field.to_string());
        if place.is_none() {
            let meant = did_you_mean(&name, &names);
            diag.error(field, format_args!("`{row}` has no field `{name}`{meant}"));
        } else if composite.fields[..at].iter().any(|(_, before)| before == place) {
            diag.error(
                field,
                format_args!("the key names `{name}` already; remove one of the two"),
            );
        } else if at == MAX_FIELDS {
            diag.error(
                field,
                format_args!(
                    "a key has at most {MAX_FIELDS} fields; name those that tell rows apart"
                ),
            );
        }
    }
    if let [(field, Some(_))] = &composite.fields[..] {
        diag.error(
            field,
            format_args!("`key(…)` names several fields; put `#[key]` on `{field}` instead"),
        );
    }
    for field in &record.fields {
        if let Some(marked) = &field.parsed.key {
            diag.error(
                marked,
                "a row has one key, and `#[table(key(…))]` names its fields already; remove one of the two",
            );
        }
    }
}

/// A row is always somewhere.
pub(super) fn key_is_no_option(record: &Record, diag: &mut Diag) {
    for key in record.key_fields() {
        if let Some(inner) = option_inner(&key.ty) {
            let inner = crate::text::text(quote::quote!(#inner));
            diag.error(
                &key.ty,
                format_args!("every row has its key, so it is not an `Option`; write `{inner}`"),
            );
        }
    }
}

/// A row without its key belongs nowhere, and a default would put it in a wrong place.
pub(super) fn key_has_no_default(record: &Record, diag: &mut Diag) {
    for key in record.key_fields() {
        let evolve = key.parsed.evolve.as_ref().map(|evolve| &evolve.key);
        let serde = key.parsed.serde.default.as_ref().map(|default| &default.key);
        for guilty in [evolve, serde].into_iter().flatten() {
            diag.error(
                guilty,
                format_args!(
                    "`{}` is {}, which every row has, so it takes no default; remove it",
                    key.parsed.name,
                    part_of_key(record)
                ),
            );
        }
    }
}

/// The stored row names its key.
pub(super) fn key_is_always_written(record: &Record, diag: &mut Diag) {
    for key in record.key_fields() {
        if let Some(skip) = &key.parsed.serde.skip_serializing_if {
            diag.error(
                skip,
                format_args!(
                    "`{}` is {}, which is always written; remove `skip_serializing_if`",
                    key.parsed.name,
                    part_of_key(record)
                ),
            );
        }
    }
}

/// Returns the name of a field of the key in messages.
fn part_of_key(record: &Record) -> &'static str {
    if record.composite.is_some() { "part of the key" } else { "the key" }
}

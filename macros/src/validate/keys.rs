//! Rows have one key, and every row has it.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::Record;
use crate::parse::option_inner;

/// There is a key, and only one.
pub(super) fn there_is_one_key(record: &Record, diag: &mut Diag) {
    if record.kind != Kind::Table {
        return;
    }
    let Some(key) = record.key_field() else {
        diag.error(
            &record.ident,
            format_args!(
                "`{}` has no key; name a field `id`, or put `#[key]` on the field that tells rows \
                 apart",
                record.ident
            ),
        );
        return;
    };
    let marked = record.fields.iter().filter_map(|field| field.parsed.key.as_ref());
    for second in marked.skip(1) {
        diag.error(
            second,
            format_args!(
                "a row has one key, and `#[key]` is on `{}` already; remove one of the two",
                key.parsed.name
            ),
        );
    }
}

/// A row is always somewhere.
pub(super) fn key_is_no_option(record: &Record, diag: &mut Diag) {
    let Some(key) = record.key_field() else { return };
    if let Some(inner) = option_inner(&key.ty) {
        let inner = crate::text::text(quote::quote!(#inner));
        diag.error(
            &key.ty,
            format_args!("every row has its key, so it is not an `Option`; write `{inner}`"),
        );
    }
}

/// A row without its key belongs nowhere, and a default would put it in a wrong place.
pub(super) fn key_has_no_default(record: &Record, diag: &mut Diag) {
    let Some(key) = record.key_field() else { return };
    let evolve = key.parsed.evolve.as_ref().map(|evolve| &evolve.key);
    let serde = key.parsed.serde.default.as_ref().map(|default| &default.key);
    for guilty in [evolve, serde].into_iter().flatten() {
        diag.error(
            guilty,
            format_args!(
                "`{}` is the key, which every row has, so it takes no default; remove it",
                key.parsed.name
            ),
        );
    }
}

/// The stored row names its key.
pub(super) fn key_is_always_written(record: &Record, diag: &mut Diag) {
    let Some(key) = record.key_field() else { return };
    if let Some(skip) = &key.parsed.serde.skip_serializing_if {
        diag.error(
            skip,
            format_args!(
                "`{}` is the key, which is always written; remove `skip_serializing_if`",
                key.parsed.name
            ),
        );
    }
}

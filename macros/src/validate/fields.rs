//! Fields are told apart by their stored names, and columns by their constants.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::Record;

/// No two fields are written or read under one name.
pub(super) fn stored_names_are_distinct(record: &Record, diag: &mut Diag) {
    let mut taken: Vec<(String, &str)> = Vec::new();
    for field in &record.fields {
        let own = &field.parsed.name;
        let mut claim = |name: String, origin: TokenStream| match taken
            .iter()
            .find(|(taken, _)| *taken == name)
        {
            Some((_, by)) => diag.error(
                origin,
                format_args!(
                    "`{by}` is stored or read as `{name}` already; give `{own}` another name \
                         with `#[serde(rename = \"…\")]`, or remove the alias"
                ),
            ),
            None => taken.push((name, own)),
        };
        claim(field.stored.clone(), field.name_origin());
        for alias in &field.aliases {
            claim(alias.value(), alias.to_token_stream());
        }
    }
}

/// No two columns are constants of one name.
pub(super) fn column_names_are_distinct(record: &Record, diag: &mut Diag) {
    if record.kind == Kind::Kv {
        return;
    }
    let mut taken: Vec<(String, &str)> = Vec::new();
    for field in &record.fields {
        let Some(column) = field.column() else { continue };
        let own = &field.parsed.name;
        match taken.iter().find(|(name, _)| column == name) {
            Some((name, by)) => diag.error(
                &column,
                format_args!(
                    "the columns of `{by}` and `{own}` would both be the constant `{name}`; give \
                     this one another name with `#[column(name = \"{name}_COLUMN\")]`, or none with \
                     `#[column(skip)]`"
                ),
            ),
            None => taken.push((column.to_string(), own)),
        }
    }
}

/// A column takes no name that a constant of the user's own has.
///
/// A constant that no default names is found by the compiler.
pub(super) fn column_names_are_free(record: &Record, diag: &mut Diag) {
    if record.kind == Kind::Kv {
        return;
    }
    let constants = record.own_constants();
    for field in &record.fields {
        let Some(column) = field.column() else { continue };
        if let Some(constant) = constants.iter().find(|constant| **constant == column) {
            let (row, own) = (&record.ident, &field.parsed.name);
            diag.error(
                constant,
                format_args!(
                    "`{row}` has a constant `{column}`, and the column of `{own}` would have the \
                     same name; give the column another with \
                     `#[column(name = \"{column}_COLUMN\")]` on `{own}`"
                ),
            );
        }
    }
}

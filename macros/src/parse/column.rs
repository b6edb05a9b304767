//! `#[column(…)]`: what the constant of a field is called, if it has one.

use syn::{Attribute, LitStr, Meta, Path};

use super::meta::{entries, key_name, set, string, unknown};
use crate::diag::Diag;

/// The attribute `#[column(…)]`.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: Option<LitStr>,
    pub(crate) skip: Option<Path>,
}

/// Adds what a `#[column(…)]` says.
pub(super) fn column(column: &mut Column, attribute: &Attribute, diag: &mut Diag) {
    for meta in entries(attribute, diag) {
        let key = meta.path();
        match key_name(key).as_str() {
            "name" => set(&mut column.name, key, identifier(&meta, diag), diag),
            "skip" if matches!(meta, Meta::Path(_)) => {
                set(&mut column.skip, key, Some(key.clone()), diag);
            }
            "skip" => diag.error(&meta, "`skip` takes nothing; write `#[column(skip)]`"),
            _ => unknown("column", key, &["name", "skip"], diag),
        }
    }
}

fn identifier(meta: &Meta, diag: &mut Diag) -> Option<LitStr> {
    let name = string(meta, diag)?;
    if syn::parse_str::<syn::Ident>(&name.value()).is_err() {
        diag.error(&name, "this cannot be the name of a constant; write one like `TITLE_COLUMN`");
        return None;
    }
    Some(name)
}

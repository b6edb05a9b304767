//! `#[index]` on a field, and `index(…)` and `unique(…)` in `#[table(…)]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Meta, Path, Token};

use super::meta::{entries, key_name, unknown};
use crate::diag::Diag;

/// An index over one field, as `#[index]` asks for it.
#[derive(Debug)]
pub(crate) struct FieldIndex {
    pub(crate) path: Path,
    pub(crate) unique: bool,
    /// Whether it has the items of a collection, each on its own.
    pub(crate) each: bool,
}

/// An index over several fields, as `#[table(index(a, b))]` asks for it.
#[derive(Debug)]
pub(crate) struct TableIndex {
    pub(crate) key: Path,
    pub(crate) unique: bool,
    pub(crate) fields: Vec<IndexPath>,
}

/// A field, or a path to a field of a struct in one: `city`, `home.city`.
#[derive(Debug)]
pub(crate) struct IndexPath {
    pub(crate) field: Ident,
    pub(crate) inner: Option<Ident>,
}

impl Parse for IndexPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let field = input.parse()?;
        let inner = match input.parse::<Option<Token![.]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        if input.peek(Token![.]) {
            return Err(input.error("a third name"));
        }
        Ok(Self { field, inner })
    }
}

impl ToTokens for IndexPath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.inner.as_ref().unwrap_or(&self.field).to_tokens(tokens);
    }
}

/// Reads `#[index]`, `#[index(unique)]` or `#[index(each)]`.
pub(super) fn field_index(attribute: &Attribute, diag: &mut Diag) -> Option<FieldIndex> {
    let mut index = FieldIndex { path: attribute.path().clone(), unique: false, each: false };
    if matches!(attribute.meta, Meta::Path(_)) {
        return Some(index);
    }
    for meta in entries(attribute, diag) {
        match &meta {
            Meta::Path(path) if path.is_ident("unique") => index.unique = true,
            Meta::Path(path) if path.is_ident("each") => index.each = true,
            meta if meta.path().is_ident("unique") || meta.path().is_ident("each") => {
                let name = key_name(meta.path());
                diag.error(meta, format_args!("`{name}` takes nothing; write `#[index({name})]`"));
            }
            meta => unknown("index", meta.path(), &["each", "unique"], diag),
        }
    }
    Some(index)
}

/// Reads `index(a, b)` or `unique(a, b)`.
pub(super) fn table_index(meta: &Meta, diag: &mut Diag) -> Option<TableIndex> {
    let (key, fields) = (meta.path().clone(), fields(meta, diag)?);
    let unique = key_name(&key) == "unique";
    Some(TableIndex { key, unique, fields })
}

/// A key of several fields, as `#[table(key(a, b))]` asks for it.
#[derive(Debug)]
pub(crate) struct TableKey {
    pub(crate) key: Path,
    pub(crate) fields: Vec<Ident>,
}

/// Reads `key(a, b)`.
pub(super) fn table_key(meta: &Meta, diag: &mut Diag) -> Option<TableKey> {
    Some(TableKey { key: meta.path().clone(), fields: fields(meta, diag)? })
}

/// The fields of an entry that names several.
fn fields<F: Parse>(meta: &Meta, diag: &mut Diag) -> Option<Vec<F>> {
    let name = key_name(meta.path());
    let advice = format!("name the fields: `{name}(first, second)`");
    let Meta::List(list) = meta else {
        diag.error(meta, format_args!("`{name}` takes fields; {advice}"));
        return None;
    };
    match list.parse_args_with(Punctuated::<F, Token![,]>::parse_terminated) {
        Ok(fields) if fields.is_empty() => {
            diag.error(list, format_args!("`{name}()` says nothing; {advice}"));
            None
        }
        Ok(fields) => Some(fields.into_iter().collect()),
        Err(error) => {
            let message = match name.as_str() {
                "key" => format!("`{name}` takes names of fields; {advice}"),
                _ => format!(
                    "`{name}` takes names of fields, and of fields of a struct in one, no deeper; \
                     write `{name}(first, second)` or `{name}(first.inner)`"
                ),
            };
            diag.push(syn::Error::new(error.span(), message));
            None
        }
    }
}

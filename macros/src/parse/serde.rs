//! serde's own attributes, as far as they decide what is stored.
//!
//! Mistakes in them are serde's to report, so what does not parse is passed over here.

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, ExprPath, Lit, LitStr, Meta, Path, Token};

use super::meta::{key_name, literal, try_entries};

/// serde's attributes of the whole struct.
#[derive(Debug, Default)]
pub(crate) struct SerdeContainer {
    pub(crate) rename_all: Option<Renames>,
    pub(crate) default: Option<SerdeDefault>,
    pub(crate) transparent: bool,
    /// Every key, to find those that heirloom refuses.
    pub(crate) keys: Vec<Path>,
}

/// serde's attributes of a field.
#[derive(Debug, Default)]
pub(crate) struct SerdeField {
    pub(crate) rename: Option<Renames>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) default: Option<SerdeDefault>,
    pub(crate) skip_serializing_if: Option<Path>,
    /// The function that writes the field.
    pub(crate) serialize: Option<TokenStream>,
    /// The function that reads it.
    pub(crate) deserialize: Option<TokenStream>,
    /// Every key, to find those that heirloom refuses.
    pub(crate) keys: Vec<Path>,
}

/// `rename` or `rename_all`: one name for both directions, or one for each.
#[derive(Debug)]
pub(crate) struct Renames {
    pub(crate) key: Path,
    pub(crate) serialize: Option<LitStr>,
    pub(crate) deserialize: Vec<LitStr>,
}

/// `default`, or `default = "path"`.
#[derive(Debug, Clone)]
pub(crate) struct SerdeDefault {
    pub(crate) key: Path,
    pub(crate) path: Option<ExprPath>,
}

/// Reads serde's attributes of a struct.
pub(crate) fn serde_container(attributes: &[Attribute]) -> SerdeContainer {
    let mut container = SerdeContainer::default();
    for meta in serde_entries(attributes) {
        match key_name(meta.path()).as_str() {
            "rename_all" => container.rename_all = Some(renames(&meta)),
            "default" => container.default = Some(default(&meta)),
            "transparent" => container.transparent = true,
            _ => {}
        }
        container.keys.push(meta.path().clone());
    }
    container
}

/// Reads serde's attributes of a field.
pub(super) fn serde_field(attributes: &[Attribute]) -> SerdeField {
    let mut field = SerdeField::default();
    for meta in serde_entries(attributes) {
        let key = meta.path();
        match key_name(key).as_str() {
            "rename" => field.rename = Some(renames(&meta)),
            "alias" => field.aliases.extend(text(&meta)),
            "default" => field.default = Some(default(&meta)),
            "skip_serializing_if" => field.skip_serializing_if = Some(key.clone()),
            "serialize_with" => field.serialize = function(&meta),
            "deserialize_with" => field.deserialize = function(&meta),
            "with" => {
                if let Some(module) = function(&meta) {
                    field.serialize = Some(quote::quote!(#module::serialize));
                    field.deserialize = Some(quote::quote!(#module::deserialize));
                }
            }
            _ => {}
        }
        field.keys.push(key.clone());
    }
    field
}

fn serde_entries(attributes: &[Attribute]) -> impl Iterator<Item = Meta> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .flat_map(|attribute| try_entries(attribute).unwrap_or_default())
}

fn text(meta: &Meta) -> Option<LitStr> {
    match meta {
        Meta::NameValue(pair) => match literal(&pair.value) {
            Some(Lit::Str(text)) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn function(meta: &Meta) -> Option<TokenStream> {
    let path: ExprPath = text(meta)?.parse().ok()?;
    Some(quote::quote!(#path))
}

fn default(meta: &Meta) -> SerdeDefault {
    let path = text(meta).and_then(|text| text.parse().ok());
    SerdeDefault { key: meta.path().clone(), path }
}

fn renames(meta: &Meta) -> Renames {
    let mut renames =
        Renames { key: meta.path().clone(), serialize: None, deserialize: Vec::new() };
    if let Meta::List(list) = meta {
        let sides = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        for side in sides.unwrap_or_default() {
            match key_name(side.path()).as_str() {
                "serialize" => renames.serialize = text(&side),
                "deserialize" => renames.deserialize.extend(text(&side)),
                _ => {}
            }
        }
    } else {
        renames.serialize = text(meta);
        renames.deserialize.extend(text(meta));
    }
    renames
}

//! The indexes of a row: those of its fields, then those over several, then those of references.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Ident;

use super::Field;
use crate::parse;

/// An index, its fields by their place in the struct.
#[derive(Debug)]
pub(crate) struct Index {
    /// The tokens to blame.
    pub(crate) origin: TokenStream,
    pub(crate) unique: bool,
    /// Whether it has the items of its field, each on its own.
    pub(crate) each: bool,
    /// As written; a name without a place is no field.
    pub(crate) fields: Vec<(TokenStream, String, Option<usize>)>,
    /// Whether it stands on a field.
    pub(crate) on_field: bool,
}

impl Index {
    /// All indexes that fields and struct ask for, and one for each reference that no other index has
    /// first; the key needs none.
    pub(super) fn all(
        fields: &[Field],
        table: &[parse::TableIndex],
        key: Option<usize>,
    ) -> Vec<Self> {
        let single = fields.iter().enumerate().filter_map(|(place, field)| {
            let index = field.parsed.index.as_ref()?;
            let origin = index.path.to_token_stream();
            let name = field.parsed.name.clone();
            let fields = vec![(origin.clone(), name, Some(place))];
            let (unique, each) = (index.unique, index.each);
            Some(Self { origin, unique, each, fields, on_field: true })
        });
        let several = table.iter().map(|index| Self {
            origin: index.key.to_token_stream(),
            unique: index.unique,
            each: false,
            fields: index.fields.iter().map(|name| resolve(name, fields)).collect(),
            on_field: false,
        });
        let mut all: Vec<Self> = single.chain(several).collect();
        for (place, field) in fields.iter().enumerate() {
            let is_left_out = field
                .parsed
                .reference
                .as_ref()
                .is_some_and(|reference| reference.no_index.is_some());
            let is_served = key == Some(place) || all.iter().any(|index| index.is_led_by(place));
            if field.referred().is_some() && !is_left_out && !is_served {
                let origin = field.parsed.ident.to_token_stream();
                let fields = vec![(origin.clone(), field.parsed.name.clone(), Some(place))];
                all.push(Self { origin, unique: false, each: false, fields, on_field: true });
            }
        }
        all
    }

    /// Whether it has a field first.
    pub(crate) fn is_led_by(&self, place: usize) -> bool {
        self.fields.first().is_some_and(|(_, _, first)| *first == Some(place))
    }

    /// The places of its fields, as far as they are fields.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.fields.iter().filter_map(|(_, _, place)| *place).collect()
    }
}

fn resolve(name: &Ident, fields: &[Field]) -> (TokenStream, String, Option<usize>) {
    let text = syn::ext::IdentExt::unraw(name).to_string();
    let place = fields.iter().position(|field| field.parsed.name == text);
    (name.to_token_stream(), text, place)
}

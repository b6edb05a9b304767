//! The indexes of a row: those of its fields, then those over several, then those of references.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Ident;

use super::{Computed, Field};
use crate::parse;

/// An index, its fields by their place in the struct.
#[derive(Debug)]
pub(crate) struct Index {
    /// The tokens to blame.
    pub(crate) origin: TokenStream,
    pub(crate) unique: bool,
    /// Whether it has the items of its field, each on its own.
    pub(crate) each: bool,
    pub(crate) fields: Vec<IndexField>,
    /// Whether it stands on a field.
    pub(crate) on_field: bool,
}

/// A value that an index orders rows by: a field, a field of a struct in one, or a computed column.
#[derive(Debug)]
pub(crate) struct IndexField {
    /// The tokens to blame.
    pub(crate) origin: TokenStream,
    /// The name of the field.
    pub(crate) name: String,
    /// Its place; without one, it is not a field.
    pub(crate) place: Option<usize>,
    /// The field of the struct in it.
    pub(crate) inner: Option<Ident>,
    /// Which computed column it is.
    pub(crate) computed: Option<usize>,
}

impl IndexField {
    fn plain(origin: TokenStream, field: &Field, place: usize) -> Self {
        let name = field.parsed.name.clone();
        Self { origin, name, place: Some(place), inner: None, computed: None }
    }

    fn resolve(path: &parse::IndexPath, fields: &[Field], computed: &[Computed]) -> Self {
        let name = syn::ext::IdentExt::unraw(&path.field).to_string();
        let place = fields.iter().position(|field| field.parsed.name == name);
        let computed = computed.iter().position(|column| column.name == name);
        let computed = computed.filter(|_| place.is_none() && path.inner.is_none());
        let origin = match place {
            Some(_) => path.to_token_stream(),
            None => path.field.to_token_stream(),
        };
        Self { origin, name, place, inner: path.inner.clone(), computed }
    }

    /// Whether there is what it names.
    pub(crate) fn is_known(&self) -> bool {
        self.place.is_some() || self.computed.is_some()
    }

    /// As written.
    pub(crate) fn text(&self) -> String {
        match &self.inner {
            Some(inner) => format!("{}.{inner}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Index {
    /// All indexes that fields and struct ask for, and one for each reference that no other index has
    /// first; the key needs none, nor does the first field of it.
    pub(super) fn all(
        fields: &[Field],
        computed: &[Computed],
        table: &[parse::TableIndex],
        key: &[usize],
    ) -> Vec<Self> {
        let single = fields.iter().enumerate().filter_map(|(place, field)| {
            let index = field.parsed.index.as_ref()?;
            let origin = index.path.to_token_stream();
            let fields = vec![IndexField::plain(origin.clone(), field, place)];
            let (unique, each) = (index.unique, index.each);
            Some(Self { origin, unique, each, fields, on_field: true })
        });
        let several = table.iter().map(|index| Self {
            origin: index.key.to_token_stream(),
            unique: index.unique,
            each: false,
            fields: index
                .fields
                .iter()
                .map(|path| IndexField::resolve(path, fields, computed))
                .collect(),
            on_field: false,
        });
        let mut all: Vec<Self> = single.chain(several).collect();
        for (place, field) in fields.iter().enumerate() {
            let is_left_out = field
                .parsed
                .reference
                .as_ref()
                .is_some_and(|reference| reference.no_index.is_some());
            let is_served =
                key.first() == Some(&place) || all.iter().any(|index| index.is_led_by(place));
            if field.referred().is_some() && !is_left_out && !is_served {
                let origin = field.parsed.ident.to_token_stream();
                let fields = vec![IndexField::plain(origin.clone(), field, place)];
                all.push(Self { origin, unique: false, each: false, fields, on_field: true });
            }
        }
        all
    }

    /// Whether it has a field first.
    pub(crate) fn is_led_by(&self, place: usize) -> bool {
        self.fields.first().is_some_and(|first| first.place == Some(place) && first.inner.is_none())
    }

    /// Whether a field is all that it has.
    pub(crate) fn is_of(&self, place: usize) -> bool {
        self.fields.len() == 1 && self.is_led_by(place)
    }

    /// Whether a computed column is all that it has.
    pub(crate) fn is_of_computed(&self, number: usize) -> bool {
        matches!(&self.fields[..], [only] if only.computed == Some(number))
    }

    /// Returns those of its fields that begin at a field of the row, with that field's position.
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, &IndexField)> {
        self.fields.iter().filter_map(|field| Some((field.place?, field)))
    }
}

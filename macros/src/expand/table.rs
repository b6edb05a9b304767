//! `#[derive(Table)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{codec, columns, hidden, indexes, record, references};
use crate::model::Record;

/// The impls of a row:
///
/// ```text
/// const _: () = {
///     impl Record for Recording { … }
///     impl Row for Recording {
///         type Key = Id<Recording>;
///         const TABLE: &'static str = "recordings";
///         const KEY_FIELD: usize = 0;
///         fn key(&self) -> &Self::Key { &self.id }
///     }
///     impl Recording { pub const TITLE: Column<Self, String> = …; … }
/// };
/// ```
pub(crate) fn table(row: &Record) -> TokenStream {
    let Some((index, key)) = row.key.zip(row.key_field()) else { return TokenStream::new() };
    let (ident, member, key) = (&row.ident, &key.parsed.ident, &key.ty);
    let (private, name) = (&row.paths.private, &row.name.text);
    let (codecs, record) = (codec::codecs(row), record::record(row));
    let (columns, indexes) = (columns::columns(row), indexes::indexes(row));
    let (references, within) = (references::members(row), references::within(row));
    hidden(&quote_spanned! {Span::mixed_site()=>
        #codecs
        #record
        #columns
        #within

        #[automatically_derived]
        impl #private::Row for #ident {
            type Key = #key;
            type Itself = Self;
            const TABLE: &'static ::core::primitive::str = #name;
            const KEY_FIELD: ::core::primitive::usize = #index;
            #indexes
            #references

            fn key(&self) -> &Self::Key {
                &self.#member
            }
        }
    })
}

//! `#[derive(Table)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{at, codec, columns, given, hidden, indexes, record, references, rules, stamps};
use crate::model::Record;

/// The impls of a row:
///
/// ```text
/// const _: () = {
///     impl Record for Recording { … }
///     impl Row for Recording {
///         type Key = Id<Recording>;
///         const TABLE: &'static str = "recordings";
///         const KEY_FIELDS: &'static [usize] = &[0];
///         fn key(&self) -> Cow<'_, Self::Key> { Cow::Borrowed(&self.id) }
///     }
///     impl Recording { pub const TITLE: Column<Self, String> = …; … }
/// };
/// ```
pub(crate) fn table(row: &Record) -> TokenStream {
    let (ident, places) = (&row.ident, &row.key);
    let (types, members): (Vec<_>, Vec<_>) =
        row.key_fields().map(|key| (&key.ty, &key.parsed.ident)).unzip();
    let ty = row.key_type(&types);
    let key = match &members[..] {
        [member] => quote_spanned!(Span::mixed_site()=> Borrowed(&self.#member)),
        members => {
            let parts = types.iter().zip(members).map(|(ty, member)| {
                quote_spanned!(at(*ty)=> <#ty as ::core::clone::Clone>::clone(&self.#member))
            });
            quote_spanned!(Span::mixed_site()=> Owned((#(#parts),*)))
        }
    };
    let (private, name) = (&row.paths.private, &row.name.text);
    let (codecs, record) = (codec::codecs(row), record::record(row));
    let (columns, indexes) = (columns::columns(row), indexes::indexes(row));
    let merges = row.merge.as_ref().map(|_| {
        quote_spanned!(Span::mixed_site()=> const MERGES_FIELDS: ::core::primitive::bool = true;)
    });
    let (references, within) = (references::members(row), references::within(row));
    let (stamps, computed) = (stamps::member(row), rules::computed(row));
    let is_record = given(ident, &quote!(#private::GivenRecord));
    hidden(&quote_spanned! {Span::mixed_site()=>
        #codecs
        #record
        #columns
        #within

        #[automatically_derived]
        impl<'__impls> #private::Row for #ident
        where
            #is_record,
        {
            type Key = #ty;
            type Itself = Self;
            const TABLE: &'static ::core::primitive::str = #name;
            const KEY_FIELDS: &'static [::core::primitive::usize] = &[#(#places),*];
            #merges
            #indexes
            #references
            #stamps
            #computed

            fn key(&self) -> ::std::borrow::Cow<'_, Self::Key> {
                ::std::borrow::Cow::#key
            }
        }
    })
}

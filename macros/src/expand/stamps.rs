//! The times that heirloom fills in.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{at, codec};
use crate::model::Record;

/// The member of `impl Row` that describes its times; nothing if it has none.
pub(super) fn member(row: &Record) -> TokenStream {
    let private = &row.paths.private;
    let fields = row.fields.iter().enumerate();
    let stamps = fields.filter_map(|(index, field)| {
        let kind = match (&field.parsed.created, &field.parsed.updated) {
            (Some(_), _) => quote!(Created),
            (None, Some(_)) => quote!(Updated),
            (None, None) => return None,
        };
        let (ty, stored) = (&field.ty, &field.stored);
        let stamp = quote_spanned!(at(ty)=> <#ty as #private::Stamp>);
        let (value, text) = (quote!(value), quote!(json));
        let write = codec::optional_json(index, field, &value, private);
        let read = codec::read_json(index, field, &text, private);
        Some(quote! {
            #private::StampDef {
                field: #stored,
                kind: #private::StampKind::#kind,
                write: |millis| {
                    let value = #stamp::from_millis(millis);
                    ::core::option::Option::flatten(::core::result::Result::ok(#write))
                },
                read: |json| ::core::option::Option::and_then(
                    ::core::result::Result::ok(#read),
                    |value| #stamp::to_millis(&value),
                ),
            }
        })
    });
    let stamps: Vec<TokenStream> = stamps.collect();
    if stamps.is_empty() {
        return TokenStream::new();
    }
    quote_spanned! {Span::mixed_site()=>
        const STAMPS: &'static [#private::StampDef] = &[#(#stamps),*];
    }
}

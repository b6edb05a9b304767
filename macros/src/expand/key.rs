//! `#[derive(Key)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Ident;

use super::{at, hidden};
use crate::parse::{Newtype, resolve_self};
use crate::paths::Paths;

/// `impl Key for Isbn`, all of it the inner key's.
pub(crate) fn key(ident: &Ident, newtype: &Newtype, paths: &Paths) -> TokenStream {
    let (private, member) = (&paths.private, &newtype.member);
    let ty = &newtype.ty;
    let inner = resolve_self(quote::quote!(#ty), ident);
    // One bound for the whole impl: a type that is no key is reported once.
    let bound = quote_spanned!(at(ty)=> #inner: #private::Key);
    hidden(&quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #private::Key for #ident
        where
            #bound,
        {
            const KIND: #private::KeyKind = <#inner as #private::Key>::KIND;

            fn to_text(&self) -> ::std::string::String {
                <#inner as #private::Key>::to_text(&self.#member)
            }

            fn from_text(
                text: &::core::primitive::str,
            ) -> ::core::result::Result<Self, #private::KeyError> {
                ::core::result::Result::map(
                    <#inner as #private::Key>::from_text(text),
                    |key| Self { #member: key },
                )
            }

            fn to_bytes(&self) -> #private::KeyBytes<'_> {
                <#inner as #private::Key>::to_bytes(&self.#member)
            }
        }
    })
}

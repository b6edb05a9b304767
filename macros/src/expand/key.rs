//! `#[derive(Key)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::{given, hidden, located};
use crate::parse::{Newtype, resolve_self};
use crate::paths::Paths;

/// `impl Key for Isbn`, all of it the inner key's.
pub(crate) fn key(ident: &Ident, newtype: &Newtype, paths: &Paths) -> TokenStream {
    let (private, member) = (&paths.private, &newtype.member);
    let ty = resolve_self(newtype.ty.to_token_stream(), ident);
    // All of it stands at the type, so that a type that is not a key gives the same error everywhere,
    // which the compiler shows once.
    let inner = located(quote!(<#ty as #private::Key>), newtype.ty.span());
    let is_key = given(ident, &quote!(#private::GivenKey));
    hidden(&quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #private::Comparable for #ident {
            fn sort_key(&self, key: &mut #private::SortKey<'_>) {
                #private::SortKey::push_key(key, self);
            }
        }

        #[automatically_derived]
        impl<'__impls> #private::KeyField for #ident
        where
            #is_key,
        {
            const KIND: #private::KeyKind = #private::kind_of(#inner::KINDS);
        }

        #[automatically_derived]
        impl #private::Key for #ident {
            const KINDS: &'static [#private::KeyKind] = #inner::KINDS;

            fn to_text(&self) -> ::std::string::String {
                #inner::to_text(&self.#member)
            }

            fn from_text(
                text: &::core::primitive::str,
            ) -> ::core::result::Result<Self, #private::Error> {
                ::core::result::Result::map(#inner::from_text(text), |key| Self { #member: key })
            }

            fn to_bytes(&self) -> #private::KeyBytes<'_> {
                #inner::to_bytes(&self.#member)
            }

            fn from_bytes(
                bytes: &[::core::primitive::u8],
            ) -> ::core::option::Option<Self> {
                ::core::option::Option::map(#inner::from_bytes(bytes), |key| Self { #member: key })
            }
        }
    })
}

//! A record taken apart, for the record of the next epoch.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};

use super::at;
use crate::model::Record;

/// The parts and how they are taken:
///
/// ```text
/// pub struct __Parts { field0: Option<Id<Recording>>, field1: Option<String>, … }
/// impl Parts for __Parts {}
/// impl Part<0, Id<Recording>> for __Parts { fn part(&mut self) -> … { self.field0.take() } }
/// …
/// impl Apart for Recording {
///     type Parts = __Parts;
///     fn apart(self) -> __Parts { __Parts { field0: Some(self.id), field1: Some(self.title), … } }
/// }
/// ```
pub(crate) fn parts(record: &Record) -> TokenStream {
    let (ident, private) = (&record.ident, &record.paths.private);
    let names: Vec<Ident> =
        (0..record.fields.len()).map(|index| format_ident!("field{index}")).collect();
    let fields = || names.iter().zip(&record.fields);
    let declared = fields().map(|(name, field)| {
        let ty = &field.ty;
        quote_spanned!(at(ty)=> #name: ::core::option::Option<#ty>)
    });
    let filled = fields().map(|(name, field)| {
        let member = &field.parsed.ident;
        quote_spanned!(Span::mixed_site()=> #name: ::core::option::Option::Some(self.#member))
    });
    let impls = fields().enumerate().map(|(index, (name, field))| {
        let ty = &field.ty;
        quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            impl #private::Part<#index, #ty> for __Parts {
                fn part(&mut self) -> ::core::option::Option<#ty> {
                    ::core::option::Option::take(&mut self.#name)
                }
            }
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #[allow(missing_debug_implementations, missing_docs, private_interfaces, unreachable_pub)]
        pub struct __Parts {
            #(#declared,)*
        }

        #[automatically_derived]
        impl #private::Parts for __Parts {}

        #(#impls)*

        #[automatically_derived]
        #[allow(deprecated)]
        impl #private::Apart for #ident {
            type Parts = __Parts;

            fn apart(self) -> __Parts {
                __Parts { #(#filled),* }
            }
        }
    }
}

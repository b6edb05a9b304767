//! The step from the struct of the epoch before.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::conversion::Fields;
use super::{at, given, located};
use crate::kind::Kind;
use crate::model::{Record, Step, Way};

/// `impl Successor for …`, and the checks of its conversion; nothing if there is no previous
/// struct.
///
/// ```text
/// const __PREVIOUS: &[FieldDef] = <v0::Recording as Record>::FIELDS;
/// const __PLACE0: usize = place(__PREVIOUS, "id");
/// …
/// impl Successor for Recording {
///     type Previous = v0::Recording;
///     const SOURCES: Option<&'static [SourceDef]> = Some(&[moved(__PREVIOUS, __PLACE0), …]);
///     fn succeed(previous: v0::Recording) -> Result<Self, ConvertError> {
///         let mut parts = Apart::apart(previous);
///         let taken0 = take::<__PLACE0, _, _>(&mut parts)?;
///         …
///         let new0: Id<Recording> = (&&&Way::of(&taken0)).way().go(taken0, no_default)?;
///         …
///         Ok(Self { id: new0, … })
///     }
/// }
/// ```
pub(super) fn step(record: &Record) -> TokenStream {
    let Some(step) = &record.step else { return TokenStream::new() };
    let (ident, private, previous) = (&record.ident, &record.paths.private, &step.previous);
    let (alias, itself) = (previous_name(step), previous_trait(record.kind));
    let itself = located(quote!(<#previous as #private::#itself>::Itself), previous.span());
    let argument = quote_spanned!(at(previous)=> previous);
    let is_record = given(ident, &quote!(#private::GivenRecord));
    let signature = located(
        quote! {
            fn succeed(
                #argument: #alias,
            ) -> ::core::result::Result<Self, #private::ConvertError>
        },
        previous.span(),
    );
    let (consts, sources, body) = match &step.way {
        Way::Fields => Fields::new(record, step).expand(&argument),
        Way::From(key) => {
            let from = located(
                quote!(<Self as ::core::convert::From<#previous>>::from(#argument)),
                key.span(),
            );
            (TokenStream::new(), none(), quote!(::core::result::Result::Ok(#from)))
        }
        Way::TryFrom(key) => {
            let try_from = located(
                quote! {
                    ::core::result::Result::map_err(
                        <Self as ::core::convert::TryFrom<#previous>>::try_from(#argument),
                        #private::ConvertError::new,
                    )
                },
                key.span(),
            );
            (TokenStream::new(), none(), try_from)
        }
    };
    quote_spanned! {Span::mixed_site()=>
        // A type that is not a row is reported at its name, and nowhere else.
        type #alias = #itself;

        #consts

        #[automatically_derived]
        #[allow(deprecated, unused_imports, unused_variables, clippy::all, clippy::pedantic)]
        impl<'__impls> #private::Successor for #ident
        where
            #is_record,
        {
            type Previous = #alias;

            const SOURCES: ::core::option::Option<&'static [#private::SourceDef]> = #sources;

            #signature {
                #body
            }
        }
    }
}

/// The member of `impl Record` that says how to step.
pub(super) fn member(record: &Record) -> Option<TokenStream> {
    let step = record.step.as_ref()?;
    let (previous, private) = (previous_name(step), &record.paths.private);
    let name = match record.kind {
        Kind::Kv => quote!(<#previous as #private::Group>::GROUP),
        _ => quote!(<#previous as #private::Row>::TABLE),
    };
    let name = located(name, step.previous.span());
    Some(quote! {
        const STEP: ::core::option::Option<#private::Step<Self>> =
            ::core::option::Option::Some(#private::step_to::<Self>(#name));
    })
}

/// Returns the name of the previous struct in generated code.
pub(super) fn previous_name(step: &Step) -> Ident {
    Ident::new("__Previous", at(&step.previous))
}

/// The trait of which it is.
fn previous_trait(kind: Kind) -> Ident {
    format_ident!("{}", if kind == Kind::Kv { "Group" } else { "Row" })
}

fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

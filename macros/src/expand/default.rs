//! The defaults of missing fields, each an arm of `Record::default_of`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{LitStr, Type};

use super::{at, codec, located};
use crate::model::{Default, Field, Record, Source};
use crate::parse::{SerdeDefault, option_inner, resolve_self};

/// Returns the block that computes the default of a field; `None` if it has none.
pub(super) fn default(record: &Record, index: usize) -> Option<TokenStream> {
    let private = &record.paths.private;
    let field = &record.fields[index];
    let to_json = |value: TokenStream| codec::to_json(index, field, &value, private);
    let body = match &field.default {
        Default::Value { expr, .. } => {
            let ty = &field.ty;
            // A constant can neither read a clock nor roll dice: the compiler sees to it.
            let json = to_json(quote!(&__HEIRLOOM_DEFAULT));
            quote! {
                const __HEIRLOOM_DEFAULT: #ty = #expr;
                #json
            }
        }
        Default::Computed { closure, sources, .. } => {
            computed(record, field, closure, sources, &to_json)
        }
        _ => {
            let value = value(record, index)?;
            to_json(quote!(&#value))
        }
    };
    Some(quote!({ #body }))
}

/// The default of a field that reads no other; nothing if there is none.
pub(super) fn value(record: &Record, index: usize) -> Option<TokenStream> {
    let field = &record.fields[index];
    Some(match &field.default {
        Default::Required | Default::Optional | Default::Broken | Default::Computed { .. } => {
            return None;
        }
        Default::Type => type_default(&field.ty),
        Default::Serde(default) => serde_default(record, default, &field.ty),
        Default::SerdeContainer(default) => {
            let member = &field.parsed.ident;
            let ident = &record.ident;
            let whole = serde_default(record, default, &syn::parse_quote!(#ident));
            quote!(#whole.#member)
        }
        Default::Text { literal, .. } => text(field, literal),
        Default::Value { expr, .. } => {
            let ty = &field.ty;
            quote! {
                {
                    const __HEIRLOOM_DEFAULT: #ty = #expr;
                    __HEIRLOOM_DEFAULT
                }
            }
        }
    })
}

fn type_default(ty: &Type) -> TokenStream {
    quote_spanned!(at(ty)=> <#ty as ::core::default::Default>::default())
}

fn serde_default(record: &Record, default: &SerdeDefault, ty: &Type) -> TokenStream {
    match &default.path {
        Some(path) => {
            let path = resolve_self(path.to_token_stream(), &record.ident);
            quote!(#path())
        }
        None => type_default(ty),
    }
}

/// A string literal, for whatever is made from one.
fn text(field: &Field, literal: &LitStr) -> TokenStream {
    // The literal is what is wrong where the type is not made from one.
    let span = at(literal);
    let mut ty = &field.ty;
    let mut options = 0_usize;
    while let Some(inner) = option_inner(ty) {
        ty = inner;
        options += 1;
    }
    let ty = located(ty.to_token_stream(), literal.span());
    let mut value = quote_spanned! {span=>
        <#ty as ::core::convert::From<&'static ::core::primitive::str>>::from(#literal)
    };
    for _ in 0..options {
        value = quote_spanned!(span=> ::core::option::Option::Some(#value));
    }
    value
}

/// ```text
/// Above::computed(above, cfg!(debug_assertions), || {
///     let compute: fn(Option<String>) -> u8 = |transcript| …;
///     let value = compute(Above::get::<Option<String>>(above, "transcript")?);
///     Above::json(above, &value)
/// })
/// ```
fn computed(
    record: &Record,
    field: &Field,
    closure: &TokenStream,
    sources: &[Source],
    to_json: &dyn Fn(TokenStream) -> TokenStream,
) -> TokenStream {
    let private = &record.paths.private;
    let found = || sources.iter().filter_map(|source| source.field);
    let types = found().map(|index| &record.fields[index].ty);
    let values = found().map(|index| codec::from_above(index, &record.fields[index], private));
    let ty = &field.ty;
    let pointer = quote_spanned!(at(ty)=> fn(#(#types),*) -> #ty);
    let json = to_json(quote_spanned!(Span::mixed_site()=> &value));
    quote_spanned! {Span::mixed_site()=>
        #private::Above::computed(above, ::core::cfg!(debug_assertions), || {
            let compute: #pointer = #closure;
            let value = compute(#(#values),*);
            #json
        })
    }
}

//! The parts that rows and kv groups share: the descriptors of their fields, and their defaults.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::codec::is_same;
use super::{at, coding, default, located, parts, rules, step};
use crate::model::{Default, Field, Record};
use crate::parse::{FieldMerge, is_option, is_primitive, option_inner};

/// `impl Record for …`
pub(super) fn record(record: &Record) -> TokenStream {
    let (ident, private) = (&record.ident, &record.paths.private);
    let defs = record.fields.iter().map(|field| {
        let (def, reads) = (def(field, private), reads(record, field));
        quote!(#def #reads)
    });
    let arms: Vec<TokenStream> = (0..record.fields.len())
        .filter_map(|index| {
            let default = default::default(record, index)?;
            Some(quote!(#index => #default))
        })
        .collect();
    let removed = removed(record);
    let removed_names = removed_names(record);
    let (step_member, step) = (step::member(record), step::step(record));
    let (parts, rules) = (parts::parts(record), rules::members(record));
    let schemas = schemas(record);
    let is_same = is_same(&quote!(self), &quote!(other), private);
    let above = quote_spanned!(Span::mixed_site()=> above);
    let index = quote_spanned!(Span::mixed_site()=> index);
    let (argument, body) = if arms.is_empty() {
        (quote!(_), quote!(#private::Above::none(#above)))
    } else {
        let body = quote! {
            match #index {
                #(#arms)*
                _ => #private::Above::none(#above),
            }
        };
        (index, body)
    };
    quote! {
        #parts
        #schemas
        #step
        #removed_names

        #[automatically_derived]
        impl #private::Record for #ident {
            const FIELDS: &'static [#private::FieldDef] = &[#(#defs),*];
            #removed
            #step_member
            #rules

            fn shape() -> &'static #private::Shape {
                static SHAPE: #private::ShapeOnce = #private::ShapeOnce::new();
                SHAPE.of::<Self>()
            }

            fn is_same(&self, other: &Self) -> ::core::option::Option<::core::primitive::bool> {
                #is_same
            }

            fn default_of(
                #argument: ::core::primitive::usize,
                #above: &#private::Above<'_>,
            ) -> ::core::result::Result<::std::string::String, #private::DefaultError> {
                #body
            }
        }
    }
}

/// Asks each field's type for its JSON Schema in words of ours, if it is the one that is used:
///
/// ```text
/// const _: fn() = || { has_schema::<String>(); … };
/// ```
fn schemas(record: &Record) -> TokenStream {
    let private = &record.paths.private;
    let asked = record.fields.iter().filter(|field| {
        let serde = &field.parsed.serde;
        let is_written_otherwise = serde.serialize.is_some() || serde.deserialize.is_some();
        !field.parsed.has_schemars && !is_written_otherwise && !is_primitive(&field.ty)
    });
    let asked: Vec<TokenStream> = asked
        .map(|field| {
            let ty = &field.ty;
            quote_spanned!(at(ty)=> #private::has_schema::<#ty>();)
        })
        .collect();
    if asked.is_empty() {
        return TokenStream::new();
    }
    quote! {
        const _: fn() = || {
            #(#asked)*
        };
    }
}

/// The stored names that are not to be used again.
fn removed(record: &Record) -> Option<TokenStream> {
    if record.removed.is_empty() {
        return None;
    }
    let names = record.removed.iter().map(|field| &field.text);
    let names = match &record.step {
        Some(_) => quote!(__REMOVED.0.split_at(__REMOVED.1).0),
        None => quote!(&[#(#names),*]),
    };
    Some(quote! {
        const REMOVED: &'static [&'static ::core::primitive::str] = #names;
    })
}

/// The same of a struct with a previous one, whose fields `removes` names as they are in Rust.
fn removed_names(record: &Record) -> Option<TokenStream> {
    let step = record.step.as_ref().filter(|_| !record.removed.is_empty())?;
    let (ident, private) = (&record.ident, &record.paths.private);
    let previous = step::previous_name(step);
    let (names, count) = (record.removed.iter().map(|field| &field.text), record.removed.len());
    Some(quote! {
        const __REMOVED: ([&::core::primitive::str; #count], ::core::primitive::usize) =
            #private::removed_names(
                <#previous as #private::Record>::FIELDS,
                &[#(#names),*],
                <#ident as #private::Record>::FIELDS,
            );
    })
}

/// `.reads(&["transcript"])`, for the fields that a computed default names.
fn reads(record: &Record, field: &Field) -> Option<TokenStream> {
    let Default::Computed { sources, .. } = &field.default else { return None };
    let read = sources.iter().filter_map(|source| record.fields.get(source.field?));
    let read = read.map(|field| &field.stored);
    Some(quote!(.reads(&[#(#read),*])))
}

/// `FieldDef::new("title", "title", "String").…`
pub(super) fn def(field: &Field, private: &TokenStream) -> TokenStream {
    let (stored, name, ty) = (&field.stored, &field.parsed.name, &field.ty_text);
    let mut def = quote!(#private::FieldDef::new(#stored, #name, #ty));
    if !field.aliases.is_empty() {
        let aliases = &field.aliases;
        def.extend(quote!(.aliases(&[#(#aliases),*])));
    }
    let kind = match &field.default {
        Default::Required | Default::Optional | Default::Broken => None,
        Default::Serde(_) | Default::SerdeContainer(_) => Some(quote!(Serde)),
        Default::Type => Some(quote!(Type)),
        Default::Text { text, .. } | Default::Value { text, .. } => Some(quote!(Value(#text))),
        Default::Computed { text, .. } => Some(quote!(Computed(#text))),
    };
    if let Some(kind) = kind {
        def.extend(quote!(.default(#private::DefaultKind::#kind)));
    }
    // A function of the user's own decides by itself how a missing field reads.
    if field.deserialize().is_none() {
        let (once, twice) = coding::options(&field.ty, private);
        let inner = option_inner(&field.ty);
        let written = inner.map_or(0_usize, |inner| 1 + usize::from(is_option(inner)));
        // All of it stands at the type, which is what is wrong.
        let option = located(quote!(#private::FieldDef::option), field.ty.span());
        def = quote_spanned!(at(&field.ty)=> #option(#def, #once, #twice, #written));
    }
    if field.nullable.is_some() {
        def.extend(quote!(.nullable()));
    }
    if let Some(merge) = &field.parsed.merge {
        let how = match merge.how {
            FieldMerge::Fields => quote!(Fields),
            FieldMerge::Sum => quote!(Sum),
            FieldMerge::Union => quote!(Union),
        };
        def.extend(quote!(.merging(#private::FieldMerge::#how)));
    }
    if let Some(same_as) = &field.parsed.same_as {
        let spelling = &same_as.text;
        def.extend(quote!(.same_as(#spelling)));
    }
    def
}

//! What rows and kv groups have in common: the descriptors of their fields, and their defaults.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::codec::is_same;
use super::{default, parts, step};
use crate::model::{Default, Field, Record};

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
    let parts = parts::parts(record);
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
        #step
        #removed_names

        #[automatically_derived]
        impl #private::Record for #ident {
            const FIELDS: &'static [#private::FieldDef] = &[#(#defs),*];
            #removed
            #step_member

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
        Default::Required | Default::Broken => None,
        Default::Optional => Some(quote!(Optional)),
        Default::Serde(_) | Default::SerdeContainer(_) => Some(quote!(Serde)),
        Default::Type => Some(quote!(Type)),
        Default::Text { text, .. } | Default::Value { text, .. } => Some(quote!(Value(#text))),
        Default::Computed { text, .. } => Some(quote!(Computed(#text))),
    };
    if let Some(kind) = kind {
        def.extend(quote!(.default(#private::DefaultKind::#kind)));
    }
    if field.nullable.is_some() {
        def.extend(quote!(.nullable()));
    }
    if let Some(same_as) = &field.parsed.same_as {
        let spelling = &same_as.text;
        def.extend(quote!(.same_as(#spelling)));
    }
    def
}

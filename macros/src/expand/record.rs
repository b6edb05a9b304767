//! What rows and kv groups have in common: the descriptors of their fields, and their defaults.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::default;
use crate::model::{Default, Field, Record};

/// `impl Record for …`
pub(super) fn record(record: &Record) -> TokenStream {
    let (ident, private) = (&record.ident, &record.paths.private);
    let defs = record.fields.iter().map(|field| def(field, private));
    let arms: Vec<TokenStream> = (0..record.fields.len())
        .filter_map(|index| {
            let default = default::default(record, index)?;
            Some(quote!(#index => #default))
        })
        .collect();
    let removed = record.removed.iter().map(|field| &field.text);
    let removed = (!record.removed.is_empty()).then(|| {
        quote! {
            const REMOVED: &'static [&'static ::core::primitive::str] = &[#(#removed),*];
        }
    });
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
        #[automatically_derived]
        impl #private::Record for #ident {
            const FIELDS: &'static [#private::FieldDef] = &[#(#defs),*];
            #removed

            fn default_of(
                #argument: ::core::primitive::usize,
                #above: &#private::Above<'_>,
            ) -> ::core::result::Result<::std::string::String, #private::DefaultError> {
                #body
            }
        }
    }
}

/// `FieldDef::new("title", "title", "String").…`
fn def(field: &Field, private: &TokenStream) -> TokenStream {
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

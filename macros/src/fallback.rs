//! Stub impls after a mistake, so that code using the type compiles and one mistake gives one
//! error. They never run, since the crate does not compile.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Generics, Type};

use crate::expand::{
    columns, entries_name, entries_struct, given, hidden, memberships, methods, parts,
};
use crate::kind::Kind;
use crate::model::{Field, Record};
use crate::parse::{is_tuple, option_inner};
use crate::paths::Paths;

/// A body that fits every signature.
fn never() -> TokenStream {
    quote!(::core::panic!("the derive of this type failed"))
}

/// Stubs for a struct whose fields could be read.
pub(crate) fn record(input: &DeriveInput, record: &Record) -> TokenStream {
    let paths = &record.paths;
    if record.kind == Kind::Fields {
        let columns = input.generics.params.is_empty().then(|| columns(record));
        return columns.unwrap_or_default();
    }
    let common = record_impl(input, paths, &record.fields);
    match record.kind {
        Kind::Table => {
            let types = record.key_fields().map(|key| option_inner(&key.ty).unwrap_or(&key.ty));
            let types: Vec<&Type> = types.collect();
            let key = match types[..] {
                // As many as there are in a mistake, too.
                [] | [_, _, _, _, _, ..] => None,
                [ty] if is_tuple(ty) => None,
                _ => Some((record.key_type(&types), types.len())),
            };
            let row = row_impl(input, paths, &record.name.text, key);
            let columns = if input.generics.params.is_empty() {
                let (columns, parts) = (columns(record), parts(record));
                quote!(#columns #parts)
            } else {
                generic_columns(input, record)
            };
            hidden(&quote!(#common #row #columns))
        }
        _ => {
            let entries = entries_struct(record, &input.generics);
            let group = group_impl(input, paths, &record.name.text, &input.generics);
            let parts = input.generics.params.is_empty().then(|| parts(record));
            let impls = hidden(&quote!(#common #group #parts));
            quote!(#entries #impls)
        }
    }
}

/// The columns of a struct with parameters, which have no names of their own.
fn generic_columns(input: &DeriveInput, record: &Record) -> TokenStream {
    let (ident, private, never) = (&input.ident, &record.paths.private, never());
    let (impl_generics, type_generics, clause) = input.generics.split_for_impl();
    let columns = record.fields.iter().filter_map(|field| {
        let (name, vis, ty) = (field.column()?, &field.parsed.vis, &field.ty);
        Some(quote!(#vis const #name: #private::Column<Self, #ty> = #never;))
    });
    let computed = record.computed.iter().map(|computed| {
        let (name, vis, ty) = (computed.column(), &record.vis, &computed.ty);
        quote!(#vis const #name: #private::Column<Self, #ty> = #never;)
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code, missing_docs, private_interfaces)]
        impl #impl_generics #ident #type_generics #clause {
            #(#columns)*
            #(#computed)*
        }
    }
}

/// Stubs for what is not even a struct with named fields.
pub(crate) fn shapeless(input: &DeriveInput, kind: Kind, paths: &Paths) -> TokenStream {
    match kind {
        Kind::Table => {
            let common = record_impl(input, paths, &[]);
            let row = row_impl(input, paths, "stub", None);
            hidden(&quote!(#common #row))
        }
        Kind::Kv => no_entries(input, paths, "stub"),
        Kind::Fields => TokenStream::new(),
        Kind::Store => store(input, paths, &[], &[]),
    }
}

/// Stubs for a store of these tables and kv groups.
pub(crate) fn store(
    input: &DeriveInput,
    paths: &Paths,
    tables: &[&Type],
    groups: &[&Type],
) -> TokenStream {
    let (ident, private) = (&input.ident, &paths.private);
    let generics = with_static(&input.generics);
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    let never = never();
    // A row in two tables would belong to the store twice, and parameters stand for nothing here.
    let concrete = input.generics.params.is_empty();
    let memberships = concrete
        .then(|| memberships(ident, paths, &without_repeats(tables), &without_repeats(groups)));
    let methods = methods(ident, &input.vis, paths, &generics);
    hidden(&quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::Store for #ident #type_generics #clause {
            const DEF: #private::StoreDef = #private::StoreDef::new("stub", 0, &[], &[]);

            fn described() -> &'static #private::Described {
                #never
            }

            fn attach(_: &#private::Handle) -> Self {
                #never
            }

            fn handle(&self) -> &#private::Handle {
                #never
            }

            fn parts<'s>(&'s self, _: &mut dyn ::core::ops::FnMut(&'s dyn #private::StorePart)) {}
        }

        #memberships
        #methods
    })
}

/// A stub for a key.
pub(crate) fn key(input: &DeriveInput, paths: &Paths) -> TokenStream {
    let (ident, private) = (&input.ident, &paths.private);
    let generics = with_bound(
        &input.generics,
        ident,
        &quote!(
            ::core::clone::Clone
                + ::core::cmp::Eq
                + ::core::hash::Hash
                + ::core::marker::Send
                + ::core::marker::Sync
                + 'static
        ),
    );
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    let of_field = with_given(&generics, ident, &quote!(#private::GivenKey));
    let (impl_of_field, _, clause_of_field) = of_field.split_for_impl();
    let never = never();
    hidden(&quote! {
        #[automatically_derived]
        impl #impl_of_field #private::KeyField for #ident #type_generics #clause_of_field {
            const KIND: #private::KeyKind = #private::KeyKind::Text;
        }

        #[automatically_derived]
        impl #impl_generics #private::Key for #ident #type_generics #clause {
            const KINDS: &'static [#private::KeyKind] = &[#private::KeyKind::Text];

            fn to_text(&self) -> ::std::string::String {
                #never
            }

            fn from_text(
                _: &::core::primitive::str,
            ) -> ::core::result::Result<Self, #private::Error> {
                #never
            }

            fn to_bytes(&self) -> #private::KeyBytes<'_> {
                #never
            }

            fn from_bytes(_: &[::core::primitive::u8]) -> ::core::option::Option<Self> {
                #never
            }
        }
    })
}

fn without_repeats<'a>(types: &[&'a Type]) -> Vec<&'a Type> {
    let mut kept: Vec<&Type> = Vec::new();
    for ty in types {
        if !kept.contains(ty) {
            kept.push(ty);
        }
    }
    kept
}

fn record_impl(input: &DeriveInput, paths: &Paths, fields: &[Field]) -> TokenStream {
    let (ident, private, never) = (&input.ident, &paths.private, never());
    let generics = record_generics(input, paths);
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    // A later epoch that takes these fields finds them, and has no type to compare with.
    let known = fields.iter().map(|field| {
        let (stored, name) = (&field.stored, &field.parsed.name);
        quote!(#private::FieldDef::new(#stored, #name, ""))
    });
    let fields =
        if fields.is_empty() { quote!(#private::FieldDef::STUB) } else { quote!(#(#known),*) };
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Record for #ident #type_generics #clause {
            const FIELDS: &'static [#private::FieldDef] = &[#fields];

            fn default_of(
                _: ::core::primitive::usize,
                _: &#private::Above<'_>,
            ) -> ::core::result::Result<::std::string::String, #private::DefaultError> {
                #never
            }
        }
    }
}

/// A stub for a row, whose key is of this type and of so many fields.
fn row_impl(
    input: &DeriveInput,
    paths: &Paths,
    name: &str,
    key: Option<(TokenStream, usize)>,
) -> TokenStream {
    let (ident, private, never) = (&input.ident, &paths.private, never());
    let generics = record_generics(input, paths);
    let (_, type_generics, _) = input.generics.split_for_impl();
    let mut in_stores = with_given(&generics, ident, &quote!(#private::GivenRow));
    in_stores.params.push(syn::parse_quote!(__S: #private::Store));
    let (in_stores, _, clause_in_stores) = in_stores.split_for_impl();
    let generics = with_given(&generics, ident, &quote!(#private::GivenRecord));
    let (impl_generics, _, clause) = generics.split_for_impl();
    let (key, fields) = key.unwrap_or_else(|| (quote!(::std::string::String), 1));
    let places = vec![0_usize; fields];
    quote! {
        #[automatically_derived]
        impl #in_stores #private::RefersWithin<__S> for #ident #type_generics #clause_in_stores {}

        #[automatically_derived]
        impl #impl_generics #private::Row for #ident #type_generics #clause {
            type Key = #key;
            type Itself = Self;
            const TABLE: &'static ::core::primitive::str = #name;
            const KEY_FIELDS: &'static [::core::primitive::usize] = &[#(#places),*];

            fn key(&self) -> ::std::borrow::Cow<'_, Self::Key> {
                #never
            }
        }
    }
}

/// A stub for a group, whose entries have these parameters.
fn group_impl(
    input: &DeriveInput,
    paths: &Paths,
    name: &str,
    of_entries: &Generics,
) -> TokenStream {
    let (ident, private, never) = (&input.ident, &paths.private, never());
    let (entries, (_, parameters, _)) = (entries_name(ident), of_entries.split_for_impl());
    let entries = quote!(#entries #parameters);
    let generics = record_generics(input, paths);
    let generics = with_given(&generics, ident, &quote!(#private::GivenRecord));
    let (_, type_generics, _) = input.generics.split_for_impl();
    let (impl_generics, _, clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Group for #ident #type_generics #clause {
            const GROUP: &'static ::core::primitive::str = #name;
            type Entries = #entries;
            type Itself = Self;

            fn entries(_: &#private::EntryMaker<Self>) -> #entries {
                #never
            }
        }
    }
}

/// A kv group of which not even the entries are known.
fn no_entries(input: &DeriveInput, paths: &Paths, name: &str) -> TokenStream {
    let (vis, entries) = (&input.vis, entries_name(&input.ident));
    let common = record_impl(input, paths, &[]);
    let group = group_impl(input, paths, name, &Generics::default());
    let impls = hidden(&quote!(#common #group));
    quote! {
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #entries {}
        #impls
    }
}

/// The type's parameters, for which it is no record unless it lives long enough, and has all that a
/// record has: whether it has a JSON Schema, say, depends on the argument.
fn record_generics(input: &DeriveInput, paths: &Paths) -> Generics {
    let private = &paths.private;
    let bound = match input.generics.type_params().next() {
        Some(_) => quote!(#private::AlmostRecord),
        None => quote!('static),
    };
    with_bound(&input.generics, &input.ident, &bound)
}

fn with_static(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!('static));
    }
    generics
}

fn with_bound(generics: &Generics, ident: &syn::Ident, bound: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    if !generics.params.is_empty() {
        let (_, type_generics, _) = generics.split_for_impl();
        let predicate = syn::parse_quote!(#ident #type_generics: #bound);
        generics.make_where_clause().predicates.push(predicate);
    }
    generics
}

/// Takes the supertrait of a type without parameters as given; with parameters, their bounds say as
/// much.
fn with_given(generics: &Generics, ident: &syn::Ident, bound: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    if generics.params.is_empty() {
        let given = given(ident, bound);
        generics.params.push(syn::parse_quote!('__impls));
        generics.make_where_clause().predicates.push(syn::parse_quote!(#given));
    }
    generics
}

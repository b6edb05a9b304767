//! The derive macros of [heirloom](https://docs.rs/heirloom), which re-exports them: depend on
//! `heirloom`, not on this crate.
//!
//! Each derive goes the same way: `parse` reads the attributes, `model` resolves what they leave
//! out, `validate` applies the rules, `history` reads what is recorded of a store, `expand` writes
//! code. Every mistake is reported in one
//! compile, and after one `fallback` writes stubs, so that it is the only error.

// The examples in the docs of the derives need heirloom, and are tested with it.

mod diag;
mod expand;
mod fallback;
mod history;
mod kind;
mod model;
mod parse;
mod paths;
mod suggest;
mod text;
mod validate;

use diag::Diag;
use kind::Kind;
use paths::Paths;
use proc_macro2::TokenStream;
use syn::{DeriveInput, ItemTrait, parse_macro_input};

#[cfg_attr(not(doctest), doc = include_str!("../docs/table.md"))]
#[proc_macro_derive(
    Table,
    attributes(table, key, index, column, evolve, reference, merge, created, updated, check)
)]
pub fn derive_table(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    record(&parse_macro_input!(input as DeriveInput), Kind::Table).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/kv.md"))]
#[proc_macro_derive(Kv, attributes(kv, evolve, check))]
pub fn derive_kv(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    record(&parse_macro_input!(input as DeriveInput), Kind::Kv).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/fields.md"))]
#[proc_macro_derive(Fields, attributes(fields, column))]
pub fn derive_fields(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    record(&parse_macro_input!(input as DeriveInput), Kind::Fields).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/store.md"))]
#[proc_macro_derive(Store, attributes(store))]
pub fn derive_store(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    store(&parse_macro_input!(input as DeriveInput)).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/key.md"))]
#[proc_macro_derive(Key, attributes(heirloom))]
pub fn derive_key(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    key(&parse_macro_input!(input as DeriveInput)).into()
}

/// For heirloom's own trait `Store`: makes the macro by which every store has its methods.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __with_methods(
    _: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand::with_methods(&parse_macro_input!(item as ItemTrait)).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/comparable.md"))]
#[proc_macro_derive(Comparable, attributes(heirloom))]
pub fn derive_comparable(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    comparable(&parse_macro_input!(input as DeriveInput)).into()
}

fn record(input: &DeriveInput, kind: Kind) -> TokenStream {
    let mut diag = Diag::new();
    let Some(fields) = parse::named_fields(input, kind, &mut diag) else {
        return shapeless(input, kind, diag);
    };
    let record = model::Record::new(input, kind, fields, &mut diag);
    validate::record(&record, &mut diag);
    let Some(mut errors) = diag.finish() else {
        return match kind {
            Kind::Kv => expand::kv(&record),
            Kind::Fields => expand::columns(&record),
            _ => expand::table(&record),
        };
    };
    errors.extend(fallback::record(input, &record));
    errors
}

fn store(input: &DeriveInput) -> TokenStream {
    let mut diag = Diag::new();
    let Some(fields) = parse::named_fields(input, Kind::Store, &mut diag) else {
        return shapeless(input, Kind::Store, diag);
    };
    let store = model::Store::new(input, fields, &mut diag);
    validate::store(&store, &mut diag);
    let history = if diag.is_empty() { history::read(&store, &mut diag) } else { None };
    let Some(mut errors) = diag.finish() else { return expand::store(&store, history.as_ref()) };
    errors.extend(fallback::store(input, &store.paths, &store.tables(), &store.groups()));
    errors
}

fn key(input: &DeriveInput) -> TokenStream {
    let mut diag = Diag::new();
    let paths = Paths::new(parse::key_container(&input.attrs, &mut diag).as_ref());
    let newtype = parse::newtype(input, &mut diag);
    match (diag.finish(), newtype) {
        (None, Some(newtype)) => expand::key(&input.ident, &newtype, &paths),
        (errors, _) => {
            let mut errors = errors.unwrap_or_default();
            errors.extend(fallback::key(input, &paths));
            errors
        }
    }
}

fn comparable(input: &DeriveInput) -> TokenStream {
    let mut diag = Diag::new();
    let paths = Paths::new(parse::key_container(&input.attrs, &mut diag).as_ref());
    if matches!(input.data, syn::Data::Union(_)) {
        diag.error(
            &input.ident,
            "`#[derive(Comparable)]` goes on a struct or an enum, and this is a union; implement \
             `Comparable` for it",
        );
    }
    let mut errors = diag.finish().unwrap_or_default();
    errors.extend(expand::comparable(input, &paths));
    errors
}

/// The errors and stubs of what is not a struct with named fields.
fn shapeless(input: &DeriveInput, kind: Kind, mut diag: Diag) -> TokenStream {
    let container = parse::container(&input.attrs, kind, &mut diag);
    let paths = Paths::new(container.krate.as_ref());
    let mut errors = diag.finish().unwrap_or_default();
    errors.extend(fallback::shapeless(input, kind, &paths));
    errors
}

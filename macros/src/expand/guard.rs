//! The guards of a store with a history: constants that do not evaluate when a struct breaks with
//! the newest recorded version, and a test that compares what only running code can see.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;

use super::at;
use crate::history::{Field, History, Recorded, Struct};
use crate::model::{Store, snake_case};

/// The text of the history file, which makes cargo compile the crate again when it changes:
///
/// ```text
/// fn history() -> Option<&'static [u8]> {
///     Some(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", "schema/app.json")))
/// }
/// ```
pub(super) fn text(history: &History) -> TokenStream {
    let path = &history.path;
    quote! {
        fn history() -> ::core::option::Option<&'static [::core::primitive::u8]> {
            ::core::option::Option::Some(::core::include_bytes!(::core::concat!(
                ::core::env!("CARGO_MANIFEST_DIR"),
                "/",
                #path
            )))
        }
    }
}

/// One constant for each table and kv group, and one for those that are gone:
///
/// ```text
/// const __RECORDED: Recorded = Recorded::new("version 3", "1", &[…], &[…]);
/// const _: () = if let Some(message) = &check_struct(Structs::Tables(__TABLES), 0, &__RECORDED) {
///     panic!("{}", message.as_str())
/// };
/// ```
pub(super) fn guards(store: &Store, recorded: &Recorded) -> TokenStream {
    let (private, name) = (&store.paths.private, &store.name.text);
    let version = format!("version {}", recorded.version);
    let next_epoch = (u64::from(store.epoch()) + 1).to_string();
    let tables = recorded.tables.iter().map(|table| record(table, private));
    let groups = recorded.groups.iter().map(|group| record(group, private));
    let structs = |types: Vec<&Type>, structs: TokenStream| -> TokenStream {
        let guards = types.into_iter().enumerate().map(|(index, ty)| {
            let check = quote!(#private::check_struct(#structs, #index, &__RECORDED));
            guard(&check, at(ty))
        });
        guards.collect()
    };
    let table_guards = structs(store.tables(), quote!(#private::Structs::Tables(__TABLES)));
    let group_guards = structs(store.groups(), quote!(#private::Structs::Groups(__GROUPS)));
    let check = quote!(#private::check_store(#name, __TABLES, __GROUPS, &__RECORDED));
    let gone = guard(&check, store.history.as_ref().map_or_else(Span::mixed_site, at));
    quote! {
        const __RECORDED: #private::Recorded =
            #private::Recorded::new(#version, #next_epoch, &[#(#tables),*], &[#(#groups),*]);
        #table_guards
        #group_guards
        #gone
    }
}

/// A constant that cannot be evaluated if the check has something to say, which is the error.
pub(super) fn guard(check: &TokenStream, place: Span) -> TokenStream {
    quote_spanned! {place=>
        const _: () = if let ::core::option::Option::Some(message) = &#check {
            ::core::panic!("{}", message.as_str())
        };
    }
}

fn record(recorded: &Struct, private: &TokenStream) -> TokenStream {
    let Struct { name, key, fields, reserved } = recorded;
    let fields = fields.iter().map(
        |Field { name, ty, default }| quote!(#private::RecordedField::new(#name, #ty, #default)),
    );
    match key {
        Some(key) => {
            let key = key.iter().map(|key| {
                let (field, kind) = (&key.field, &key.kind);
                quote!(#private::RecordedKey::new(#field, #kind))
            });
            quote! {
                #private::RecordedStruct::table(
                    #name,
                    &[#(#key),*],
                    &[#(#fields),*],
                    &[#(#reserved),*],
                )
            }
        }
        None => quote! {
            #private::RecordedStruct::group(#name, &[#(#fields),*], &[#(#reserved),*])
        },
    }
}

/// The test in the user's crate, which is there as soon as the store names a history. In a function
/// it would never be run, and the compiler warns of that.
///
/// ```text
/// #[test]
/// fn whispering_schema_is_recorded() { check_history::<Whispering>(…, "schema/whispering.json") }
/// ```
pub(super) fn test(store: &Store) -> TokenStream {
    let Some(history) = &store.history else { return TokenStream::new() };
    let (ident, private) = (&store.ident, &store.paths.private);
    let name = format_ident!("{}_schema_is_recorded", snake_case(&ident.unraw().to_string()));
    quote_spanned! {Span::mixed_site()=>
        #[cfg(test)]
        #[::core::prelude::v1::test]
        #[allow(non_snake_case)]
        fn #name() {
            #private::check_history::<#ident>(::core::env!("CARGO_MANIFEST_DIR"), #history)
        }
    }
}

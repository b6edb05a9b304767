//! `#[derive(Kv)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Generics;
use syn::ext::IdentExt as _;

use super::{codec, given, hidden, record};
use crate::model::{Field, Record};

/// The impls of a kv group and the struct of its entries:
///
/// ```text
/// pub struct SettingsEntries { pub language: Entry<Settings, String>, … }
///
/// const _: () = {
///     impl Record for Settings { … }
///     impl Group for Settings {
///         const GROUP: &'static str = "settings";
///         type Entries = SettingsEntries;
///         fn entries(maker: &EntryMaker<Self>) -> SettingsEntries {
///             SettingsEntries { language: EntryMaker::entry::<String>(maker, 0), … }
///         }
///     }
/// };
/// ```
pub(crate) fn kv(group: &Record) -> TokenStream {
    let (ident, private, name) = (&group.ident, &group.paths.private, &group.name.text);
    let entries = entries_name(ident);
    let maker = quote_spanned!(Span::mixed_site()=> maker);
    let members = group.fields.iter().map(|field| &field.parsed.ident);
    let handles =
        group.fields.iter().enumerate().map(|(index, field)| codec::entry(index, field, private));
    let (codecs, record) = (codec::codecs(group), record::record(group));
    let is_record = given(ident, &quote!(#private::GivenRecord));
    let impls = hidden(&quote! {
        #codecs
        #record

        #[automatically_derived]
        impl<'__impls> #private::Group for #ident
        where
            #is_record,
        {
            const GROUP: &'static ::core::primitive::str = #name;
            type Entries = #entries;
            type Itself = Self;

            fn entries(#maker: &#private::EntryMaker<Self>) -> #entries {
                #entries { #(#members: #handles),* }
            }
        }
    });
    let entries = entries_struct(group, &Generics::default());
    quote!(#entries #impls)
}

/// Returns the name of the struct of entries.
pub(crate) fn entries_name(group: &Ident) -> Ident {
    format_ident!("{}Entries", group.unraw())
}

/// The struct of entries, which users meet in the fields of an open store. A group has no parameters,
/// unless that is its mistake.
pub(crate) fn entries_struct(group: &Record, generics: &Generics) -> TokenStream {
    let (ident, vis) = (&group.ident, &group.vis);
    let (_, parameters, clause) = generics.split_for_impl();
    let (private, name) = (&group.paths.private, entries_name(ident));
    let summary = format!("The entries of the kv group `{}`, one handle each.", ident.unraw());
    let fields = group.fields.iter().map(|field| {
        let (docs, member, ty) = (docs(field), &field.parsed.ident, &field.ty);
        quote!(#docs pub #member: #private::Entry<#ident #parameters, #ty>)
    });
    let concrete = generics.params.is_empty();
    let derives = concrete.then(|| quote!(#[derive(::core::clone::Clone, ::core::fmt::Debug)]));
    quote! {
        #[doc = #summary]
        #derives
        // Code that has the group has its entries, however private the fields of the struct are.
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #vis struct #name #generics #clause {
            #(#fields,)*
        }
    }
}

fn docs(field: &Field) -> TokenStream {
    if field.parsed.docs.is_empty() {
        let doc = format!("The entry `{}`.", field.parsed.name);
        return quote!(#[doc = #doc]);
    }
    let docs = &field.parsed.docs;
    quote!(#(#docs)*)
}

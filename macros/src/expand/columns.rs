//! The columns of a row.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;

use super::{at, codec, coding};
use crate::model::Record;
use crate::parse::item_type;

/// One constant for each field, of a type that has its name, which compile errors show:
///
/// ```text
/// const _: () = {
///     pub struct TITLE {}
///     impl Compared for TITLE { … }
///     impl Drop for TITLE { … }
///     impl Member for TITLE { … }
///     impl Recording {
///         pub const TITLE: Column<Recording, String, TITLE> = column();
///     }
/// };
/// ```
pub(crate) fn columns(row: &Record) -> TokenStream {
    let (ident, private) = (&row.ident, &row.paths.private);
    // What is in the way has been reported.
    let mut taken = row.own_constants();
    let mut names = TokenStream::new();
    let columns = row.fields.iter().enumerate().filter_map(|(place, field)| {
        let name = field.column()?;
        if taken.contains(&name) {
            return None;
        }
        taken.push(name.clone());
        let (vis, ty, stored) = (&field.parsed.vis, &field.ty, &field.stored);
        let member = &field.parsed.ident;
        let doc = format!("The column of the field `{}`.", field.parsed.name);
        let named = name_type(row, &name);
        let (compared, encoder) =
            (coding::compared(row, field, &named), coding::encoder(ty, private));
        let (is_option, coding) = (coding::is_option(ty, private), coding::name(ty, private));
        let parse = parse(row, place);
        let each = row.indexes.iter().any(|index| index.each && index.is_of(place));
        let each = each.then(|| encode_item(ty, private));
        let is_unique = row.key == [place]
            || row.indexes.iter().any(|index| index.unique && index.is_of(place));
        let unique = is_unique.then(|| {
            quote_spanned! {at(member)=>
                #[automatically_derived]
                impl #private::UniqueColumn for #named {}
            }
        });
        names.extend(quote_spanned! {at(member)=>
            pub struct #named {}

            #unique

            #compared

            #[automatically_derived]
            impl #private::Member<#ident, #ty> for #named {
                type Kind = #private::IsOption<{ #is_option }>;
                const NAME: &'static ::core::primitive::str = #stored;
                const ENCODE: #private::Encode<#ty> = |value, bytes| #encoder(value, bytes);
                const CODING: fn() -> &'static ::core::primitive::str = || #coding;
                #each

                fn look(of: &#ident, see: &mut dyn ::core::ops::FnMut(&#ty)) {
                    see(&of.#member);
                }

                #parse
            }
        });
        // A constant of the user's own in the way is reported at the field.
        Some(quote_spanned! {at(member)=>
            #[doc = #doc]
            #vis const #name: #private::Column<#ident, #ty, #named> =
                #private::column::<#ident, #ty, #named>();
        })
    });
    let columns: TokenStream = columns.collect();
    quote_spanned! {Span::mixed_site()=>
        #[allow(
            dead_code,
            deprecated,
            missing_debug_implementations,
            missing_docs,
            non_camel_case_types,
            non_upper_case_globals,
            private_interfaces,
            unnameable_types,
            unreachable_pub,
            clippy::all,
            clippy::pedantic
        )]
        const _: () = {
            #names

            #[automatically_derived]
            impl #ident {
                #columns
            }
        };
    }
}

/// How an item of the field's value is found in its index over each.
fn encode_item(ty: &Type, private: &TokenStream) -> Option<TokenStream> {
    let item = item_type(ty)?;
    let encoder = coding::encoder(item, private);
    Some(quote_spanned! {at(item)=>
        const ENCODE_ITEM: ::core::option::Option<#private::EncodeItem> =
            ::core::option::Option::Some(|item, bytes| {
                item.downcast_ref::<#item>().is_some_and(|item| #encoder(item, bytes).is_ok())
            });
    })
}

/// How the value is read from the text of its field alone; nothing if that does not say it.
fn parse(row: &Record, place: usize) -> Option<TokenStream> {
    let field = row.fields.get(place).filter(|field| field.nullable.is_none())?;
    row.key.first()?;
    let (ty, private) = (&field.ty, &row.paths.private);
    let json = quote_spanned!(Span::mixed_site()=> json);
    let read = codec::read_json(place, field, &json, private);
    Some(quote_spanned! {at(ty)=>
        fn parse(
            #json: &::core::primitive::str,
            see: &mut dyn ::core::ops::FnMut(&#ty),
        ) -> ::core::primitive::bool {
            match #read {
                ::core::result::Result::Ok(value) => {
                    see(&value);
                    true
                }
                ::core::result::Result::Err(_) => false,
            }
        }
    })
}

/// What a column's type has as its name: that of the constant, unless the row's own types would be
/// hidden by it.
fn name_type(row: &Record, column: &Ident) -> Ident {
    let types = row.fields.iter().map(|field| field.ty.to_token_stream());
    let used: TokenStream =
        types.chain([row.paths.root.clone(), row.ident.to_token_stream()]).collect();
    let mut name = column.to_string();
    while mentions(used.clone(), &name) {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

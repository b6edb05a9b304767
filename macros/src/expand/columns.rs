//! The columns of a row.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::{at, codec, coding};
use crate::model::{Computed, Record};
use crate::parse::item_type;

/// One constant for each field, of a type that has its name, which compile errors show:
///
/// ```text
/// const _: () = {
///     pub struct TITLE<__Unused = ()> { … }
///     impl Compared for TITLE { … }
///     impl<__Unused> Drop for TITLE<__Unused> { … }
///     impl Member for TITLE { … }
///     impl Recording {
///         pub const TITLE: Column<Recording, String, TITLE> = column();
///     }
/// };
/// ```
pub(crate) fn columns(row: &Record) -> TokenStream {
    let (ident, private) = (&row.ident, &row.paths.private);
    // A constant of the row that a column would collide with has been reported.
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
    let mut columns: TokenStream = columns.collect();
    for (number, computed) in row.computed.iter().enumerate() {
        let name = computed.column();
        if !taken.contains(&name) {
            taken.push(name);
            columns.extend(computed_column(row, number, computed, &mut names));
        }
    }
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
            unreachable_code,
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

/// The constant of a computed column; its name goes to `names`:
///
/// ```text
/// impl Member<Txn, String> for MONTH {
///     const IS_PATH: bool = true;
///     fn look(row: &Txn, see: &mut dyn FnMut(&String)) { compute(|| { let value: String = …; value }, see) }
/// }
/// ```
fn computed_column(
    row: &Record,
    number: usize,
    computed: &Computed,
    names: &mut TokenStream,
) -> TokenStream {
    let (ident, private, vis) = (&row.ident, &row.paths.private, &row.vis);
    let Computed { name: text, ty, ty_text, expr, code, reads, .. } = computed;
    let name = computed.column();
    let named = name_type(row, &name);
    let place = format!("`{ident}::{text}` is of type `{ty_text}`");
    let compared = coding::checked(&place, ty, &named, private);
    let encoder = coding::encoder(ty, private);
    let (is_option, coding) = (coding::is_option(ty, private), coding::name(ty, private));
    let roots = reads.iter().filter_map(|&place| row.fields.get(place));
    let root = roots.map(|field| &field.stored).next();
    let root = root.map(|root| {
        quote_spanned!(Span::mixed_site()=>
            const ROOT: &'static ::core::primitive::str = #root;
        )
    });
    let is_unique = row.indexes.iter().any(|index| index.unique && index.is_of_computed(number));
    let unique = is_unique.then(|| {
        quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            impl #private::UniqueColumn for #named {}
        }
    });
    let value = quote_spanned! {Span::mixed_site().located_at(expr.span())=>
        let value: #ty = #expr;
    };
    names.extend(quote_spanned! {Span::mixed_site().located_at(computed.ident.span())=>
        #unique

        #compared

        #[automatically_derived]
        impl #private::Member<#ident, #ty> for #named {
            type Kind = #private::IsOption<{ #is_option }>;
            const NAME: &'static ::core::primitive::str = #text;
            const IS_PATH: ::core::primitive::bool = true;
            #root
            const ENCODE: #private::Encode<#ty> = |value, bytes| #encoder(value, bytes);
            const CODING: fn() -> &'static ::core::primitive::str = || #coding;

            fn look(row: &#ident, see: &mut dyn ::core::ops::FnMut(&#ty)) {
                #private::compute(|| { #value value }, see);
            }
        }
    });
    let doc = format!("The computed column `{text}`: `{code}`.");
    quote_spanned! {Span::mixed_site().located_at(computed.ident.span())=>
        #[doc = #doc]
        #vis const #name: #private::Column<#ident, #ty, #named> =
            #private::column::<#ident, #ty, #named>();
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

/// Returns the marker type that names a column in its type: that of the constant's name, unless it
/// would hide one of the types that the row names.
fn name_type(row: &Record, column: &Ident) -> Ident {
    let types = row.fields.iter().map(|field| field.ty.to_token_stream());
    let computed = row.computed.iter().flat_map(|it| [it.ty.to_token_stream(), it.expr.clone()]);
    let used: TokenStream = types
        .chain(computed)
        .chain([row.paths.root.clone(), row.ident.to_token_stream()])
        .collect();
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

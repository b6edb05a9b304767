//! The indexes of a row, and the values by which they order it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{at, coding};
use crate::model::{Field, Index, IndexField, Record};
use crate::parse::{item_type, option_inner};

/// The members of `impl Row` that describe its indexes; nothing if it has none.
pub(super) fn indexes(row: &Record) -> TokenStream {
    if row.indexes.is_empty() {
        return TokenStream::new();
    }
    let private = &row.paths.private;
    let defs = row.indexes.iter().map(|index| {
        let names = parts(row, index).map(|part| match part {
            Part::Field(field) => field.stored.to_token_stream(),
            Part::Column(column) => quote!(#column.name()),
        });
        let roots = parts(row, index).map(|part| match part {
            Part::Field(field) => field.stored.to_token_stream(),
            Part::Column(column) => quote!(#column.root()),
        });
        let (unique, each) = (index.unique, index.each);
        quote! {
            #private::IndexDef {
                fields: &[#(#names),*],
                roots: &[#(#roots),*],
                unique: #unique,
                each: #each,
            }
        }
    });
    let arms = row.indexes.iter().enumerate().map(|(number, index)| {
        if let Some(push) = push_items(row, index) {
            return quote!(#number => { #push });
        }
        let pushes = parts(row, index).enumerate().map(|(at_place, part)| {
            let field = match part {
                Part::Field(field) => field,
                Part::Column(column) => {
                    let span = at(&column);
                    return quote_spanned!(span=> #column.index_value(self, values););
                }
            };
            let (member, ty) = (&field.parsed.ident, &field.ty);
            let named = format_ident!("Indexed{at_place}");
            let compared = coding::compared(row, field, &named);
            let encoder = coding::encoder(ty, private);
            quote_spanned! {at(ty)=>
                #compared
                #private::IndexValues::push::<#ty, #named>(values, &self.#member, #encoder);
            }
        });
        quote!(#number => { #(#pushes)* })
    });
    let (defs, arms): (Vec<_>, Vec<_>) = (defs.collect(), arms.collect());
    let codings = row.indexes.iter().flat_map(|index| {
        parts(row, index).map(move |part| {
            let name = match part {
                Part::Field(Field { ty, .. }) => {
                    coding::name(item_type(ty).filter(|_| index.each).unwrap_or(ty), private)
                }
                Part::Column(column) => {
                    let span = at(&column);
                    quote_spanned!(span=> #column.coding())
                }
            };
            quote_spanned!(Span::mixed_site()=> see(#name);)
        })
    });
    quote_spanned! {Span::mixed_site()=>
        const INDEXES: &'static [#private::IndexDef] = &[#(#defs),*];

        fn index_values(
            &self,
            index: ::core::primitive::usize,
            values: &mut #private::IndexValues,
        ) {
            match index {
                #(#arms)*
                _ => {}
            }
        }

        fn index_codings(see: &mut dyn ::core::ops::FnMut(&::core::primitive::str)) {
            #(#codings)*
        }
    }
}

/// One of the values that an index orders rows by.
enum Part<'r> {
    /// A field of the row.
    Field(&'r Field),
    /// The column of a path, as a query names it: `Person::HOME.field(Address::CITY)`; or a computed one:
    /// `Txn::MONTH`.
    Column(TokenStream),
}

fn parts<'r>(row: &'r Record, index: &'r Index) -> impl Iterator<Item = Part<'r>> {
    index.fields.iter().filter_map(|field| part(row, field))
}

fn part<'r>(row: &'r Record, field: &IndexField) -> Option<Part<'r>> {
    let ident = &row.ident;
    if let Some(computed) = field.computed.and_then(|number| row.computed.get(number)) {
        let column = computed.column();
        return Some(Part::Column(quote_spanned!(at(&field.origin)=> #ident::#column)));
    }
    let root = row.fields.get(field.place?)?;
    let Some(inner) = &field.inner else { return Some(Part::Field(root)) };
    let (column, ty) = (root.column()?, option_inner(&root.ty).unwrap_or(&root.ty));
    let name = syn::ext::IdentExt::unraw(inner).to_string().to_uppercase();
    let name = syn::Ident::new(&name, inner.span());
    Some(Part::Column(quote_spanned!(at(inner)=> #ident::#column.field(<#ty>::#name))))
}

/// The values of an index over each item of a field; nothing for another index.
fn push_items(row: &Record, index: &Index) -> Option<TokenStream> {
    let (place, _) = index.places().next()?;
    let field = row.fields.get(place).filter(|_| index.each)?;
    let (ty, item) = (&field.ty, item_type(&field.ty)?);
    let private = &row.paths.private;
    let (member, named) = (&field.parsed.ident, format_ident!("Indexed"));
    let shown = format!("an item of `{}::{}`", row.ident, field.parsed.name);
    let place = format!("{shown} is of type `{}`", crate::text::text(item.to_token_stream()));
    let compared = coding::checked(&place, item, &named, private);
    let encoder = coding::encoder(item, private);
    Some(quote_spanned! {at(ty)=>
        #compared
        #private::IndexValues::push_each::<#ty, #named>(values, &self.#member, #encoder);
    })
}

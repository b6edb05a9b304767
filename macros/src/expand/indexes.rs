//! The indexes of a row, and the values by which they order it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{at, coding};
use crate::model::{Index, IndexField, Record};
use crate::parse::{item_type, option_inner};

/// The members of `impl Row` that describe its indexes; nothing if it has none.
pub(super) fn indexes(row: &Record) -> TokenStream {
    if row.indexes.is_empty() {
        return TokenStream::new();
    }
    let private = &row.paths.private;
    let defs = row.indexes.iter().map(|index| {
        let names = index.places().map(|(place, field)| match path(row, place, field) {
            Some(path) => quote_spanned!(at(&field.origin)=> #path.name()),
            None => row.fields[place].stored.to_token_stream(),
        });
        let roots = index.places().map(|(place, _)| &row.fields[place].stored);
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
        let pushes = index.places().enumerate().map(|(at_place, (place, index_field))| {
            if let Some(path) = path(row, place, index_field) {
                return quote_spanned!(at(&index_field.origin)=> #path.index_value(self, values););
            }
            let field = &row.fields[place];
            let (member, ty) = (&field.parsed.ident, &field.ty);
            let named = format_ident!("Indexed{at_place}");
            let compared = coding::compared(row, field, &named);
            let encoder = coding::encoder(ty, private);
            quote_spanned! {at(ty)=>
                struct #named {}
                #compared
                #private::IndexValues::push::<#ty, #named>(values, &self.#member, #encoder);
            }
        });
        quote!(#number => { #(#pushes)* })
    });
    let (defs, arms): (Vec<_>, Vec<_>) = (defs.collect(), arms.collect());
    let codings = row.indexes.iter().flat_map(|index| {
        index.places().map(move |(place, field)| {
            let ty = &row.fields[place].ty;
            let item = item_type(ty).filter(|_| index.each);
            let name = match path(row, place, field) {
                Some(path) => quote_spanned!(at(&field.origin)=> #path.coding()),
                None => coding::name(item.unwrap_or(ty), private),
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

/// The column of a path, as a query names it: `Person::HOME.field(Address::CITY)`. A field of the row is
/// none.
fn path(row: &Record, place: usize, field: &IndexField) -> Option<TokenStream> {
    let inner = field.inner.as_ref()?;
    let root = row.fields.get(place)?;
    let (ident, column, ty) =
        (&row.ident, root.column()?, option_inner(&root.ty).unwrap_or(&root.ty));
    let name = syn::ext::IdentExt::unraw(inner).to_string().to_uppercase();
    let name = syn::Ident::new(&name, inner.span());
    Some(quote_spanned!(at(inner)=> #ident::#column.field(<#ty>::#name)))
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
        struct #named {}
        #compared
        #private::IndexValues::push_each::<#ty, #named>(values, &self.#member, #encoder);
    })
}

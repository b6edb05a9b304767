//! The columns of a row and the values of its indexes.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::at;
use crate::model::Record;

/// One constant for each field:
///
/// ```text
/// impl Recording {
///     pub const TITLE: Column<Self, String> = column("title", |row| &row.title);
/// }
/// ```
pub(crate) fn columns(row: &Record) -> TokenStream {
    let (ident, root, private) = (&row.ident, &row.paths.root, &row.paths.private);
    // What is in the way has been reported.
    let mut taken = row.own_constants();
    let columns = row.fields.iter().filter_map(|field| {
        let name = field.column()?;
        if taken.contains(&name) {
            return None;
        }
        taken.push(name.clone());
        let (vis, ty, stored) = (&field.parsed.vis, &field.ty, &field.stored);
        let member = &field.parsed.ident;
        let doc = format!("The column `{}`, to ask for rows by.", field.parsed.name);
        // A constant of the user's own in the way is reported at the field.
        Some(quote_spanned! {at(member)=>
            #[doc = #doc]
            #vis const #name: #root::Column<#ident, #ty> =
                #private::column::<#ident, #ty>(#stored, |row| &row.#member);
        })
    });
    let columns: TokenStream = columns.collect();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(
            dead_code,
            deprecated,
            non_upper_case_globals,
            private_interfaces,
            unreachable_pub,
            clippy::all,
            clippy::pedantic
        )]
        impl #ident {
            #columns
        }
    }
}

/// The members of `impl Row` that describe its indexes; nothing where it has none.
pub(super) fn indexes(row: &Record) -> TokenStream {
    if row.indexes.is_empty() {
        return TokenStream::new();
    }
    let private = &row.paths.private;
    let defs = row.indexes.iter().map(|index| {
        let names = index.places().into_iter().map(|place| &row.fields[place].stored);
        let unique = index.unique;
        quote!(#private::IndexDef { fields: &[#(#names),*], unique: #unique })
    });
    let arms = row.indexes.iter().enumerate().map(|(number, index)| {
        let pushes = index.places().into_iter().map(|place| {
            let (member, ty) = (&row.fields[place].parsed.ident, &row.fields[place].ty);
            quote_spanned!(at(ty)=> #private::IndexValues::push::<#ty>(values, &self.#member);)
        });
        quote!(#number => { #(#pushes)* })
    });
    let (defs, arms): (Vec<_>, Vec<_>) = (defs.collect(), arms.collect());
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
    }
}

//! The references of a row.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{at, given, located};
use crate::model::{Field, Record};
use crate::parse::{OnRemove, is_primitive, is_tuple};

fn references(row: &Record) -> impl Iterator<Item = (usize, &Field)> {
    row.fields.iter().enumerate().filter(|(_, field)| field.referred().is_some())
}

/// The members of `impl Row` that describe its references; nothing if it has none.
pub(super) fn members(row: &Record) -> TokenStream {
    if references(row).next().is_none() {
        return TokenStream::new();
    }
    let private = &row.paths.private;
    let (mut defs, mut shown, mut cleared) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (place, field)) in references(row).enumerate() {
        let (member, ty, stored) = (&field.parsed.ident, &field.ty, &field.stored);
        let index = match row.indexes.iter().position(|index| index.is_led_by(place)) {
            Some(index) => quote!(::core::option::Option::Some(#index)),
            None => quote!(::core::option::Option::None),
        };
        let attribute = field.parsed.reference.as_ref();
        let is_checked = attribute.is_none_or(|reference| reference.unchecked.is_none());
        let on_remove = attribute.and_then(|reference| reference.on_remove.as_ref());
        let on_remove = match on_remove.map_or(OnRemove::Restrict, |(on_remove, _)| *on_remove) {
            OnRemove::Restrict => quote!(Restrict),
            OnRemove::SetNull => quote!(SetNull),
            OnRemove::Cascade => quote!(Cascade),
        };
        // All of it stands at the type, so that a type that is not a reference is reported there, once.
        let reference = located(quote!(<#ty as #private::Reference>), at(ty));
        defs.push(quote! {
            #private::ReferenceDef {
                field: #stored,
                table: <#reference::Row as #private::Row>::TABLE,
                is_optional: #reference::IS_OPTION,
                is_checked: #is_checked,
                on_remove: #private::OnRemove::#on_remove,
                index: #index,
            }
        });
        shown.push(located(
            quote_spanned! {at(ty)=> #private::refer(#number, &self.#member, see); },
            at(ty),
        ));
        cleared.push(quote_spanned!(at(ty)=> #number => #reference::clear(&mut self.#member),));
    }
    quote_spanned! {Span::mixed_site()=>
        const REFERENCES: &'static [#private::ReferenceDef] = &[#(#defs),*];

        fn references(
            &self,
            see: &mut dyn ::core::ops::FnMut(
                ::core::primitive::usize,
                &[::core::primitive::u8],
            ),
        ) {
            #(#shown)*
        }

        fn clear_reference(&mut self, number: ::core::primitive::usize) {
            match number {
                #(#cleared)*
                _ => {}
            }
        }
    }
}

/// The impl that asks the references of a store, and the checks of types that are not written as
/// one:
///
/// ```text
/// impl<S: Store> RefersWithin<S> for Txn where Account: TableOf<S> {
///     const TARGETS: &'static [TableIdx] = &[<Account as TableOf<S>>::TABLE_IDX];
/// }
/// const _: () = written_as_reference(<RefersTo<Money>>::IS_REFERENCE);
/// ```
pub(super) fn within(row: &Record) -> TokenStream {
    let (ident, private) = (&row.ident, &row.paths.private);
    let rows: Vec<_> = references(row).filter_map(|(_, field)| field.referred()).collect();
    let targets = rows
        .iter()
        .map(|row| quote_spanned!(at(row)=> <#row as #private::TableOf<__S>>::TABLE_IDX));
    // Not looked into before the impl is used, as what is given is not.
    let bounds =
        rows.iter().map(|row| quote_spanned!(at(row)=> for<'__a> #row: #private::TableOf<__S>,));
    let others = row.fields.iter().filter(|field| {
        field.referred().is_none() && !is_primitive(&field.ty) && !is_tuple(&field.ty)
    });
    let others = others.map(|field| {
        let ty = &field.ty;
        let asked = quote_spanned! {at(ty)=>
            const _: () = {
                use #private::NoReference as _;
                #private::written_as_reference(<#private::RefersTo<#ty>>::IS_REFERENCE)
            };
        };
        // All of it stands at the type, which is what is wrong.
        located(asked, at(ty))
    });
    let others: TokenStream = others.collect();
    let is_row = given(ident, &quote!(#private::GivenRow));
    quote_spanned! {Span::mixed_site()=>
        #others

        #[automatically_derived]
        impl<'__impls, __S: #private::Store> #private::RefersWithin<__S> for #ident
        where
            #is_row,
            #(#bounds)*
        {
            const TARGETS: &'static [#private::TableIdx] = &[#(#targets),*];
        }
    }
}

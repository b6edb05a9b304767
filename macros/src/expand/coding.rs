//! How values of a type compare, asked where the type is known.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::at;
use crate::model::{Field, Record};
use crate::parse::{is_tuple, option_inner};

/// The function that writes the sort key of a value.
pub(super) fn encoder(ty: &Type, private: &TokenStream) -> TokenStream {
    ask(ty, private, "encoder")
}

/// Returns the name of that coding, which an index records.
pub(super) fn name(ty: &Type, private: &TokenStream) -> TokenStream {
    ask(ty, private, "name")
}

fn ask(ty: &Type, private: &TokenStream, question: &str) -> TokenStream {
    let question = Ident::new(question, Span::mixed_site());
    quote_spanned! {at(ty)=>
        ({
            use #private::{ByKey as _, ByNothing as _, ByOrder as _, ByShape as _};
            (&&&&#private::Coding::<#ty>::NEW).#question()
        })
    }
}

/// Implements `Compared` for the name of a column, with the type of its field.
pub(super) fn compared(row: &Record, field: &Field, named: &Ident) -> TokenStream {
    let place = format!("`{}::{}` is of type `{}`", row.ident, field.parsed.name, field.ty_text);
    checked(&place, &field.ty, named, &row.paths.private)
}

/// The same for any place:
///
/// ```text
/// impl Compared for TITLE { const REFUSED: &str = "…"; … }
/// impl<__Unused> Drop for TITLE<__Unused> { fn drop(&mut self) { Coding::<String>::NEW.check::<TITLE>() } }
/// ```
pub(super) fn checked(place: &str, ty: &Type, named: &Ident, private: &TokenStream) -> TokenStream {
    let inner = option_inner(ty).unwrap_or(ty);
    let is_tuple = is_tuple(inner);
    let refused = format!(
        "{place}, and how its values compare cannot be told from the way serde writes them: as text, \
         or as something else with an order of its own.\n\
         Add `#[derive(heirloom::Comparable)]` to the types in it that are yours, or implement the \
         trait; for a type of another crate, switch on heirloom's feature for that crate: `jiff`, \
         `chrono`, `time`, `rust_decimal`, `url`, …"
    );
    quote_spanned! {at(ty)=>
        #[allow(dead_code, unreachable_pub)]
        pub struct #named<__Unused = ()> {
            unused: ::core::marker::PhantomData<__Unused>,
        }

        #[automatically_derived]
        impl #private::Compared for #named {
            const REFUSED: &'static ::core::primitive::str = #refused;
            const IS_TUPLE: ::core::primitive::bool = #is_tuple;
        }

        // Never called; it is built where the column is compared, and then asks how. It is generic so that it
        // is not built for a public row of a library, of which all else is.
        #[automatically_derived]
        impl<__Unused> ::core::ops::Drop for #named<__Unused> {
            fn drop(&mut self) {
                use #private::{ByKey as _, ByNothing as _, ByOrder as _, ByShape as _};
                (&&&&#private::Coding::<#ty>::NEW).check::<#named>();
            }
        }
    }
}

/// Whether the type is an `Option`, whatever it is called.
pub(super) fn is_option(ty: &Type, private: &TokenStream) -> TokenStream {
    options(ty, private).0
}

/// The same, and whether it is an `Option` of an `Option`.
pub(super) fn options(ty: &Type, private: &TokenStream) -> (TokenStream, TokenStream) {
    let asked = |question: &str| {
        let question = Ident::new(question, Span::mixed_site());
        quote_spanned! {at(ty)=> {
            use #private::NoOption as _;
            <#private::#question<#ty>>::OPTION
        }}
    };
    (asked("Is"), asked("IsTwice"))
}

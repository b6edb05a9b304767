//! The rules that the values of a row keep, and what is computed from them.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::Record;

/// The members of `impl Record` that check a row or a group; nothing if it has no rule.
///
/// ```text
/// const CHECKS: &'static [CheckDef] = &[CheckDef { code: "amount >= 0", reads: &["amount"] }];
/// fn keeps(&self, check: usize) -> bool { match check { 0 => { let kept: bool = self.amount >= 0; kept } … } }
/// ```
pub(super) fn members(row: &Record) -> TokenStream {
    if row.checks.is_empty() {
        return TokenStream::new();
    }
    let private = &row.paths.private;
    let defs = row.checks.iter().map(|check| {
        let code = &check.code;
        let reads = check.reads.iter().map(|&place| &row.fields[place].stored);
        quote!(#private::CheckDef { code: #code, reads: &[#(#reads),*] })
    });
    let arms = row.checks.iter().enumerate().map(|(number, check)| {
        let expr = &check.expr;
        let kept = quote_spanned! {Span::mixed_site().located_at(expr.span())=>
            let kept: ::core::primitive::bool = #expr;
        };
        quote_spanned!(Span::mixed_site()=> #number => { #kept kept })
    });
    quote_spanned! {Span::mixed_site()=>
        const CHECKS: &'static [#private::CheckDef] = &[#(#defs),*];

        fn keeps(&self, check: ::core::primitive::usize) -> ::core::primitive::bool {
            match check {
                #(#arms)*
                _ => true,
            }
        }
    }
}

/// The member of `impl Row` that says what is computed; nothing if nothing is.
pub(super) fn computed(row: &Record) -> TokenStream {
    if row.computed.is_empty() {
        return TokenStream::new();
    }
    let (ident, private) = (&row.ident, &row.paths.private);
    let defs = row.computed.iter().map(|computed| {
        let (name, ty, code) = (&computed.name, &computed.ty_text, &computed.code);
        let reads = computed.reads.iter().map(|&place| &row.fields[place].stored);
        quote! {
            #private::ComputedDef { name: #name, rust_type: #ty, code: #code, reads: &[#(#reads),*] }
        }
    });
    let arms = row.computed.iter().enumerate().map(|(number, computed)| {
        let column = computed.column();
        quote_spanned!(Span::mixed_site()=> #number => #ident::#column.is_computed(self))
    });
    quote_spanned! {Span::mixed_site()=>
        const COMPUTED: &'static [#private::ComputedDef] = &[#(#defs),*];

        fn is_computed(&self, column: ::core::primitive::usize) -> ::core::primitive::bool {
            match column {
                #(#arms,)*
                _ => true,
            }
        }
    }
}

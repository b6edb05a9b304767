//! The rules that the values of a row keep.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::Record;

/// The members of `impl Row` that check a row; nothing where it has no rule.
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

//! `computed(…)` in `#[table(…)]`: columns that are computed from the fields of a row.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Meta, Token, Type};

use crate::diag::Diag;

/// A computed column as written: `month: String = date[..7].to_owned()`.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) expr: TokenStream,
}

impl Parse for Computed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self { ident, ty, expr: input.parse::<Expr>()?.to_token_stream() })
    }
}

/// Reads `computed(name: Type = expression)`.
pub(super) fn computed(meta: &Meta, diag: &mut Diag) -> Vec<Computed> {
    let advice = "write a name, its type and an expression over the fields: \
                  `computed(lower: String = name.to_lowercase())`";
    let Meta::List(list) = meta else {
        diag.error(meta, format_args!("`computed` takes columns; {advice}"));
        return Vec::new();
    };
    match list.parse_args_with(Punctuated::<Computed, Token![,]>::parse_terminated) {
        Ok(columns) if columns.is_empty() => {
            diag.error(list, format_args!("`computed()` says nothing; {advice}"));
            Vec::new()
        }
        Ok(columns) => columns.into_iter().collect(),
        Err(error) => {
            diag.push(syn::Error::new(error.span(), format_args!("{error}; {advice}")));
            Vec::new()
        }
    }
}

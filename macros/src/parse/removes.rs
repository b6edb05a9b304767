//! `removes(…)`: stored fields of earlier versions that a struct gives up.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Meta, Token};

use crate::diag::Diag;

/// The stored name of a field that is no more, and the tokens it comes from.
#[derive(Debug)]
pub(crate) struct Removed {
    pub(crate) text: String,
    pub(crate) origin: TokenStream,
}

impl Parse for Removed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            return Ok(Self { text: name.value(), origin: name.to_token_stream() });
        }
        let Ok(name) = input.call(Ident::parse_any) else {
            return Err(input.error("expected the stored name of a field"));
        };
        Ok(Self { text: name.unraw().to_string(), origin: name.to_token_stream() })
    }
}

/// Reads `removes(a, "b")`.
pub(super) fn removes(meta: &Meta, diag: &mut Diag) -> Option<Vec<Removed>> {
    const EXAMPLE: &str = "write them like `removes(old_name, \"other-name\")`";
    let Meta::List(list) = meta else {
        diag.error(meta, format_args!("`removes` takes the stored names of fields; {EXAMPLE}"));
        return None;
    };
    match list.parse_args_with(Punctuated::<Removed, Token![,]>::parse_terminated) {
        Ok(names) if names.is_empty() => {
            diag.error(list, "`removes()` names nothing; remove it");
            None
        }
        Ok(names) => Some(names.into_iter().collect()),
        Err(error) => {
            let message = format_args!("{error}; {EXAMPLE}");
            diag.push(syn::Error::new(error.span(), message));
            None
        }
    }
}

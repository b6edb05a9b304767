//! `removes(…)` and `drops(…)`: names that an earlier version had.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Meta, Token};

use super::meta::key_name;
use crate::diag::Diag;

/// A name that is given up, and the tokens it comes from.
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
            return Err(input.error("expected a name"));
        };
        Ok(Self { text: name.unraw().to_string(), origin: name.to_token_stream() })
    }
}

/// Reads `key(a, "b")`, which takes this, and is written like that.
pub(super) fn names(
    meta: &Meta,
    (what, example): (&str, &str),
    diag: &mut Diag,
) -> Option<Vec<Removed>> {
    let key = key_name(meta.path());
    let Meta::List(list) = meta else {
        diag.error(meta, format_args!("`{key}` takes {what}; {example}"));
        return None;
    };
    match list.parse_args_with(Punctuated::<Removed, Token![,]>::parse_terminated) {
        Ok(names) if names.is_empty() => {
            diag.error(list, format_args!("`{key}()` names nothing; remove it"));
            None
        }
        Ok(names) => Some(names.into_iter().collect()),
        Err(error) => {
            let message = format_args!("{error}; {example}");
            diag.push(syn::Error::new(error.span(), message));
            None
        }
    }
}

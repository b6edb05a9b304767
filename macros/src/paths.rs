//! The path by which generated code names heirloom: `::heirloom`, or that of `crate = "…"`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// Paths that generated code starts from.
#[derive(Debug)]
pub(crate) struct Paths {
    /// The crate as users see it.
    pub(crate) root: TokenStream,
    /// The module that only generated code may name.
    pub(crate) private: TokenStream,
}

impl Paths {
    pub(crate) fn new(krate: Option<&Path>) -> Self {
        let root = match krate {
            Some(path) => quote!(#path),
            None => quote!(::heirloom),
        };
        Self { private: quote!(#root::__private), root }
    }
}

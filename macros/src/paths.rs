//! Where generated code finds heirloom: `::heirloom`, or what `crate = "…"` says.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// Paths that generated code starts from.
#[derive(Debug)]
pub(crate) struct Paths {
    /// The crate as users see it.
    pub(crate) root: TokenStream,
    /// What only generated code may name.
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

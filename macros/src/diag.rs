//! Collects mistakes, so that one compile reports all of them.

use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
///
/// It has to be asked for them by [`finish`](Self::finish): dropped unasked, it panics, since a
/// mistake would go unreported.
#[derive(Debug)]
pub(crate) struct Diag {
    errors: Option<Vec<syn::Error>>,
}

impl Diag {
    pub(crate) fn new() -> Self {
        Self { errors: Some(Vec::new()) }
    }

    /// Reports a mistake at these tokens.
    pub(crate) fn error(&mut self, at: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(at, message));
    }

    /// Reports a mistake that comes with its place.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.errors.get_or_insert_default().push(error);
    }

    /// Whether there was no mistake so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.as_ref().is_none_or(Vec::is_empty)
    }

    /// The compile errors, if there was a mistake.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        let errors = self.errors.take().unwrap_or_default();
        let errors: TokenStream = errors.iter().map(syn::Error::to_compile_error).collect();
        (!errors.is_empty()).then_some(errors)
    }
}

impl Drop for Diag {
    fn drop(&mut self) {
        assert!(
            self.errors.is_none() || thread::panicking(),
            "the mistakes of a derive were never asked for"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Diag;

    #[test]
    fn all_mistakes_come_out() {
        let mut diag = Diag::new();
        diag.error(quote::quote!(a), "first");
        diag.error(quote::quote!(b), "second");
        let errors = diag.finish().unwrap().to_string();
        assert!(errors.contains("first") && errors.contains("second"));
    }

    #[test]
    fn no_mistake_is_no_error() {
        assert!(Diag::new().finish().is_none());
    }

    #[test]
    #[should_panic(expected = "never asked for")]
    fn dropping_it_unasked_is_a_bug() {
        drop(Diag::new());
    }
}

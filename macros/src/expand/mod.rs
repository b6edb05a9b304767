//! From the model to code. Nothing here fails and nothing here decides: every rule has been
//! checked, and what is generated are thin calls into heirloom's `__private`.
//!
//! Local variables carry `mixed_site` spans, so that the user's own expressions cannot see them.

mod codec;
mod coding;
mod columns;
mod comparable;
mod conversion;
mod default;
mod guard;
mod indexes;
mod key;
mod kv;
mod members;
mod methods;
mod parts;
mod record;
mod references;
mod rules;
mod stamps;
mod step;
mod store;
mod succession;
mod table;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

pub(crate) use columns::columns;
pub(crate) use comparable::comparable;
pub(crate) use key::key;
pub(crate) use kv::{entries_name, entries_struct, kv};
pub(crate) use members::memberships;
pub(crate) use methods::{methods, with_methods};
pub(crate) use parts::parts;
pub(crate) use store::store;
pub(crate) use table::table;

/// Puts items where nothing can name them.
pub(crate) fn hidden(items: &TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            #items
        };
    }
}

/// The clause by which an impl with the lifetime `'__impls` takes a supertrait as given, of which `given`
/// is the name in `__private`: an error about the supertrait is reported once, at its own impl.
pub(crate) fn given(ty: &impl ToTokens, given: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> for<'__a> #ty: #given<'__a, '__impls>)
}

/// The place of these tokens, for errors, without sight of their variables.
fn at(tokens: &impl Spanned) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

/// The tokens as they are, with errors about them shown elsewhere.
fn located(tokens: TokenStream, place: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let inner = located(group.stream(), place);
                token = TokenTree::Group(Group::new(group.delimiter(), inner));
            }
            token.set_span(token.span().located_at(place));
            token
        })
        .collect()
}

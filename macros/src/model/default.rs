//! The defaults of fields that stored rows lack.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Ident, Lit, LitStr};

use crate::parse::{self, Closure, Evolve, Form, SerdeDefault, resolve_self};

/// The default of a field, after heirloom's attributes, serde's, and the type.
#[derive(Debug)]
pub(crate) enum Default {
    /// There is none.
    Required,
    /// An `Option`, which is `None` if it is missing.
    Optional,
    /// serde's, for this field.
    Serde(SerdeDefault),
    /// serde's, for the whole struct.
    SerdeContainer(SerdeDefault),
    /// The type's `Default`.
    Type,
    /// A string literal.
    Text { literal: LitStr, text: String },
    /// Any other constant.
    Value { expr: TokenStream, text: String },
    /// Computed from fields above.
    Computed { closure: TokenStream, sources: Vec<Source>, text: String },
    /// A mistake that has been reported.
    Broken,
}

/// A field that a computed default names.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) ident: Ident,
    /// The position of the field, if there is one of that name.
    pub(crate) field: Option<usize>,
}

impl Default {
    /// Writes a computed default with the stored names of the fields it is computed from: what is
    /// recorded of it does not depend on their names in Rust.
    pub(super) fn record_under(&mut self, expr: &impl ToTokens, stored: &[(String, String)]) {
        if let Self::Computed { sources, text, .. } = self {
            let renamed: Vec<(&str, Ident)> = sources
                .iter()
                .filter_map(|source| stored.get(source.field?))
                .filter(|(name, stored)| name != stored)
                .filter_map(|(name, stored)| Some((name.as_str(), as_ident(stored)?)))
                .collect();
            *text = crate::text::text(rename(expr.to_token_stream(), &renamed));
        }
    }

    /// The default of `field`.
    pub(super) fn new(
        field: &parse::Field,
        names: &[&str],
        container: Option<&SerdeDefault>,
        receiver: &Ident,
    ) -> Self {
        match &field.evolve {
            Some(Evolve { form: Form::Type, .. }) => return Self::Type,
            Some(Evolve { form: Form::Broken, .. }) => return Self::Broken,
            Some(Evolve { form: Form::Value(expr), .. }) => return Self::value(expr, receiver),
            Some(Evolve { form: Form::Computed(closure), .. }) => {
                return Self::computed(closure, names, receiver);
            }
            None => {}
        }
        if let Some(default) = &field.serde.default {
            Self::Serde(default.clone())
        } else if let Some(default) = container {
            Self::SerdeContainer(default.clone())
        } else if parse::is_option(&field.ty) && field.serde.deserialize.is_none() {
            // serde asks a function of the user's own for a missing field only with a default.
            Self::Optional
        } else {
            Self::Required
        }
    }

    fn value(expr: &syn::Expr, receiver: &Ident) -> Self {
        let text = crate::text::text(expr.to_token_stream());
        match expr {
            syn::Expr::Lit(syn::ExprLit { lit: Lit::Str(literal), .. }) => {
                Self::Text { literal: literal.clone(), text }
            }
            _ => Self::Value { expr: resolve_self(expr.to_token_stream(), receiver), text },
        }
    }

    fn computed(closure: &Closure, names: &[&str], receiver: &Ident) -> Self {
        let sources = closure.parameters.iter().map(|parameter| {
            let name = parameter.ident.unraw().to_string();
            Source {
                ident: parameter.ident.clone(),
                field: names.iter().position(|field| *field == name),
            }
        });
        Self::Computed {
            sources: sources.collect(),
            text: crate::text::text(closure.expr.to_token_stream()),
            closure: resolve_self(closure.expr.to_token_stream(), receiver),
        }
    }
}

/// The identifier that is a stored name, or as near to it as one can be.
fn as_ident(stored: &str) -> Option<Ident> {
    let plain: String = stored.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let spellings = [plain.clone(), format!("r#{plain}"), format!("_{plain}")];
    spellings.iter().find_map(|spelling| syn::parse_str(spelling).ok())
}

fn rename(tokens: TokenStream, renamed: &[(&str, Ident)]) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) => {
            let name = ident.unraw().to_string();
            let found = renamed.iter().find(|(known, _)| *known == name);
            TokenTree::Ident(found.map_or(ident, |(_, stored)| stored.clone()))
        }
        TokenTree::Group(group) => {
            TokenTree::Group(Group::new(group.delimiter(), rename(group.stream(), renamed)))
        }
        other => other,
    });
    tokens.collect()
}

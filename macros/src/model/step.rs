//! The step from the struct of the epoch before.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Path, TypePath};

use super::Field;
use crate::parse::{self, resolve_self};

/// How a row or a kv group follows from that of the epoch before.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) previous: TypePath,
    pub(crate) way: Way,
}

/// The code that converts a record.
#[derive(Debug)]
pub(crate) enum Way {
    /// The derive, field by field.
    Fields,
    /// The user's own `From`, as this key says.
    From(Path),
    /// The user's own `TryFrom`, as this key says.
    TryFrom(Path),
}

/// The source of a field's value in a conversion.
#[derive(Debug)]
pub(crate) enum FieldSource {
    /// The previous field of the same name, if there is one.
    Same,
    /// The previous field that is named so.
    Renamed(PreviousName),
    /// Computed from previous fields.
    With { closure: TokenStream, parameters: Vec<PreviousName> },
}

/// The name of a previous field, and where it stands.
#[derive(Debug)]
pub(crate) struct PreviousName {
    pub(crate) text: String,
    pub(crate) origin: TokenStream,
}

impl Step {
    pub(super) fn new(container: &parse::Container) -> Option<Self> {
        let way = match (&container.from, &container.try_from) {
            (Some(key), _) => Way::From(key.clone()),
            (None, Some(key)) => Way::TryFrom(key.clone()),
            (None, None) => Way::Fields,
        };
        Some(Self { previous: container.previous.clone()?, way })
    }

    /// The previous struct as written.
    pub(crate) fn previous_text(&self) -> String {
        crate::text::text(self.previous.to_token_stream())
    }
}

impl FieldSource {
    pub(super) fn new(field: &parse::Field, receiver: &syn::Ident) -> Self {
        if let Some(parse::With { closure: Some(closure), .. }) = &field.with {
            let parameters = closure.parameters.iter().map(|parameter| PreviousName {
                text: parameter.ident.unraw().to_string(),
                origin: parameter.ident.to_token_stream(),
            });
            return Self::With {
                parameters: parameters.collect(),
                closure: resolve_self(closure.expr.to_token_stream(), receiver),
            };
        }
        match &field.renamed_from {
            Some(renamed) => Self::Renamed(PreviousName {
                text: renamed.literal.value(),
                origin: renamed.literal.to_token_stream(),
            }),
            None => Self::Same,
        }
    }
}

impl Field {
    /// The previous fields that it comes from, by name.
    pub(crate) fn sources(&self) -> Vec<&str> {
        match &self.source {
            FieldSource::Same => vec![&self.parsed.name],
            FieldSource::Renamed(name) => vec![&name.text],
            FieldSource::With { parameters, .. } => {
                parameters.iter().map(|name| name.text.as_str()).collect()
            }
        }
    }

    /// The previous fields that its attributes name.
    pub(crate) fn named_sources(&self) -> Vec<&PreviousName> {
        match &self.source {
            FieldSource::Same => Vec::new(),
            FieldSource::Renamed(name) => vec![name],
            FieldSource::With { parameters, .. } => parameters.iter().collect(),
        }
    }
}

//! A store: its tables and kv groups.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{DeriveInput, ExprPath, FieldsNamed, Ident, LitInt, LitStr, Type, TypePath, Visibility};

use super::name::Name;
use crate::diag::Diag;
use crate::kind::Kind;
use crate::parse;
use crate::paths::Paths;

/// A struct of table and kv handles.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) paths: Paths,
    pub(crate) name: Name,
    pub(crate) epoch: Option<LitInt>,
    /// The path of the history file, from the crate's folder.
    pub(crate) history: Option<LitStr>,
    /// The store of the epoch before.
    pub(crate) previous: Option<TypePath>,
    /// Whether there was to be one.
    pub(crate) is_previous_broken: bool,
    /// The tables and kv groups that end with it.
    pub(crate) drops: Vec<parse::Removed>,
    /// The function that converts across tables.
    pub(crate) migrate: Option<ExprPath>,
    pub(crate) fields: Vec<Handle>,
}

/// One field of a store.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) member: Member,
}

/// The type of a field of a store.
#[derive(Debug)]
pub(crate) enum Member {
    /// `Table<Row>`
    Table(Type),
    /// `Kv<Group>`
    Kv(Type),
    /// Anything else, which is a mistake.
    Other,
}

impl Store {
    /// Reads a store, whose fields are these.
    pub(crate) fn new(input: &DeriveInput, fields: &FieldsNamed, diag: &mut Diag) -> Self {
        let container = parse::container(&input.attrs, Kind::Store, diag);
        Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            paths: Paths::new(container.krate.as_ref()),
            name: Name::new(container.name.as_ref(), &input.ident),
            epoch: container.epoch,
            history: container.history,
            previous: container.previous,
            is_previous_broken: container.is_previous_broken,
            drops: container.drops.unwrap_or_default(),
            migrate: container.migrate,
            fields: fields.named.iter().filter_map(handle).collect(),
        }
    }

    /// The epoch of its schema.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.as_ref().and_then(|epoch| epoch.base10_parse().ok()).unwrap_or_default()
    }

    /// The tokens to blame for the epoch.
    pub(crate) fn epoch_origin(&self) -> TokenStream {
        match (&self.epoch, &self.previous) {
            (Some(epoch), _) => epoch.to_token_stream(),
            (None, Some(previous)) => previous.to_token_stream(),
            (None, None) => self.ident.to_token_stream(),
        }
    }

    /// The row types, in the order of their table indexes.
    pub(crate) fn tables(&self) -> Vec<&Type> {
        let rows = self.fields.iter().filter_map(|field| match &field.member {
            Member::Table(row) => Some(row),
            _ => None,
        });
        rows.collect()
    }

    /// The kv groups, in the order of their group indexes.
    pub(crate) fn groups(&self) -> Vec<&Type> {
        let groups = self.fields.iter().filter_map(|field| match &field.member {
            Member::Kv(group) => Some(group),
            _ => None,
        });
        groups.collect()
    }
}

fn handle(field: &syn::Field) -> Option<Handle> {
    let member = if let Some(row) = parse::generic_argument(&field.ty, "Table") {
        Member::Table(row.clone())
    } else if let Some(group) = parse::generic_argument(&field.ty, "Kv") {
        Member::Kv(group.clone())
    } else {
        Member::Other
    };
    Some(Handle { ident: field.ident.clone()?, ty: field.ty.clone(), member })
}

//! One field with its attributes.

use syn::ext::IdentExt as _;
use syn::{Attribute, Ident, Path, Type, Visibility};

use super::check::{Check, checks};
use super::column::{Column, column};
use super::evolve::{Evolve, Renamed, SameAs, With, evolve};
use super::index::{FieldIndex, field_index};
use super::merge::{Merge, merge};
use super::meta::{bare, set};
use super::reference::{Reference, reference};
use super::serde::{SerdeField, serde_field};
use crate::diag::Diag;

/// A field as written.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The name without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) key: Option<Path>,
    pub(crate) index: Option<FieldIndex>,
    pub(crate) column: Column,
    pub(crate) reference: Option<Reference>,
    /// Whether heirloom fills it with the time at which the row is inserted.
    pub(crate) created: Option<Path>,
    /// Whether heirloom fills it with the time at which the row is changed.
    pub(crate) updated: Option<Path>,
    pub(crate) merge: Option<Merge>,
    pub(crate) checks: Vec<Check>,
    pub(crate) evolve: Option<Evolve>,
    pub(crate) same_as: Option<SameAs>,
    pub(crate) renamed_from: Option<Renamed>,
    pub(crate) with: Option<With>,
    pub(crate) serde: SerdeField,
    /// Whether schemars is told anything of it, such as another type's schema.
    pub(crate) has_schemars: bool,
}

/// Reads a named field.
pub(crate) fn field(field: &syn::Field, diag: &mut Diag) -> Option<Field> {
    let ident = field.ident.clone()?;
    let mut parsed = Field {
        name: ident.unraw().to_string(),
        ident,
        vis: field.vis.clone(),
        ty: field.ty.clone(),
        docs: Vec::new(),
        key: None,
        index: None,
        column: Column::default(),
        reference: None,
        created: None,
        updated: None,
        merge: None,
        checks: checks(&field.attrs, diag),
        evolve: None,
        same_as: None,
        renamed_from: None,
        with: None,
        serde: serde_field(&field.attrs),
        has_schemars: field.attrs.iter().any(|attribute| attribute.path().is_ident("schemars")),
    };
    for attribute in &field.attrs {
        let path = attribute.path();
        if path.is_ident("doc") {
            parsed.docs.push(attribute.clone());
        } else if path.is_ident("key") {
            bare(attribute, diag);
            set(&mut parsed.key, path, Some(path.clone()), diag);
        } else if path.is_ident("index") {
            set(&mut parsed.index, path, field_index(attribute, diag), diag);
        } else if path.is_ident("column") {
            column(&mut parsed.column, attribute, diag);
        } else if path.is_ident("reference") {
            let reference = reference(attribute, diag);
            set(&mut parsed.reference, path, Some(reference), diag);
        } else if path.is_ident("created") {
            bare(attribute, diag);
            set(&mut parsed.created, path, Some(path.clone()), diag);
        } else if path.is_ident("updated") {
            bare(attribute, diag);
            set(&mut parsed.updated, path, Some(path.clone()), diag);
        } else if path.is_ident("merge") {
            set(&mut parsed.merge, path, merge(attribute, diag), diag);
        } else if path.is_ident("evolve") {
            evolve(&mut parsed, attribute, diag);
        }
    }
    Some(parsed)
}

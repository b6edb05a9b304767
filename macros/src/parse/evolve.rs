//! `#[evolve(…)]`: what fills a field that stored rows lack, and how its type was spelled before.

use syn::{Attribute, Expr, LitStr, Meta, Path, Type};

use super::closure::{Closure, closure};
use super::container::not_yet;
use super::field::Field;
use super::meta::{entries, key_name, set, string, unknown};
use crate::diag::Diag;

/// A default, and the key that gives it.
#[derive(Debug)]
pub(crate) struct Evolve {
    pub(crate) key: Path,
    pub(crate) form: Form,
}

/// How a default is given.
#[derive(Debug)]
pub(crate) enum Form {
    /// `default`
    Type,
    /// `default = EXPR`
    Value(Expr),
    /// `default = |a, b| EXPR`
    Computed(Closure),
    /// A mistake that has been reported.
    Broken,
}

/// Another spelling of a field's type.
#[derive(Debug)]
pub(crate) struct SameAs {
    pub(crate) literal: LitStr,
    /// As types are recorded.
    pub(crate) text: String,
}

/// Adds what an `#[evolve(…)]` says.
pub(super) fn evolve(field: &mut Field, attribute: &Attribute, diag: &mut Diag) {
    if !matches!(attribute.meta, Meta::List(_)) {
        diag.error(
            &attribute.meta,
            "`#[evolve]` says what fills a missing field: write `#[evolve(default)]` or \
             `#[evolve(default = …)]`",
        );
        field.evolve = Some(Evolve { key: attribute.path().clone(), form: Form::Broken });
        return;
    }
    let before = field.evolve.is_some();
    let entries = entries(attribute, diag);
    for meta in &entries {
        read(field, meta, diag);
    }
    let says_more = entries.iter().any(|meta| meta.path().is_ident("same_as"));
    // A field whose default is misspelled is not one that lacks a default.
    if field.evolve.is_none() && !before && !says_more {
        field.evolve = Some(Evolve { key: attribute.path().clone(), form: Form::Broken });
        if entries.is_empty() && is_empty(attribute) {
            diag.error(&attribute.meta, "`#[evolve()]` says nothing; write `#[evolve(default)]`");
        }
    }
}

fn is_empty(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.tokens.is_empty())
}

fn read(field: &mut Field, meta: &Meta, diag: &mut Diag) {
    let key = meta.path();
    match key_name(key).as_str() {
        "default" => {
            let form = form(meta, diag);
            set(&mut field.evolve, key, Some(Evolve { key: key.clone(), form }), diag);
        }
        "same_as" => set(&mut field.same_as, key, same_as(meta, diag), diag),
        later @ ("renamed" | "with") => diag.error(key, not_yet(later)),
        _ => unknown("evolve", key, &["default", "same_as"], diag),
    }
}

fn form(meta: &Meta, diag: &mut Diag) -> Form {
    match meta {
        Meta::Path(_) => Form::Type,
        Meta::NameValue(pair) => value(&pair.value, diag),
        Meta::List(list) => {
            diag.error(list, "`default` takes its value after `=`: write `default = …`");
            Form::Broken
        }
    }
}

fn value(expr: &Expr, diag: &mut Diag) -> Form {
    match expr {
        Expr::Group(group) => value(&group.expr, diag),
        Expr::Closure(expr) => closure(expr, diag).map_or(Form::Broken, Form::Computed),
        other => Form::Value(other.clone()),
    }
}

fn same_as(meta: &Meta, diag: &mut Diag) -> Option<SameAs> {
    let literal = string(meta, diag)?;
    match literal.parse::<Type>() {
        Ok(ty) => Some(SameAs { text: crate::text::text(quote::quote!(#ty)), literal }),
        Err(_) => {
            diag.error(
                &literal,
                "this is no type; write the type as the history file has it, as in \
                 `same_as = \"Option<String>\"`",
            );
            None
        }
    }
}

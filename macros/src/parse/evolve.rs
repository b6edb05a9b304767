//! `#[evolve(…)]`: what fills a field that stored rows lack, how its type was spelled before, and
//! which fields of the previous struct it comes from.

use syn::{Attribute, Expr, ExprClosure, LitStr, Meta, Path, Type};

use super::closure::{Closure, conversion_closure, default_closure};
use super::field::Field;
use super::meta::{entries, key_name, refuse_value, set, string, unknown};
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

/// The previous field that a field was.
#[derive(Debug)]
pub(crate) struct Renamed {
    pub(crate) key: Path,
    pub(crate) literal: LitStr,
}

/// A closure that computes a field from previous ones.
#[derive(Debug)]
pub(crate) struct With {
    pub(crate) key: Path,
    /// Nothing if it is a mistake that has been reported.
    pub(crate) closure: Option<Closure>,
}

/// Adds what an `#[evolve(…)]` says.
pub(super) fn evolve(field: &mut Field, attribute: &Attribute, diag: &mut Diag) {
    if !matches!(attribute.meta, Meta::List(_)) {
        diag.error(
            &attribute.meta,
            "`#[evolve]` gives the default of a missing field: write `#[evolve(default)]` or \
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
    let others = ["same_as", "renamed_from", "with"];
    let is_other = |meta: &Meta| others.iter().any(|key| meta.path().is_ident(key));
    let says_more = entries.iter().any(is_other);
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
        "renamed_from" => set(&mut field.renamed_from, key, renamed(meta, key, diag), diag),
        "with" => set(&mut field.with, key, Some(with(meta, key, diag)), diag),
        _ => unknown("evolve", key, &["default", "same_as", "renamed_from", "with"], diag),
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
        Expr::Closure(expr) => default_closure(expr, diag).map_or(Form::Broken, Form::Computed),
        other => Form::Value(other.clone()),
    }
}

fn renamed(meta: &Meta, key: &Path, diag: &mut Diag) -> Option<Renamed> {
    Some(Renamed { key: key.clone(), literal: string(meta, diag)? })
}

fn with(meta: &Meta, key: &Path, diag: &mut Diag) -> With {
    fn peel(expr: &Expr) -> Option<&ExprClosure> {
        match expr {
            Expr::Closure(closure) => Some(closure),
            Expr::Group(group) => peel(&group.expr),
            _ => None,
        }
    }
    let closure = match meta {
        Meta::NameValue(pair) => peel(&pair.value),
        _ => None,
    };
    if closure.is_none() {
        let what = "`with` takes a closure whose parameters are the names of fields of the \
                    previous struct: `with = |text| …`";
        refuse_value(meta, what, diag);
    }
    let closure = closure.and_then(|expr| conversion_closure(expr, diag));
    With { key: key.clone(), closure }
}

fn same_as(meta: &Meta, diag: &mut Diag) -> Option<SameAs> {
    let literal = string(meta, diag)?;
    match literal.parse::<Type>() {
        Ok(ty) => Some(SameAs { text: crate::text::text(quote::quote!(#ty)), literal }),
        Err(_) => {
            diag.error(
                &literal,
                "this is not a type; write the type as the history file has it, as in \
                 `same_as = \"Option<String>\"`",
            );
            None
        }
    }
}

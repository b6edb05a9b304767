//! `#[evolve(…)]`: what fills a field that stored rows lack.

use syn::{Attribute, Expr, Meta, Path};

use super::closure::{Closure, closure};
use super::container::not_yet;
use super::meta::{entries, key_name, set, unknown};
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

/// Adds what an `#[evolve(…)]` says.
pub(super) fn evolve(slot: &mut Option<Evolve>, attribute: &Attribute, diag: &mut Diag) {
    if !matches!(attribute.meta, Meta::List(_)) {
        diag.error(
            &attribute.meta,
            "`#[evolve]` says what fills a missing field: write `#[evolve(default)]` or \
             `#[evolve(default = …)]`",
        );
        *slot = Some(Evolve { key: attribute.path().clone(), form: Form::Broken });
        return;
    }
    let before = slot.is_some();
    let entries = entries(attribute, diag);
    for meta in &entries {
        read(slot, meta, diag);
    }
    // A field whose default is misspelled is not one that lacks a default.
    if slot.is_none() && !before {
        *slot = Some(Evolve { key: attribute.path().clone(), form: Form::Broken });
        if entries.is_empty() && is_empty(attribute) {
            diag.error(&attribute.meta, "`#[evolve()]` says nothing; write `#[evolve(default)]`");
        }
    }
}

fn is_empty(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.tokens.is_empty())
}

fn read(slot: &mut Option<Evolve>, meta: &Meta, diag: &mut Diag) {
    let key = meta.path();
    match key_name(key).as_str() {
        "default" => {
            let form = form(meta, diag);
            set(slot, key, Some(Evolve { key: key.clone(), form }), diag);
        }
        later @ ("renamed" | "with") => diag.error(key, not_yet(later)),
        _ => unknown("evolve", key, &["default"], diag),
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

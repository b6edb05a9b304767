//! The closure of a computed default, whose parameters are fields.

use quote::ToTokens;
use syn::{ExprClosure, Ident, Pat};

use crate::diag::Diag;

/// `|a, b| EXPR`
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) expr: ExprClosure,
    pub(crate) parameters: Vec<Parameter>,
}

/// The name of a field, as a parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
}

/// Reads a closure; what is wrong with it is reported.
pub(super) fn closure(expr: &ExprClosure, diag: &mut Diag) -> Option<Closure> {
    let plain = refuse_modifiers(expr, diag);
    if expr.inputs.is_empty() {
        diag.error(
            expr,
            "a default without parameters is a constant: write `default = EXPR`; a computed one \
             names the fields it reads, as in `default = |title| EXPR`",
        );
        return None;
    }
    let parameters: Option<Vec<Parameter>> = expr
        .inputs
        .iter()
        .map(|pattern| parameter(pattern, diag))
        // Collected first, so that every wrong pattern is reported.
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let parameters = parameters.filter(|_| plain)?;
    Some(Closure { expr: expr.clone(), parameters })
}

fn refuse_modifiers(expr: &ExprClosure, diag: &mut Diag) -> bool {
    let modifiers = [
        expr.lifetimes.as_ref().map(|it| it.to_token_stream()),
        expr.constness.as_ref().map(|it| it.to_token_stream()),
        expr.asyncness.as_ref().map(|it| it.to_token_stream()),
        expr.capture.as_ref().map(|it| it.to_token_stream()),
    ];
    let mut plain = true;
    for modifier in modifiers.into_iter().flatten() {
        plain = false;
        diag.error(
            &modifier,
            format_args!(
                "a computed default captures nothing and runs at once; remove the `{modifier}`"
            ),
        );
    }
    plain
}

fn parameter(pattern: &Pat, diag: &mut Diag) -> Option<Parameter> {
    let name = match pattern {
        Pat::Type(typed) => &typed.pat,
        other => other,
    };
    match name {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            Some(Parameter { ident: name.ident.clone() })
        }
        _ => {
            diag.error(
                name,
                "a parameter of a computed default is the name of a field declared above; take \
                 its value apart in the body",
            );
            None
        }
    }
}

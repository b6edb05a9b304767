//! The closure of a computed default or of a conversion, whose parameters are fields.

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

/// The words of messages for a closure and for its parameters.
#[derive(Debug, Clone, Copy)]
struct Words {
    closure: &'static str,
    parameter: &'static str,
}

const DEFAULT: Words = Words { closure: "a computed default", parameter: "a field declared above" };

const CONVERSION: Words =
    Words { closure: "a conversion", parameter: "a field of the previous struct" };

/// Reads the closure of a default; what is wrong with it is reported.
pub(super) fn default_closure(expr: &ExprClosure, diag: &mut Diag) -> Option<Closure> {
    if expr.inputs.is_empty() {
        refuse_modifiers(expr, DEFAULT, diag);
        diag.error(
            expr,
            "a default without parameters is a constant: write `default = EXPR`; a computed one \
             names the fields it reads, as in `default = |title| EXPR`",
        );
        return None;
    }
    closure(expr, DEFAULT, diag)
}

/// Reads the closure of a conversion; what is wrong with it is reported.
pub(super) fn conversion_closure(expr: &ExprClosure, diag: &mut Diag) -> Option<Closure> {
    closure(expr, CONVERSION, diag)
}

fn closure(expr: &ExprClosure, words: Words, diag: &mut Diag) -> Option<Closure> {
    let plain = refuse_modifiers(expr, words, diag);
    let parameters: Option<Vec<Parameter>> = expr
        .inputs
        .iter()
        .map(|pattern| parameter(pattern, words, diag))
        // Collected first, so that every wrong pattern is reported.
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let parameters = parameters.filter(|_| plain)?;
    Some(Closure { expr: expr.clone(), parameters })
}

fn refuse_modifiers(expr: &ExprClosure, words: Words, diag: &mut Diag) -> bool {
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
                "{} captures nothing and runs at once; remove the `{modifier}`",
                words.closure
            ),
        );
    }
    plain
}

fn parameter(pattern: &Pat, words: Words, diag: &mut Diag) -> Option<Parameter> {
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
                format_args!(
                    "a parameter of {} is the name of {}; take its value apart in the body",
                    words.closure, words.parameter
                ),
            );
            None
        }
    }
}

//! `#[check(…)]`: a rule that the values of a row keep.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Attribute, Expr, Meta, Path};

use crate::diag::Diag;
use crate::suggest::did_you_mean;

/// A rule as written.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) path: Path,
    pub(crate) expr: TokenStream,
}

/// Reads `#[check(…)]`.
pub(super) fn check(attribute: &Attribute, diag: &mut Diag) -> Option<Check> {
    let advice = "write a condition on the fields of the row, as in `#[check(amount >= 0)]`";
    let Meta::List(list) = &attribute.meta else {
        diag.error(&attribute.meta, format_args!("`#[check]` says nothing; {advice}"));
        return None;
    };
    if list.tokens.is_empty() {
        diag.error(&attribute.meta, format_args!("`#[check()]` says nothing; {advice}"));
        return None;
    }
    match list.parse_args::<Expr>() {
        Ok(expr) => Some(Check { path: attribute.path().clone(), expr: expr.to_token_stream() }),
        Err(error) => {
            diag.push(syn::Error::new(error.span(), format_args!("{error}; {advice}")));
            None
        }
    }
}

/// Reads the rules of a struct.
pub(crate) fn checks(attributes: &[Attribute], diag: &mut Diag) -> Vec<Check> {
    let own = attributes.iter().filter(|attribute| attribute.path().is_ident("check"));
    own.filter_map(|attribute| check(attribute, diag)).collect()
}

/// An expression in which the names of fields stand for the fields of a receiver.
#[derive(Debug)]
pub(crate) struct OverFields<'f> {
    names: &'f [String],
    /// The owner of the fields: `self`, or a variable.
    receiver: &'static str,
    /// Which fields it reads.
    pub(crate) reads: Vec<usize>,
    /// Names in the place of a field that are not one.
    unknown: Vec<Ident>,
    /// Parameters that have the name of a field.
    hidden: Vec<Ident>,
    /// Whether it has names of its own, so that one that is unknown may be one of them.
    binds: bool,
}

impl<'f> OverFields<'f> {
    pub(crate) fn new(names: &'f [String], receiver: &'static str) -> Self {
        let (reads, unknown, hidden) = (Vec::new(), Vec::new(), Vec::new());
        Self { names, receiver, reads, unknown, hidden, binds: false }
    }

    /// Reports what is wrong with it, and returns whether that is nothing.
    pub(crate) fn report(&self, row: &Ident, diag: &mut Diag) -> bool {
        for name in &self.hidden {
            diag.error(
                name,
                format_args!("`{name}` is a field of the row; give the parameter another name"),
            );
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        for name in self.unknown.iter().filter(|_| !self.binds) {
            let meant = did_you_mean(&name.to_string(), &names);
            diag.error(name, format_args!("`{row}` has no field `{name}`{meant}"));
        }
        self.hidden.is_empty() && (self.binds || self.unknown.is_empty())
    }

    /// Rewrites tokens: a name means the field unless it is a member, a path, a function or a macro.
    pub(crate) fn rewrite(&mut self, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut written = TokenStream::new();
        let mut is_parameter = false;
        for (at, token) in tokens.iter().enumerate() {
            let (before, after) = (at.checked_sub(1).map(|at| &tokens[at]), tokens.get(at + 1));
            match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.rewrite(group.stream()));
                    inner.set_span(group.span());
                    written.extend([TokenTree::Group(inner)]);
                }
                TokenTree::Punct(punct) if punct.as_char() == '|' => {
                    if is_parameter {
                        is_parameter = false;
                    } else if begins_closure(before) {
                        (is_parameter, self.binds) = (true, true);
                    }
                    written.extend([token.clone()]);
                }
                TokenTree::Ident(ident) if is_value(before, after, &tokens[..at]) => {
                    let name = ident.unraw().to_string();
                    match self.names.iter().position(|field| *field == name) {
                        Some(_) if is_parameter => self.hidden.push(ident.clone()),
                        Some(place) => {
                            if !self.reads.contains(&place) {
                                self.reads.push(place);
                            }
                            let span = Span::mixed_site().located_at(ident.span());
                            let mut dot = Punct::new('.', Spacing::Alone);
                            dot.set_span(span);
                            written.extend([
                                TokenTree::Ident(Ident::new(self.receiver, span)),
                                TokenTree::Punct(dot),
                            ]);
                        }
                        None => self.record_name(ident, &name),
                    }
                    written.extend([token.clone()]);
                }
                _ => written.extend([token.clone()]),
            }
        }
        written
    }

    /// A name that is not a field.
    fn record_name(&mut self, ident: &Ident, name: &str) {
        // Keywords that bind names; a field has none of these names.
        const BINDING: [&str; 4] = ["let", "match", "for", "if"];
        self.binds |= BINDING.contains(&name) || name == "matches";
        let is_lower = name.starts_with(|first: char| first.is_lowercase() || first == '_');
        let is_word = syn::parse_str::<Ident>(name).is_err();
        let is_type = syn::parse_str::<syn::Type>(name).is_ok_and(|ty| super::is_primitive(&ty));
        if is_lower && !is_word && !is_type && !INTEGERS.contains(&name) {
            self.unknown.push(ident.clone());
        }
    }
}

/// Types that are not in the list of those that have a JSON Schema anyway.
const INTEGERS: [&str; 2] = ["isize", "str"];

/// Whether a name may be that of a field, by what stands around it.
fn is_value(
    before: Option<&TokenTree>,
    after: Option<&TokenTree>,
    all_before: &[TokenTree],
) -> bool {
    let punct = |token: Option<&TokenTree>| match token {
        Some(TokenTree::Punct(punct)) => Some((punct.as_char(), punct.spacing())),
        _ => None,
    };
    let earlier = all_before.len().checked_sub(2).and_then(|at| all_before.get(at));
    let is_doubled = |sign| punct(earlier).is_some_and(|(earlier, _)| earlier == sign);
    let is_member = match punct(before) {
        // `..` begins the end of a range.
        Some(('.', _)) => !is_doubled('.'),
        // `:` begins the value of a member, `::` a name of a path.
        Some((':', _)) => is_doubled(':'),
        Some(('\'', _)) => true,
        _ => false,
    };
    let is_other = match after {
        Some(TokenTree::Punct(punct)) => match punct.as_char() {
            ':' => true,
            // `!=` is an operator.
            '!' => punct.spacing() == Spacing::Alone,
            _ => false,
        },
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    };
    !is_member && !is_other
}

/// Whether a `|` behind this token begins a closure, and is not an operator.
fn begins_closure(before: Option<&TokenTree>) -> bool {
    match before {
        None => true,
        Some(TokenTree::Punct(punct)) => !matches!(punct.as_char(), '?' | '|'),
        Some(TokenTree::Ident(ident)) => ident == "move" || ident == "return",
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::OverFields;

    fn rewritten(tokens: proc_macro2::TokenStream) -> (String, Vec<usize>, Vec<String>) {
        let names = ["amount", "limit", "tags"].map(str::to_owned);
        let mut over = OverFields::new(&names, "self");
        let text = over.rewrite(tokens).to_string();
        let unknown = over.unknown.iter().filter(|_| !over.binds).map(ToString::to_string);
        (text, over.reads.clone(), unknown.collect())
    }

    #[test]
    fn names_of_fields_are_fields() {
        let same =
            |from: proc_macro2::TokenStream, to: proc_macro2::TokenStream, reads: &[usize]| {
                assert_eq!(rewritten(from), (to.to_string(), reads.to_vec(), vec![]));
            };
        same(quote!(amount >= 0), quote!(self.amount >= 0), &[0]);
        same(quote!(amount != limit), quote!(self.amount != self.limit), &[0, 1]);
        same(
            quote!((0..limit).contains(&amount)),
            quote!((0..self.limit).contains(&self.amount)),
            &[1, 0],
        );
        same(quote!(tags.limit.amount() < 3), quote!(self.tags.limit.amount() < 3), &[2]);
        same(quote!(limit(amount) || LIMIT < 2), quote!(limit(self.amount) || LIMIT < 2), &[0]);
        same(
            quote!(!tags.is_empty() || amount as u8 == 1),
            quote!(!self.tags.is_empty() || self.amount as u8 == 1),
            &[2, 0],
        );
        same(quote!(limit::amount > amount), quote!(limit::amount > self.amount), &[0]);
        same(
            quote!(Range { amount: limit }.holds(amount)),
            quote!(Range { amount: self.limit }.holds(self.amount)),
            &[1, 0],
        );
        same(
            quote!(tags.iter().all(|tag| tag.len() < limit)),
            quote!(self.tags.iter().all(|tag| tag.len() < self.limit)),
            &[2, 1],
        );
        same(quote!(matches!(amount, 1..=5)), quote!(matches!(self.amount, 1..=5)), &[0]);
        assert_eq!(rewritten(quote!(amout >= 0)).2, ["amout"]);
    }
}

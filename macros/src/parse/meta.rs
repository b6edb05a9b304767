//! The entries of an attribute, `key`, `key = value` and `key(…)`, and their values.

use std::fmt::Display;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token};

use crate::diag::Diag;
use crate::suggest::{did_you_mean, list};

/// The entries of `#[name(…)]`.
pub(super) fn entries(attribute: &Attribute, diag: &mut Diag) -> Vec<Meta> {
    match try_entries(attribute) {
        Ok(entries) => entries,
        Err(error) => {
            let example = example(&key_name(attribute.path()));
            let message = format_args!("{error}; write it like `{example}`");
            diag.push(syn::Error::new(error.span(), message));
            Vec::new()
        }
    }
}

/// [`entries`], for attributes whose mistakes others report.
pub(super) fn try_entries(attribute: &Attribute) -> syn::Result<Vec<Meta>> {
    let list = match &attribute.meta {
        Meta::List(list) => list,
        other => {
            return Err(syn::Error::new_spanned(other, "expected parentheses"));
        }
    };
    let entries = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
    Ok(entries.into_iter().collect())
}

/// Returns an example of an attribute.
fn example(attribute: &str) -> &'static str {
    match attribute {
        "table" => "#[table(name = \"notes\")]",
        "kv" => "#[kv(name = \"settings\")]",
        "store" => "#[store(name = \"app\", epoch = 0)]",
        "fields" => "#[fields(crate = \"heirloom\")]",
        "index" => "#[index(each)]` or `#[index(unique)]",
        "column" => "#[column(name = \"TITLE_COLUMN\")]",
        "reference" => "#[reference(on_remove = \"cascade\")]",
        "heirloom" => "#[heirloom(crate = \"heirloom\")]",
        "merge" => "#[merge(sum)]",
        _ => "#[evolve(default)]` or `#[evolve(default = 0)]",
    }
}

/// An attribute that takes nothing.
pub(super) fn bare(attribute: &Attribute, diag: &mut Diag) {
    if !matches!(attribute.meta, Meta::Path(_)) {
        let name = key_name(attribute.path());
        diag.error(&attribute.meta, format_args!("`#[{name}]` takes nothing; write `#[{name}]`"));
    }
}

/// Fills a slot, which may happen once.
pub(super) fn set<T>(slot: &mut Option<T>, key: &Path, value: Option<T>, diag: &mut Diag) {
    let Some(value) = value else { return };
    if slot.is_some() {
        let key_name = key_name(key);
        diag.error(key, format_args!("`{key_name}` is given twice; remove one of the two"));
    } else {
        *slot = Some(value);
    }
}

/// The value of `key = "…"`.
pub(super) fn string(meta: &Meta, diag: &mut Diag) -> Option<LitStr> {
    if let Meta::NameValue(pair) = meta
        && let Some(Lit::Str(text)) = literal(&pair.value)
    {
        return Some(text.clone());
    }
    let key = key_name(meta.path());
    refuse_value(meta, format_args!("`{key}` takes a string: `{key} = \"…\"`"), diag);
    None
}

/// The path in `crate = "…"`.
pub(super) fn crate_path(meta: &Meta, diag: &mut Diag) -> Option<Path> {
    let text = string(meta, diag)?;
    match text.parse_with(Path::parse_mod_style) {
        Ok(path) => Some(path),
        Err(_) => {
            diag.error(
                &text,
                "this is not a path; write the name heirloom has in your Cargo.toml, as in \
                 `crate = \"heirloom\"`",
            );
            None
        }
    }
}

/// The path in `key = path`, which the message says is this.
pub(super) fn path(meta: &Meta, what: &str, diag: &mut Diag) -> Option<ExprPath> {
    fn peel(expr: &Expr) -> Option<&ExprPath> {
        match expr {
            Expr::Path(path) => Some(path),
            Expr::Group(group) => peel(&group.expr),
            _ => None,
        }
    }
    if let Meta::NameValue(pair) = meta
        && let Some(path) = peel(&pair.value)
    {
        return Some(path.clone());
    }
    let key = key_name(meta.path());
    refuse_value(meta, format_args!("`{key}` takes {what}"), diag);
    None
}

/// An entry that is but a word.
pub(super) fn word(meta: &Meta, attribute: &str, diag: &mut Diag) -> Option<Path> {
    let key = key_name(meta.path());
    if !matches!(meta, Meta::Path(_)) {
        let message = format_args!("`{key}` takes nothing; write `#[{attribute}(…, {key})]`");
        diag.error(meta, message);
    }
    Some(meta.path().clone())
}

/// Reports the value of an entry, or the whole entry if it has none.
pub(super) fn refuse_value(meta: &Meta, message: impl Display, diag: &mut Diag) {
    match meta {
        Meta::NameValue(pair) => diag.error(&pair.value, message),
        other => diag.error(other, message),
    }
}

/// Reports an entry that the attribute does not take.
pub(super) fn unknown(attribute: &str, key: &Path, valid: &[&str], diag: &mut Diag) {
    let found = key_name(key);
    let meant = did_you_mean(&found, valid);
    let valid = list(valid);
    let takes = if meant.is_empty() { "; it takes" } else { " It takes" };
    diag.error(key, format_args!("`#[{attribute}(…)]` has no `{found}`{meant}{takes} {valid}"));
}

/// An entry's key as it is written.
pub(super) fn key_name(key: &Path) -> String {
    let segments: Vec<String> = key.segments.iter().map(|part| part.ident.to_string()).collect();
    segments.join("::")
}

/// The literal of an expression, through the invisible groups that `macro_rules!` leaves.
pub(super) fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { attrs, lit }) if attrs.is_empty() => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

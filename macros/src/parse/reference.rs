//! `#[reference(…)]`: what is kept of a field that refers to a row.

use syn::{Attribute, LitStr, Meta, Path};

use super::meta::{entries, key_name, set, string, unknown};
use crate::diag::Diag;
use crate::suggest::{did_you_mean, list};

/// The words that `on_remove` takes.
const ACTIONS: [&str; 3] = ["restrict", "set_null", "cascade"];

/// The attribute `#[reference(…)]`.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The attribute's own name.
    pub(crate) path: Path,
    pub(crate) unchecked: Option<Path>,
    pub(crate) no_index: Option<Path>,
    /// The action when the row is removed, and the tokens to blame.
    pub(crate) on_remove: Option<(OnRemove, LitStr)>,
}

/// The action on a row when the one that it refers to is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnRemove {
    Restrict,
    SetNull,
    Cascade,
}

/// Reads a `#[reference(…)]`.
pub(super) fn reference(attribute: &Attribute, diag: &mut Diag) -> Reference {
    let mut reference = Reference {
        path: attribute.path().clone(),
        unchecked: None,
        no_index: None,
        on_remove: None,
    };
    for meta in entries(attribute, diag) {
        let key = meta.path();
        match key_name(key).as_str() {
            "unchecked" => set(&mut reference.unchecked, key, word(&meta, diag), diag),
            "no_index" => set(&mut reference.no_index, key, word(&meta, diag), diag),
            "on_remove" => set(&mut reference.on_remove, key, action(&meta, diag), diag),
            action if ACTIONS.contains(&action) => diag.error(
                key,
                format_args!(
                    "`{action}` is an action; write `#[reference(on_remove = \"{action}\")]`"
                ),
            ),
            _ => unknown("reference", key, &["on_remove", "unchecked", "no_index"], diag),
        }
    }
    reference
}

fn word(meta: &Meta, diag: &mut Diag) -> Option<Path> {
    let key = key_name(meta.path());
    if !matches!(meta, Meta::Path(_)) {
        diag.error(meta, format_args!("`{key}` takes nothing; write `#[reference({key})]`"));
    }
    Some(meta.path().clone())
}

fn action(meta: &Meta, diag: &mut Diag) -> Option<(OnRemove, LitStr)> {
    let text = string(meta, diag)?;
    let action = match text.value().as_str() {
        "restrict" => OnRemove::Restrict,
        "set_null" => OnRemove::SetNull,
        "cascade" => OnRemove::Cascade,
        other => {
            let (meant, all) = (did_you_mean(other, &ACTIONS), list(&ACTIONS));
            let takes = if meant.is_empty() { "; it takes" } else { " It takes" };
            diag.error(&text, format_args!("`on_remove` has no `{other}`{meant}{takes} {all}"));
            return None;
        }
    };
    Some((action, text))
}

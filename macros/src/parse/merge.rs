//! `#[merge(…)]`: how a field merges in a table that merges by field.

use syn::{Attribute, Meta, Path};

use super::meta::{entries, key_name, unknown};
use crate::diag::Diag;

/// The words that `#[merge(…)]` takes.
const WORDS: [&str; 3] = ["fields", "sum", "union"];

/// How a field merges, and the token that says so.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) path: Path,
    pub(crate) how: FieldMerge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldMerge {
    Fields,
    Sum,
    Union,
}

/// Reads a `#[merge(…)]`.
pub(super) fn merge(attribute: &Attribute, diag: &mut Diag) -> Option<Merge> {
    if let Meta::Path(path) = &attribute.meta {
        diag.error(path, "`#[merge]` needs one of `fields`, `sum` and `union`: `#[merge(sum)]`");
        return None;
    }
    let mut merge = None;
    for meta in entries(attribute, diag) {
        let key = meta.path();
        let how = match key_name(key).as_str() {
            "fields" => FieldMerge::Fields,
            "sum" => FieldMerge::Sum,
            "union" => FieldMerge::Union,
            _ => {
                unknown("merge", key, &WORDS, diag);
                continue;
            }
        };
        if !matches!(meta, Meta::Path(_)) {
            let key = key_name(key);
            diag.error(&meta, format_args!("`{key}` takes nothing; write `#[merge({key})]`"));
        } else if merge.is_some() {
            diag.error(key, "a field merges in one way; remove all but one");
        } else {
            merge = Some(Merge { path: key.clone(), how });
        }
    }
    merge
}

//! The times that heirloom fills in.

use syn::Path;

use crate::diag::Diag;
use crate::model::{Field, Record};

/// A row has one time of each kind, in fields that nothing else fills.
pub(super) fn times_are_filled_by_heirloom(record: &Record, diag: &mut Diag) {
    of_kind(record, "created", |field| field.parsed.created.as_ref(), diag);
    of_kind(record, "updated", |field| field.parsed.updated.as_ref(), diag);
    for field in &record.fields {
        if let (Some(_), Some(updated)) = (&field.parsed.created, &field.parsed.updated) {
            diag.error(
                updated,
                "one field cannot be both times of a row; put `#[updated]` on a field of its own",
            );
        }
    }
}

fn of_kind<'r>(
    record: &'r Record,
    kind: &str,
    attribute: impl Fn(&'r Field) -> Option<&'r Path>,
    diag: &mut Diag,
) {
    let mut first: Option<&str> = None;
    for (place, field) in record.fields.iter().enumerate() {
        let Some(path) = attribute(field) else { continue };
        let name = &field.parsed.name;
        if let Some(first) = first {
            diag.error(
                path,
                format_args!(
                    "a row has one time of each kind, and `#[{kind}]` is on `{first}` already; remove \
                     one of the two"
                ),
            );
        } else if record.key.contains(&place) {
            diag.error(
                path,
                format_args!(
                    "`{name}` is the key, which you give and which does not change; remove `#[{kind}]`"
                ),
            );
        } else if let Some(with) = &field.parsed.with {
            diag.error(
                &with.key,
                format_args!(
                    "`{name}` is a time that a migration keeps as it is; remove `with`, or `#[{kind}]`"
                ),
            );
        }
        first = first.or(Some(name));
    }
}

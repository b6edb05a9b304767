//! Rules of defaults: the fields that need one, and the fields that one may read.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Default, Record};
use crate::suggest::did_you_mean;

/// A kv entry has a value before it is ever set.
pub(super) fn kv_entries_have_defaults(record: &Record, diag: &mut Diag) {
    if record.kind != Kind::Kv {
        return;
    }
    for field in &record.fields {
        if matches!(field.default, Default::Required) {
            diag.error(
                &field.parsed.ident,
                format_args!(
                    "`{}` has no value until it is set, so it needs a default; put \
                     `#[evolve(default)]` or `#[evolve(default = …)]` on it, or make it an \
                     `Option` that serde reads itself",
                    field.parsed.name
                ),
            );
        }
    }
}

/// Absent is what the outer `None` of an `Option<Option<_>>` is stored as, so that it has a meaning
/// already.
pub(super) fn double_options_have_none(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        let ours = matches!(
            field.default,
            Default::Type | Default::Text { .. } | Default::Value { .. } | Default::Computed { .. }
        );
        if ours && field.nullable.is_some() {
            diag.error(
                &field.parsed.ident,
                format_args!(
                    "`{}` is an `Option<Option<_>>`, which reads as `None` if it is absent; \
                     remove its `#[evolve(default)]`",
                    field.parsed.name
                ),
            );
        }
    }
}

/// A computed default reads fields that are filled in before it.
pub(super) fn computed_defaults_read_fields_above(record: &Record, diag: &mut Diag) {
    for (index, field) in record.fields.iter().enumerate() {
        let Default::Computed { sources, .. } = &field.default else { continue };
        let own = &field.parsed.name;
        let above: Vec<&str> =
            record.fields[..index].iter().map(|field| field.parsed.name.as_str()).collect();
        for source in sources {
            match source.field {
                Some(found) if found < index => {}
                Some(found) if found == index => diag.error(
                    &source.ident,
                    format_args!(
                        "`{own}` cannot be computed from itself; name fields declared above it"
                    ),
                ),
                Some(found) => diag.error(
                    &source.ident,
                    format_args!(
                        "`{later}` is declared below `{own}`, and a default reads only fields \
                         above its own; move `{later}` above `{own}`",
                        later = record.fields[found].parsed.name
                    ),
                ),
                None => {
                    let meant = did_you_mean(&source.ident.to_string(), &above);
                    let the = if meant.is_empty() { "; the" } else { " The" };
                    diag.error(
                        &source.ident,
                        format_args!(
                            "there is no field `{}` above `{own}`{meant}{the} \
                             parameters of a computed default are the names of fields declared \
                             above it",
                            source.ident
                        ),
                    );
                }
            }
        }
    }
}

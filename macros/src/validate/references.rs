//! A reference says what becomes of its row, and can do it.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::Record;
use crate::parse::{OnRemove, is_option};

/// `#[reference]` goes on a field that refers to a row.
pub(super) fn references_refer_to_rows(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        if let Some(reference) = &field.parsed.reference
            && record.kind == Kind::Table
            && field.referred().is_none()
        {
            diag.error(
                &reference.path,
                format_args!(
                    "`#[reference]` goes on a field that refers to a row, and `{}` is a `{}`; make it a \
                     `Ref<_>` or an `Option<Ref<_>>`, or remove the attribute",
                    field.parsed.name, field.ty_text
                ),
            );
        }
    }
}

/// A reference that is set to null is an `Option`.
pub(super) fn set_null_has_a_null(record: &Record, diag: &mut Diag) {
    for field in record.fields.iter().filter(|field| field.referred().is_some()) {
        let on_remove = field.parsed.reference.as_ref().and_then(|reference| {
            reference.on_remove.as_ref().filter(|(action, _)| *action == OnRemove::SetNull)
        });
        if let Some((_, text)) = on_remove
            && !is_option(&field.ty)
        {
            diag.error(
                text,
                format_args!(
                    "`set_null` makes `{}` refer to nothing, and a `{ty}` always refers to a row; make \
                     it an `Option<{ty}>`, or choose `restrict` or `cascade`",
                    field.parsed.name,
                    ty = field.ty_text
                ),
            );
        }
    }
}

/// Nothing is done about a reference that is not checked.
pub(super) fn unchecked_references_do_nothing(record: &Record, diag: &mut Diag) {
    for reference in record.fields.iter().filter_map(|field| field.parsed.reference.as_ref()) {
        if let (Some(_), Some((_, text))) = (&reference.unchecked, &reference.on_remove) {
            diag.error(
                text,
                "an `unchecked` reference may dangle, and nothing happens when the row that it refers \
                 to is removed; remove `on_remove`, or `unchecked`",
            );
        }
    }
}

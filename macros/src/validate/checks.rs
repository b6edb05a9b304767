//! The rules of the values of a row or a kv group.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::Record;

/// A rule is about the row or the group, and stands once.
pub(super) fn rules_are_about_the_row(record: &Record, diag: &mut Diag) {
    let (it, part) = match record.kind {
        Kind::Kv => ("the group", "an entry"),
        _ => ("a row", "a field"),
    };
    for (number, check) in record.checks.iter().enumerate() {
        if check.reads.is_empty() {
            diag.error(
                &check.origin,
                format_args!(
                    "the rule `{}` reads no field, so it says nothing of {it}; name {part}, or remove it",
                    check.code
                ),
            );
        } else if record.checks[..number].iter().any(|other| other.code == check.code) {
            diag.error(
                &check.origin,
                format_args!("there is the rule `{}` already; remove one of the two", check.code),
            );
        }
    }
}

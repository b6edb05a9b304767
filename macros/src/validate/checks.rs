//! The rules of the values of a row.

use crate::diag::Diag;
use crate::model::Record;

/// A rule is about the row, and stands once.
pub(super) fn rules_are_about_the_row(record: &Record, diag: &mut Diag) {
    for (number, check) in record.checks.iter().enumerate() {
        if check.reads.is_empty() {
            diag.error(
                &check.origin,
                format_args!(
                    "the rule `{}` reads no field, so it says nothing of a row; name a field, or remove it",
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

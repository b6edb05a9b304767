//! A computed column is made of fields, and has a name and one value of its own.

use crate::diag::Diag;
use crate::model::{Computed, Record};
use crate::parse::item_type;

/// It reads a field.
pub(super) fn computed_columns_read_fields(record: &Record, diag: &mut Diag) {
    let reads_nothing = |column: &&Computed| column.reads.is_empty() && !column.is_broken;
    for column in record.computed.iter().filter(reads_nothing) {
        diag.error(
            &column.ident,
            format_args!(
                "the column `{}` is computed from no field, so it is the same in every row; name a \
                 field in `{}`, or remove it",
                column.name, column.code
            ),
        );
    }
}

/// Its name is not that of a field, or of another computed column.
pub(super) fn computed_columns_have_names_of_their_own(record: &Record, diag: &mut Diag) {
    for (number, column) in record.computed.iter().enumerate() {
        let (name, constant) = (&column.name, column.column());
        let field = record.fields.iter().find(|field| {
            let is_constant = field.column().is_some_and(|column| column == constant);
            is_constant || field.parsed.name == *name || field.stored == *name
        });
        let taken = match field {
            Some(field) => format!("the field `{}`", field.parsed.name),
            None if record.computed[..number].iter().any(|other| other.column() == constant) => {
                "another computed column".to_owned()
            }
            None if record.own_constants().contains(&constant) => {
                format!("the constant `{constant}` of `{}`", record.ident)
            }
            None => continue,
        };
        diag.error(
            &column.ident,
            format_args!("`{name}` is the name of {taken} already; give this column another name"),
        );
    }
}

/// It has one value in each row.
pub(super) fn computed_columns_have_one_value(record: &Record, diag: &mut Diag) {
    for column in record.computed.iter().filter(|column| item_type(&column.ty).is_some()) {
        diag.error(
            &column.ty,
            format_args!(
                "a computed column has one value in each row, and a `{}` holds many; compute one of \
                 them, or make it a field with `#[index(each)]`",
                column.ty_text
            ),
        );
    }
}

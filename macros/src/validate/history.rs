//! Rules of a struct's earlier versions, as far as they can be judged without these.

use std::path::Path;

use crate::diag::Diag;
use crate::model::{Record, Store};

/// The history file is named from the folder of the crate, the same on every machine.
pub(super) fn history_is_relative(store: &Store, diag: &mut Diag) {
    let Some(history) = &store.history else { return };
    let path = history.value();
    if path.trim().is_empty() {
        diag.error(
            history,
            "`history` names no file; write its path in the crate, as in \
             `history = \"schema/app.json\"`",
        );
    } else if Path::new(&path).has_root() || path.get(1..3) == Some(":\\") {
        diag.error(
            history,
            "an absolute path is right on one machine only; write the path from the folder of \
             `Cargo.toml`, as in `history = \"schema/app.json\"`",
        );
    }
}

/// A field is there, or it is given up.
pub(super) fn removed_fields_are_gone(record: &Record, diag: &mut Diag) {
    for (index, removed) in record.removed.iter().enumerate() {
        let name = &removed.text;
        let is_alias = |aliases: &[syn::LitStr]| aliases.iter().any(|alias| alias.value() == *name);
        if name.is_empty() {
            diag.error(&removed.origin, "no field has an empty name; write the stored name");
        } else if record.removed[..index].iter().any(|before| before.text == *name) {
            diag.error(
                &removed.origin,
                format_args!("`{name}` is listed twice; remove one of the two"),
            );
        } else if record.step.is_some() {
            // It is a field of the previous struct, whose names may be those of new ones.
        } else if record.fields.iter().any(|field| field.stored == *name) {
            diag.error(
                &removed.origin,
                format_args!(
                    "`{}` still has a field stored as `{name}`; take it out of `removes`, or \
                     remove the field",
                    record.ident
                ),
            );
        } else if let Some(field) = record.fields.iter().find(|field| is_alias(&field.aliases)) {
            diag.error(
                &removed.origin,
                format_args!(
                    "`{name}` is still read, as an alias of `{}`; take it out of `removes`, or \
                     remove the alias",
                    field.parsed.name
                ),
            );
        }
    }
}

/// Another spelling is another one.
pub(super) fn same_as_is_another_spelling(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        if let Some(same_as) = &field.parsed.same_as
            && same_as.text == field.ty_text
        {
            diag.error(
                &same_as.literal,
                format_args!(
                    "`{}` is written like that already; name the spelling that the history file \
                     has, or remove `same_as`",
                    field.parsed.name
                ),
            );
        }
    }
}

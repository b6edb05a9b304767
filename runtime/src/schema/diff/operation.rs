//! [`Operation`]: what a change does.

use serde::{Deserialize, Serialize};

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Operation {
    /// The epoch of the schema.
    ChangeEpoch,
    /// A table is new.
    AddTable,
    /// A table is gone.
    RemoveTable,
    /// A table is gone and another with the same fields is new: perhaps renamed.
    RenameTable,
    /// A kv group is new.
    AddGroup,
    /// A kv group is gone.
    RemoveGroup,
    /// A kv group is gone and another with the same entries is new: perhaps renamed.
    RenameGroup,
    /// Another field is the key, or the key has another type.
    ChangeKey,
    /// An index is new.
    AddIndex,
    /// An index is gone.
    RemoveIndex,
    /// An index has become unique, or is so no longer.
    ChangeIndex,
    /// A field refers to another table, or has become a reference, or is one no longer.
    ChangeReference,
    /// The rows of a table, or the values of a field, merge otherwise.
    ChangeMerge,
    /// A rule of the values of rows is new, or is gone.
    ChangeCheck,
    /// A field is new.
    AddField,
    /// A field is gone.
    RemoveField,
    /// A field is gone and another of the same type is new: perhaps renamed.
    RenameField,
    /// The values of a field, or of a part of it, are of another type.
    RetypeField,
    /// A field that had no default has one.
    AddDefault,
    /// A field that had a default has none.
    RemoveDefault,
    /// A field has another default.
    ChangeDefault,
    /// Other names that are read as the field.
    ChangeAliases,
    /// An enum, or a choice of types, has a variant more.
    AddVariant,
    /// An enum, or a choice of types, has a variant less.
    RemoveVariant,
    /// A variant is gone and another of the same form is new: perhaps renamed.
    RenameVariant,
    /// An enum writes its variants in another form.
    ChangeTagging,
    /// An enum keeps the variants that it does not know.
    OpenEnum,
    /// An enum does not keep the variants that it does not know.
    CloseEnum,
    /// A limit on values: a range, a length, a pattern.
    ChangeLimit,
    /// A part of a JSON Schema that heirloom does not judge.
    ChangeOther,
    /// Something that a newer heirloom recorded.
    #[serde(other)]
    Unknown,
}

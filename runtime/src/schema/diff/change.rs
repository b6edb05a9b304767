//! [`Change`]: one difference between two schemas, typed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Rule;

/// How safe a change is, from harmless to never allowed.
///
/// Devices upgrade in any order, so a change is judged in three directions: new code reads old
/// rows, old code reads new rows, and old code edits a new row and writes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Class {
    /// Safe in all three directions.
    Additive,
    /// Safe because a read-time default fills what old rows lack.
    Default,
    /// Nothing fails, but something reads differently in old and new code.
    Warn,
    /// Something fails or is lost: needs an epoch.
    Breaking,
    /// Never allowed, with an epoch or without.
    Error,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Additive => "additive",
            Self::Default => "default",
            Self::Warn => "warn",
            Self::Breaking => "breaking",
            Self::Error => "error",
        })
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Operation {
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
    /// An enum writes its variants in another form.
    ChangeTagging,
    /// A limit on values: a range, a length, a pattern.
    ChangeLimit,
    /// The epoch of the schema.
    ChangeEpoch,
    /// Something that a newer heirloom recorded.
    #[serde(other)]
    Unknown,
}

/// One difference between two schemas: where, what was and is, and how safe it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    operation: Operation,
    rule: Rule,
    class: Class,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The stored name, and the path inside its value: `address.street`, `tags[]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

#[allow(missing_docs)]
impl Change {
    pub fn class(&self) -> Class {
        self.class
    }
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }
    pub fn old(&self) -> Option<&str> {
        self.old.as_deref()
    }
    pub fn new(&self) -> Option<&str> {
        self.new.as_deref()
    }
    pub fn advice(&self) -> Option<String> {
        None
    }
}
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.operation)
    }
}

//! The recorded version of a store, as generated code writes it down.

use super::super::descriptor::same;

/// The newest version in a history file.
#[derive(Debug, Clone, Copy)]
pub struct Recorded {
    /// Its name in messages: `version 3`.
    pub version: &'static str,
    /// The number of the epoch after its own.
    pub next_epoch: &'static str,
    /// Its tables.
    pub tables: &'static [RecordedStruct],
    /// Its kv groups.
    pub groups: &'static [RecordedStruct],
}

/// A table or a kv group.
#[derive(Debug, Clone, Copy)]
pub struct RecordedStruct {
    /// The stored name.
    pub name: &'static str,
    /// The fields that are the key of a table.
    pub key: &'static [RecordedKey],
    /// Its fields or entries.
    pub fields: &'static [RecordedField],
    /// The stored names of fields that were removed.
    pub reserved: &'static [&'static str],
}

/// A field that is the key of a table, or a part of it.
#[derive(Debug, Clone, Copy)]
pub struct RecordedKey {
    /// The stored name of the field.
    pub field: &'static str,
    /// The word for its kind.
    pub kind: &'static str,
}

/// A stored field.
#[derive(Debug, Clone, Copy)]
pub struct RecordedField {
    /// The stored name.
    pub name: &'static str,
    /// The type as written.
    pub ty: &'static str,
    /// The word for what fills it if a row lacks it.
    pub default: &'static str,
}

impl Recorded {
    /// A version of these tables and groups, and the epoch that may break with it.
    pub const fn new(
        version: &'static str,
        next_epoch: &'static str,
        tables: &'static [RecordedStruct],
        groups: &'static [RecordedStruct],
    ) -> Self {
        Self { version, next_epoch, tables, groups }
    }
}

impl RecordedStruct {
    /// A table.
    pub const fn table(
        name: &'static str,
        key: &'static [RecordedKey],
        fields: &'static [RecordedField],
        reserved: &'static [&'static str],
    ) -> Self {
        Self { name, key, fields, reserved }
    }

    /// A kv group.
    pub const fn group(
        name: &'static str,
        fields: &'static [RecordedField],
        reserved: &'static [&'static str],
    ) -> Self {
        Self { name, key: &[], fields, reserved }
    }

    pub(super) const fn field(&self, name: &str) -> Option<&'static RecordedField> {
        let mut i = 0;
        while i < self.fields.len() {
            if same(self.fields[i].name, name) {
                return Some(&self.fields[i]);
            }
            i += 1;
        }
        None
    }

    /// Whether a field is the key, or a part of it.
    pub(super) const fn is_key(&self, name: &str) -> bool {
        let mut i = 0;
        while i < self.key.len() {
            if same(self.key[i].field, name) {
                return true;
            }
            i += 1;
        }
        false
    }

    pub(super) const fn is_reserved(&self, name: &str) -> bool {
        let mut i = 0;
        while i < self.reserved.len() {
            if same(self.reserved[i], name) {
                return true;
            }
            i += 1;
        }
        false
    }
}

impl RecordedKey {
    /// A key of this kind.
    pub const fn new(field: &'static str, kind: &'static str) -> Self {
        Self { field, kind }
    }
}

impl RecordedField {
    /// A field of this type.
    pub const fn new(name: &'static str, ty: &'static str, default: &'static str) -> Self {
        Self { name, ty, default }
    }

    /// Whether a row without the field is valid. A kind that is not known here is a default.
    pub(super) const fn fills(&self) -> bool {
        !same(self.default, "required")
    }
}

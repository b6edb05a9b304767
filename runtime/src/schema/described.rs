//! [`Schema`]: what a store looks like, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schema of a store: its tables, kv groups and fields, with the JSON Schema of each.
///
/// Returned by [`Store::schema`](crate::Store::schema), kept in the history file and in the head
/// document, and compared by `diff`. It is plain data: serializable, and readable without the types
/// of the app.
///
/// ```
/// # use heirloom::{Id, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// # #[table(name = "notes")]
/// # struct Note { id: Id<Note>, #[evolve(default)] done: bool }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// let schema = App::schema();
/// let notes = &schema.tables["notes"];
/// assert_eq!(notes.key[0].field, "id");
/// assert_eq!(notes.fields["done"].schema["type"], "boolean");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schema {
    /// The epoch it belongs to.
    pub epoch: u32,
    /// The tables, by stored name.
    pub tables: BTreeMap<String, TableSchema>,
    /// The kv groups, by stored name.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupSchema>,
    /// The JSON Schemas of named types, which those of fields refer to as `#/types/Name`.
    #[serde(default)]
    pub types: BTreeMap<String, Value>,
    /// The names of removed tables, groups and fields, which must not be used again.
    #[serde(default)]
    pub reserved: BTreeSet<Reserved>,
}

impl Schema {
    /// Returns the fingerprint of its canonical form: 32 hexadecimal digits, equal for two schemas
    /// exactly if they say the same about what is stored.
    ///
    /// The order of fields, docs, names of Rust types and indexes make no difference.
    pub fn fingerprint(&self) -> String {
        super::canonical::fingerprint(self)
    }
}

/// A table of a [`Schema`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableSchema {
    /// The fields that are the key of its rows. In JSON, a single one stands without the list.
    #[serde(with = "one_or_several")]
    pub key: Vec<KeySchema>,
    /// Its indexes, in declaration order.
    #[serde(default)]
    pub indexes: Vec<IndexSchema>,
    /// Whether edits of different fields of a row both survive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merges_fields: bool,
    /// The rules of its rows as they are written, in declaration order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The expressions of its computed columns as they are written, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub computed: BTreeMap<String, String>,
    /// The fields of its row, by stored name, the key among them.
    pub fields: BTreeMap<String, FieldSchema>,
}

/// A field that is the key of a table, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeySchema {
    /// The stored name of the field.
    pub field: String,
    /// `id`, `text`, `unsigned`, `signed` or `uuid`.
    pub kind: String,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexSchema {
    /// The stored names of its fields.
    pub fields: Vec<String>,
    /// Whether two rows with equal values are a conflict.
    #[serde(default)]
    pub unique: bool,
    /// Whether it has each item of a collection on its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each: bool,
}

/// A kv group of a [`Schema`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupSchema {
    /// The rules of its entries as they are written, in declaration order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// Its entries, by stored name.
    pub fields: BTreeMap<String, FieldSchema>,
}

/// A field of a row, or an entry of a kv group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldSchema {
    /// The Rust type as written.
    #[serde(rename = "type")]
    pub rust_type: String,
    /// Its default, for a stored row that lacks it.
    pub default: FieldDefault,
    /// Other stored names that are read as this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether absent and `null` are two values: an `Option<Option<_>>`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    /// The stored name of the table that it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// Whether heirloom fills it with a time, and when: `created` or `updated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled: Option<String>,
    /// How it merges in a table that merges by field, if not as one value: `fields`, `sum` or `union`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<String>,
    /// The JSON Schema of its value.
    pub schema: Value,
}

/// The default of a field that a stored row may lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FieldDefault {
    /// The field has no default: a row without it is invalid.
    Required,
    /// The field is an `Option`: absent reads as `None`.
    Optional,
    /// Always the same value.
    Constant {
        /// The value, as it would be stored.
        value: Value,
    },
    /// A value computed from other fields of the row.
    Computed {
        /// The closure as written.
        code: String,
    },
    /// A value that differs each time, so that no two reads agree: from `Default` or a function of
    /// serde's that reads a clock, for example.
    Unstable,
}

impl FieldDefault {
    /// Whether a row without the field is valid.
    pub fn fills(&self) -> bool {
        !matches!(self, Self::Required)
    }
}

impl fmt::Display for FieldDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("required"),
            Self::Optional => f.write_str("optional"),
            Self::Constant { value } => write!(f, "default {value}"),
            Self::Computed { code } => write!(f, "default {code}"),
            Self::Unstable => f.write_str("a default that is another each time"),
        }
    }
}

/// A name that was used once and must not be used again, since old rows still carry it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reserved {
    /// The table it was a field of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The kv group it was an entry of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The stored name of the field or entry.
    pub field: String,
}

/// A list in JSON, of which a single item stands alone.
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::KeySchema;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(KeySchema),
        Several(Vec<KeySchema>),
    }

    pub(super) fn serialize<S: Serializer>(key: &[KeySchema], to: S) -> Result<S::Ok, S::Error> {
        match key {
            [one] => one.serialize(to),
            several => several.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<KeySchema>, D::Error> {
        Ok(match Form::deserialize(from)? {
            Form::One(one) => vec![one],
            Form::Several(several) => several,
        })
    }
}

//! What generated code may name, and nothing else may: no part of it is covered by semver.

pub use crate::disk::{StorageHook, StorageOp};
pub use crate::error::Error;
pub use crate::query::column;
pub use crate::row::{Above, DefaultError, Group, IndexValues, Key, KeyBytes, Record, Row};
pub use crate::schema::{
    DefaultKind, FieldDef, GroupDef, IndexDef, IndexVisitor, KeyKind, StoreDef, TableDef,
    ValueTraits,
};
pub use crate::store::{Attach, Entry, EntryMaker, GroupOf, Handle, Store, TableOf};
pub use serde;

/// The descriptor of a table.
pub const fn table_def<R: Row>() -> TableDef {
    TableDef {
        name: R::TABLE,
        key: <R::Key as Key>::KIND,
        key_field: R::KEY_FIELD,
        fields: R::FIELDS,
        indexes: R::INDEXES,
        read_key: |text| R::Key::from_text(text).ok().map(|key| key.to_bytes().as_slice().to_vec()),
        key_text: |bytes| R::Key::from_bytes(bytes).map(|key| key.to_text()),
        fill: crate::evolve::fill_defaults::<R>,
        index_values: crate::evolve::index_values::<R>,
        index_basis: crate::evolve::index_basis::<R>,
    }
}

/// The descriptor of a kv group.
pub const fn group_def<G: Group>() -> GroupDef {
    GroupDef { name: G::GROUP, fields: G::FIELDS }
}

/// The JSON text of a value, for entries that serialize through functions of their own.
///
/// # Errors
///
/// Where the value does not serialize, or holds a number that JSON cannot.
pub fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, DefaultError> {
    crate::row::encode_value(value).map_err(DefaultError::new)
}

/// The value of a JSON text, for entries that deserialize through functions of their own.
///
/// # Errors
///
/// Where the text is no value of the type.
pub fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, DefaultError> {
    serde_json::from_str(json).map_err(DefaultError::new)
}

//! The redb tables of a file. Their columns are `&str`, `&[u8]` and `u64` only, since redb puts
//! type names on disk.

use redb::TableDefinition;

/// Facts about the file, by name.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The document of epoch 0, which all devices share.
pub(crate) const DATA_DOCUMENT: &str = "0";

/// The document that says which versions of its schema a store has had.
pub(crate) const HEAD_DOCUMENT: &str = "head";

/// Updates of a document, by sequence number.
pub(super) fn log(document: &str) -> String {
    format!("{document}/log")
}

/// The newest state of a document, by the sequence number it covers.
pub(super) fn snapshot(document: &str) -> String {
    format!("{document}/snapshot")
}

/// Rows of a table, by key bytes.
pub(super) fn rows(document: &str, table: &str) -> String {
    format!("{document}/rows/{table}")
}

/// Rows of a table whose key is none of the declared type, by key text.
pub(super) fn strays(document: &str, table: &str) -> String {
    format!("{document}/strays/{table}")
}

/// Entries of a kv group, by stored name.
pub(super) fn entries(document: &str, group: &str) -> String {
    format!("{document}/entries/{group}")
}

/// An index of a table: values and key of a row, by the stored names of the fields.
pub(crate) fn index(document: &str, table: &str, fields: &[&str]) -> String {
    let fields = serde_json::Value::from(fields.to_vec());
    format!("{document}/index/{table}/{fields}")
}

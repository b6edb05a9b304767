//! The redb tables of a file. Their columns are `&str`, `&[u8]` and `u64` only, since redb puts
//! type names on disk.

use redb::TableDefinition;

/// Facts about the file, by name.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The document that says which versions of its schema a store has had.
pub(crate) const HEAD_DOCUMENT: &str = "head";

/// Updates of a document, by sequence number.
pub(super) fn log(document: &str) -> String {
    [document, "/log"].concat()
}

/// The newest state of a document, by the sequence number it covers.
pub(super) fn snapshot(document: &str) -> String {
    [document, "/snapshot"].concat()
}

/// Rows of a table, by key bytes.
pub(super) fn rows(document: &str, table: &str) -> String {
    [document, "/rows/", table].concat()
}

/// Rows of a table whose key is none of the declared type, by key text.
pub(super) fn strays(document: &str, table: &str) -> String {
    [document, "/strays/", table].concat()
}

/// Entries of a kv group, by stored name.
pub(super) fn entries(document: &str, group: &str) -> String {
    [document, "/entries/", group].concat()
}

/// An index of a table: values and key of a row, by the stored names of the fields.
pub(crate) fn index(document: &str, table: &str, fields: &[&str]) -> String {
    let fields = serde_json::Value::from(fields.to_vec()).to_string();
    [document, "/index/", table, "/", &fields].concat()
}

/// Late edits that a document carries from others, by where they belong.
pub(super) fn bookkeeping(document: &str, root: &str) -> String {
    [document, "/", root].concat()
}

/// What of a document's tables is read by devices, and can be made again from the document.
pub(super) fn is_read_model(document: &str, name: &str) -> bool {
    let rest = name.strip_prefix(document).and_then(|rest| rest.strip_prefix('/'));
    let kind = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    kind.is_some_and(|kind| !matches!(kind, "log" | "snapshot") && !is_of_claim(document, name))
}

/// Every table of a document.
pub(super) fn is_of_document(document: &str, name: &str) -> bool {
    let rest = name.strip_prefix(document);
    rest.is_some_and(|rest| rest.starts_with('/')) && !is_of_claim(document, name)
}

/// Whether `name` belongs to a document that begins as `document` does and goes on: no name of an
/// epoch has a dot, and every claim has.
fn is_of_claim(document: &str, name: &str) -> bool {
    kind(name).0 != document
}

/// The document that a table belongs to, and the first word of what it is: `log`, `rows`, …
pub(super) fn kind(name: &str) -> (&str, &str) {
    let Some((first, rest)) = name.split_once('/') else { return ("", name) };
    // The names of claims have two parts: `1.0/018f…`.
    let (document, rest) = match rest.split_once('/') {
        Some((claim, further)) if first.contains('.') => {
            (&name[..first.len() + 1 + claim.len()], further)
        }
        _ => (first, rest),
    };
    (document, rest.split('/').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_apart_by_document_and_kind() {
        assert_eq!(kind("meta"), ("", "meta"));
        assert_eq!(kind("0/rows/a/b"), ("0", "rows"));
        assert_eq!(kind("1.0/c/rows/a"), ("1.0/c", "rows"));
        assert_eq!(kind("head/log"), ("head", "log"));
        assert!(is_read_model("1", "1/rows/notes") && !is_read_model("1", "1/log"));
        assert!(!is_read_model("1", "1.0/c/rows/notes") && !is_of_document("1", "10/log"));
        assert!(is_of_document("1.0/c", "1.0/c/snapshot"));
    }
}

//! The redb tables of a file. Their columns are `&str`, `&[u8]` and `u64` only, since redb puts
//! type names on disk.

use redb::TableDefinition;

/// Facts about the file, by name.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The fact that is the format of the file.
pub(crate) const FORMAT: &str = "format";

/// The document that says which versions of its schema a store has had.
pub(crate) const HEAD_DOCUMENT: &str = "head";

/// The items of a document, and what else is kept of it beside rows and entries.
pub(super) fn items(document: &str) -> String {
    [document, "/items"].concat()
}

/// Names the table of what the newest commits have added to the items of a document.
pub(super) fn tail(document: &str) -> String {
    [document, "/tail"].concat()
}

/// Rows of a table, by key bytes.
pub(super) fn rows(document: &str, table: &str) -> String {
    [document, "/rows/", table].concat()
}

/// Rows of a table by key text: those whose key does not parse as the declared type, or all, as long as no code
/// has declared the table.
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

/// The table and the fields of an index, by its name.
pub(super) fn index_parts(document: &str, name: &str) -> Option<(String, Vec<String>)> {
    let rest = within(document, name)?.strip_prefix("index/")?;
    // The names of tables have no slash, those of fields may.
    let (table, fields) = rest.split_once('/')?;
    Some((table.to_owned(), serde_json::from_str(fields).ok()?))
}

/// Names the table of a root that is neither a table nor a kv group, by key.
pub(super) fn other(document: &str, root: &str) -> String {
    match root {
        // These have no table of rows that they could be taken for.
        "forwarded" | "seen" | "settled" | "quarantine" => [document, "/", root].concat(),
        _ => [document, "/other/", root].concat(),
    }
}

/// Names the table of a root whose keys are kept as texts.
pub(super) fn texts_of_root(document: &str, root: &str) -> String {
    match root.split_once(':') {
        Some(("table", table)) => strays(document, table),
        Some(("kv", group)) => entries(document, group),
        _ => other(document, root),
    }
}

/// Whether a table is an index of a document.
pub(super) fn is_index_of(document: &str, name: &str) -> bool {
    kind(name) == (document, "index")
}

/// Every table of a document.
pub(super) fn is_of_document(document: &str, name: &str) -> bool {
    within(document, name).is_some()
}

/// Returns the rest of a table's name after that of its document; `None` for a table of another
/// one.
pub(super) fn within<'n>(document: &str, name: &'n str) -> Option<&'n str> {
    let rest = name.strip_prefix(document)?.strip_prefix('/')?;
    (!is_of_claim(document, name)).then_some(rest)
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
        assert_eq!(kind("head/items"), ("head", "items"));
        assert!(is_index_of("1", "1/index/notes") && !is_index_of("1", "1/items"));
        assert!(!is_of_document("1", "1.0/c/rows/notes") && !is_of_document("1", "10/items"));
        assert!(is_of_document("1.0/c", "1.0/c/items"));
        assert_eq!(texts_of_root("0", "forwarded"), "0/forwarded");
        assert_eq!(texts_of_root("0", "items"), "0/other/items");
    }
}

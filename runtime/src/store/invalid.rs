//! Rows that do not decode.

use std::fmt;
use std::sync::Arc;

use super::read::{scanned_key, stray_row, typed_in_scan};
use crate::disk::View;
use crate::error::{Error, Result};
use crate::row::Row;
use crate::schema::descriptor::TableIdx;

/// A stored row that does not decode as its table's struct: what is wrong, and the JSON that is
/// stored.
///
/// Listed by [`Table::invalid`](crate::Table::invalid).
///
/// ```
/// use heirloom::{Store, Table};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// mod last_year {
/// #   use heirloom::{Store, Table};
/// #   use schemars::JsonSchema;
/// #   use serde::{Deserialize, Serialize};
///     #[derive(Serialize, Deserialize, JsonSchema, Table)]
///     #[table(name = "films")]
///     pub struct Film { #[key] pub title: String, pub year: u16 }
/// #   #[derive(Store)]
/// #   #[store(name = "cinema")]
/// #   pub struct Cinema { pub films: Table<Film> }
/// }
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "films")]
/// struct Film { #[key] title: String, year: Year }
///
/// /// Stored as the number it always was, and checked now.
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// #[serde(try_from = "u16")]
/// struct Year(u16);
///
/// impl TryFrom<u16> for Year {
///     type Error = &'static str;
///     fn try_from(year: u16) -> Result<Self, Self::Error> {
///         if year < 1888 { Err("there was no film yet") } else { Ok(Self(year)) }
///     }
/// }
/// # #[derive(Store)]
/// # #[store(name = "cinema")]
/// # struct Cinema { films: Table<Film> }
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("cinema.redb");
/// # last_year::Cinema::open(&path)?
/// #     .films.insert(&last_year::Film { title: "Alien".into(), year: 179 })?;
/// # let cinema = Cinema::open(&path)?;
///
/// let bad = &cinema.films.invalid()?[0];
/// assert_eq!(bad.key(), "Alien");
/// assert_eq!(bad.field(), Some("year"));
/// assert_eq!(bad.json(), r#"{"title":"Alien","year":179}"#);
///
/// cinema.films.put(&Film { title: "Alien".into(), year: Year(1979) })?;
/// assert!(cinema.films.invalid()?.is_empty());
/// # Ok::<(), heirloom::Error>(())
/// ```
#[derive(Debug)]
pub struct InvalidRow {
    error: Error,
    table: &'static str,
    key: String,
    json: String,
    reason: String,
}

impl InvalidRow {
    fn new<R: Row>(error: Error, key: String, json: String) -> Self {
        let reason = error.what().to_owned();
        Self { error, table: R::TABLE, key, json, reason }
    }

    /// Returns the name of the table.
    pub fn table(&self) -> &str {
        self.table
    }

    /// Returns the text of the key it is stored under.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what is wrong, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the stored name of the field at fault, a path for a nested one; `None` if it is the
    /// row as a whole.
    pub fn field(&self) -> Option<&str> {
        self.error.field()
    }

    /// Returns what the field should hold.
    pub fn expected(&self) -> Option<&str> {
        self.error.expected()
    }

    /// Returns the beginning of what the field holds.
    pub fn found(&self) -> Option<&str> {
        self.error.found()
    }

    /// Returns the JSON that is stored, unchanged.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the error that [`Table::get`](crate::Table::get) gives for it.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

pub(super) fn invalid_rows<R: Row>(
    view: &Arc<View>,
    table_idx: TableIdx,
) -> Result<Vec<InvalidRow>> {
    let mut invalid = Vec::new();
    let mut rows = view.rows(table_idx)?;
    while let Some(row) = rows.next_with(|key, stored| {
        typed_in_scan::<R>(key, stored).err().map(|error| {
            let json = String::from_utf8_lossy(stored.json()).into_owned();
            InvalidRow::new::<R>(error, scanned_key::<R>(key), json)
        })
    }) {
        invalid.extend(row?);
    }
    for (key, json) in view.strays(table_idx)? {
        invalid.push(InvalidRow::new::<R>(stray_row::<R>(&key), key, json));
    }
    Ok(invalid)
}

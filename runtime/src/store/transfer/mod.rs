//! Data in and out: a table as JSON Lines ([`Table::export`], [`Table::import`]) and as CSV, a whole store
//! as JSON Lines.

#[cfg(feature = "csv")]
mod csv;
mod lines;
mod places;
mod whole;

pub use self::whole::StorePart;
pub(super) use self::whole::{export, import};

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use self::lines::Lines;
use self::places::Places;

use super::overlay::Overlay;
use super::read::{stray_row, typed_in_scan};
use super::table::Table;
use crate::disk::{StoredRow, View};
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::{Invalid, decode_text, fill_defaults};
use crate::row::{Key, Row};

/// The choice of an import for a row whose key has a row already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// The row in the table stays as it is.
    Skip,
    /// The imported row takes its place, as by [`Table::put`](crate::Table::put).
    Replace,
    /// The import is refused.
    Fail,
}

/// The numbers of rows that an import has stored, and left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    inserted: usize,
    replaced: usize,
    skipped: usize,
}

impl Imported {
    /// Returns how many rows were not there before.
    pub fn inserted(&self) -> usize {
        self.inserted
    }

    /// Returns how many rows took the place of others.
    pub fn replaced(&self) -> usize {
        self.replaced
    }

    /// Returns how many rows were left out, since their keys had rows.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

impl<R: Row> Table<R> {
    /// Writes all rows as JSON Lines, one row a line, in the order of their keys, and returns their
    /// number.
    ///
    /// They are the rows of one consistent view, written as they are read. A line is the row as it is
    /// stored, with what this code does not know of it, and with the defaults of the fields that it
    /// lacks. Wrap the writer to buffer, to compress, or to show progress.
    ///
    /// ```
    /// use heirloom::transfer::OnExisting;
    /// # use heirloom::{Store, Table};
    /// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bern".into(), people: 134 })?;
    /// # atlas.cities.insert(&City { name: "Ulm".into(), people: 126 })?;
    /// let mut lines = Vec::new();
    /// assert_eq!(atlas.cities.export(&mut lines)?, 2);
    /// assert!(lines.starts_with(br#"{"name":"Bern","people":134}"#));
    ///
    /// let copy = Atlas::in_memory()?;
    /// let imported = copy.cities.import(lines.as_slice(), OnExisting::Fail)?;
    /// assert_eq!(imported.inserted(), 2);
    /// assert_eq!(copy.cities.get("Ulm")?, atlas.cities.get("Ulm")?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if a row does not decode; [`invalid`](Self::invalid) lists
    /// all of them. [`Storage`](ErrorKind::Storage) if the file cannot be read, or the writer fails. The
    /// lines before it stay written.
    pub fn export(&self, mut to: impl Write) -> Result<usize> {
        self.placed(self.export_lines(&mut to))
    }

    fn export_lines(&self, to: &mut dyn Write) -> Result<usize> {
        let view = self.handle.engine().view();
        let count = self.export_view(&view, &mut |mut line| {
            line.push('\n');
            to.write_all(line.as_bytes()).map_err(unwritten)
        })?;
        to.flush().map_err(unwritten)?;
        Ok(count)
    }

    /// Gives the rows of a view as lines, and their number.
    fn export_view(
        &self,
        view: &Arc<View>,
        write: &mut dyn FnMut(String) -> Result<()>,
    ) -> Result<usize> {
        let mut rows = view.rows(self.table_idx)?;
        let mut count = 0;
        while let Some(line) = rows.next_with(line::<R>) {
            write(line??)?;
            count += 1;
        }
        if let Some((key, _)) = view.strays(self.table_idx)?.into_iter().next() {
            return Err(stray_row::<R>(&key));
        }
        Ok(count)
    }

    /// Reads rows from JSON Lines, one row a line, and stores them in one transaction: all of them, or
    /// after an error none.
    ///
    /// A field that a line lacks reads as its default, as in a stored row. Fields that this code does not
    /// know are stored as they stand, and `#[created]` and `#[updated]` fields, too. Empty lines and a byte order mark at the beginning are passed over.
    /// Two lines of one key are treated like a row that is there and one that is imported.
    ///
    /// Lines are read one by one, and rows are kept in memory until all are read. No other write to the
    /// store is made meanwhile. Wrap the reader to show progress.
    ///
    /// # Errors
    ///
    /// Each names the line of the row. [`InvalidRow`](ErrorKind::InvalidRow) if a line is not a row: the error
    /// names the field and the fault as well. [`CheckFailed`](ErrorKind::CheckFailed) if a row breaks a rule of
    /// `#[check(…)]`; [`DanglingReference`](ErrorKind::DanglingReference) if it refers to a row that does not
    /// exist. [`AlreadyExists`](ErrorKind::AlreadyExists) with [`OnExisting::Fail`];
    /// [`NotUnique`](ErrorKind::NotUnique) if two rows have one value in a unique field;
    /// [`Storage`](ErrorKind::Storage) if the reader fails. Nothing has changed then.
    pub fn import(&self, mut from: impl BufRead, existing: OnExisting) -> Result<Imported> {
        let (mut lines, mut places) = (Lines::of(&mut from), Places::default());
        let outcome = self.write(|overlay| {
            let mut imported = Imported::default();
            while let Some((number, line)) = lines.next()? {
                let place = |_: Option<&str>| format!("line {number}");
                if let Some(key) = import_row(overlay, self, line, existing, &place, &mut imported)?
                {
                    places.add(R::TABLE, &key, number as u64);
                }
            }
            places.all_read();
            Ok(imported)
        });
        self.placed(outcome.map_err(|error| places.named(error)))
    }
}

/// A row as a line.
fn line<R: Row>(key: &[u8], stored: &StoredRow<'_>) -> Result<String> {
    typed_in_scan::<R>(key, stored)?;
    let text = String::from_utf8_lossy(stored.json()).into_owned();
    let filled = fill_defaults::<R>(&text).ok().flatten();
    let text = filled.unwrap_or(text);
    // Other programs may have laid the text out. Within a JSON string there is no line break.
    Ok(text.replace(['\n', '\r'], " "))
}

/// Stores a row whose JSON text is given, and returns its key if it is stored. `place` names where it was read,
/// and where a field of it was.
fn import_row<R: Row>(
    overlay: &mut Overlay<'_>,
    table: &Table<R>,
    line: &str,
    existing: OnExisting,
    place: &dyn Fn(Option<&str>) -> String,
    imported: &mut Imported,
) -> Result<Option<String>> {
    // A row comes with its times.
    overlay.batch.has_times = true;
    let row = decode_text::<R>(line).map_err(|invalid| {
        let place = place(invalid.field.as_deref());
        let reason = format!("{place} is not a row: {}", invalid.reason);
        let error = Invalid { reason, ..invalid }.into_error().at_table(R::TABLE);
        error.help("nothing was imported: correct the line, and import again")
    })?;
    let in_line = |error: Error| {
        let place = place(error.field());
        error.in_line(&place)
    };
    match (overlay.contains::<R>(table.table_idx, &row.key())?, existing) {
        (true, OnExisting::Skip) => {
            imported.skipped += 1;
            return Ok(None);
        }
        (true, OnExisting::Fail) => {
            let what = format!("{} has a key that a row has already", place(None));
            return Err(there_already(what).at_table(R::TABLE).at_key(row.key().to_text()));
        }
        (true, OnExisting::Replace) => {
            overlay.put(table.table_idx, &row).map_err(in_line)?;
            imported.replaced += 1;
        }
        (false, _) => {
            overlay.insert(table.table_idx, &row).map_err(in_line)?;
            imported.inserted += 1;
        }
    }
    overlay.add_unknown(table.table_idx, &row, line).map_err(in_line)?;
    Ok(Some(row.key().to_text()))
}

fn there_already(what: String) -> Error {
    Error::new(ErrorKind::AlreadyExists, what).help(
        "nothing was imported: use `OnExisting::Skip` to keep what is there, or \
         `OnExisting::Replace` to replace it",
    )
}

fn unwritten(error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, "the rows cannot be written").because(error)
}

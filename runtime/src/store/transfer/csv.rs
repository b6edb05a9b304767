//! Rows of a table as CSV: [`Table::export_csv`] and [`Table::import_csv`].

use std::io::{self, Read, Write};

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};

use super::places::Places;
use super::{Imported, OnExisting, import_row, unwritten};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Json, Kind, Known, Object, Row};
use crate::schema::descriptor::{DefaultKind, FieldDef};
use crate::store::table::Table;

const CORRECT: &str = "nothing was imported: correct the file, and import again";

/// How much of a cell an error shows.
const SHOWN_CHARS: usize = 60;

impl<R: Row> Table<R> {
    /// Writes all rows as CSV, and returns their number.
    ///
    /// The first line has the stored names of the fields, in the order of their declaration. Cells are
    /// separated by commas and quoted if they need it; lines end with a line feed. A text stands in its
    /// cell as it is, and so does an enum that is stored as text; any other value is its JSON: `12.5`, `true`,
    /// `["a","b"]`. `None` is an empty cell, and so is an empty text.
    ///
    /// Fields that this code does not know are left out; [`export`](Self::export) writes them.
    ///
    /// ```
    /// use heirloom::transfer::OnExisting;
    /// # use heirloom::{Store, Table};
    /// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32, mayor: Option<String> }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bad Homburg, Höhe".into(), people: 54, mayor: None })?;
    /// let mut text = Vec::new();
    /// assert_eq!(atlas.cities.export_csv(&mut text)?, 1);
    /// assert_eq!(text, "name,people,mayor\n\"Bad Homburg, Höhe\",54,\n".as_bytes());
    ///
    /// let copy = Atlas::in_memory()?;
    /// copy.cities.import_csv(text.as_slice(), OnExisting::Fail)?;
    /// assert_eq!(copy.cities.query().all()?, atlas.cities.query().all()?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`export`](Self::export).
    pub fn export_csv(&self, to: impl Write) -> Result<usize> {
        self.placed(self.export_cells(Box::new(to)))
    }

    fn export_cells(&self, to: Box<dyn Write + '_>) -> Result<usize> {
        let failed = |error: csv::Error| unwritten(error.into());
        let mut writer = WriterBuilder::new().from_writer(to);
        writer.write_record(R::FIELDS.iter().map(|field| field.name)).map_err(failed)?;
        let view = self.handle.engine().view();
        let count = self.export_view(&view, &mut |row| {
            let row = Object::parse(&row).unwrap_or_default();
            let cells =
                R::FIELDS.iter().map(|field| row.get(field.name).map_or_else(String::new, cell));
            writer.write_record(cells).map_err(failed)
        })?;
        writer.flush().map_err(unwritten)?;
        Ok(count)
    }

    /// Reads rows from CSV, and stores them in one transaction: all of them, or after an error none.
    ///
    /// The first line names the columns: stored names of fields, or aliases of these, in any order. A field
    /// without a column reads as its default, as in a stored row. The type of a field says how its cells read: as
    /// text if a value of the type is stored as text, else as JSON, for which `TRUE` and spaces around it are
    /// fine. An empty cell is `None` if the field may be that, else an empty text if it may be that, else the
    /// field's default.
    ///
    /// Cells are separated by commas; in quotes they may have commas and line breaks in them, and two quotes
    /// for one. Empty lines and a byte order mark at the beginning are passed over. Rows are kept in memory
    /// until all are read. Wrap the reader to show progress.
    ///
    /// # Errors
    ///
    /// The errors of [`import`](Self::import). Each names the line, and the column if there is one:
    /// [`InvalidRow`](ErrorKind::InvalidRow) also if a column is not a field or stands there twice, if a line
    /// has more or fewer cells than the first, or if the file ends within quotes, as one that was cut off may.
    pub fn import_csv(&self, from: impl Read, existing: OnExisting) -> Result<Imported> {
        self.placed(self.import_cells(Box::new(from), existing))
    }

    fn import_cells(&self, from: Box<dyn Read + '_>, existing: OnExisting) -> Result<Imported> {
        // It has a buffer of its own.
        let from = Quotes::of(from);
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from);
        let (mut record, mut places) = (ByteRecord::new(), Places::default());
        let outcome = self.write(|overlay| {
            let mut imported = Imported::default();
            let mut next = |record: &mut ByteRecord| {
                let read = reader.read_byte_record(record);
                read.map_err(|error| unread(error, reader.get_ref().cut_off))
            };
            if !next(&mut record)? {
                return Ok(imported);
            }
            let columns = Columns::of::<R>(&record)?;
            while next(&mut record)? {
                let line = line_of(&record);
                let row = columns.row(&record)?;
                let place = |field: Option<&str>| columns.place(line, field);
                if let Some(key) = import_row(overlay, self, &row, existing, &place, &mut imported)?
                {
                    places.add(R::TABLE, &key, line);
                }
            }
            places.all_read();
            Ok(imported)
        });
        outcome.map_err(|error| places.named(error))
    }
}

/// A value as a cell.
fn cell(json: &str) -> String {
    match json {
        "null" => String::new(),
        json if json.starts_with('"') => serde_json::from_str(json).unwrap_or_default(),
        json => json.to_owned(),
    }
}

/// The columns of a file.
struct Columns {
    columns: Vec<Column>,
}

struct Column {
    field: &'static FieldDef,
    known: Known<'static>,
    allows_null: bool,
    allows_empty: bool,
}

impl Columns {
    fn of<R: Row>(names: &ByteRecord) -> Result<Self> {
        let line = line_of(names);
        let mut columns: Vec<Column> = Vec::with_capacity(names.len());
        for (number, name) in names.iter().enumerate() {
            let at = format!("line {line}, column {}", number + 1);
            let name = text(name, &at)?.trim();
            let Some(field) = R::FIELDS.iter().find(|field| field.answers_to(name)) else {
                let fields: Vec<&str> = R::FIELDS.iter().map(|field| field.name).collect();
                let error =
                    Error::new(ErrorKind::InvalidRow, format!("{at} is not a field of the row"));
                let error = error.expecting(fields.join(", ")).finding(shown(name));
                return Err(error.help(match names.len() {
                    1 if name.contains([';', '\t']) => {
                        "nothing was imported: separate the cells by commas"
                    }
                    _ => CORRECT,
                }));
            };
            if columns.iter().any(|column| column.field.name == field.name) {
                let what = format!("{at} is that of a field that has a column already");
                return Err(mistake(what, Some(field)));
            }
            let known = R::shape().field(field.name);
            let allows = |json| Json::parse(json).is_some_and(|json| known.is_met_by(json.root()));
            let (allows_null, allows_empty) = (allows("null"), allows("\"\""));
            columns.push(Column { field, known, allows_null, allows_empty });
        }
        Ok(Self { columns })
    }

    /// Returns the line of a row, and the column of a field.
    fn place(&self, line: u64, field: Option<&str>) -> String {
        let is_of = |column: &Column| {
            let rest = field.and_then(|field| field.strip_prefix(column.field.name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        match self.columns.iter().position(is_of) {
            Some(number) => format!("line {line}, column {}", number + 1),
            None => format!("line {line}"),
        }
    }

    /// A row as JSON text.
    fn row(&self, record: &ByteRecord) -> Result<String> {
        let line = line_of(record);
        if record.len() != self.columns.len() {
            let (found, expected) = (record.len(), self.columns.len());
            let what = format!("line {line} has another number of cells than the first line");
            let error = mistake(what, None);
            return Err(error.expecting(expected.to_string()).finding(found.to_string()));
        }
        let mut row = Object::default();
        for (number, (column, cell)) in self.columns.iter().zip(record).enumerate() {
            let at = format!("line {line}, column {}", number + 1);
            if let Some(value) = column.value(text(cell, &at)?, &at)? {
                row.push(column.field.name, value);
            }
        }
        Ok(row.to_text())
    }
}

impl Column {
    /// Returns the value of a cell as JSON; `None` if the cell leaves the field out.
    fn value(&self, cell: &str, at: &str) -> Result<Option<String>> {
        if cell.is_empty() && self.allows_null {
            // Of an `Option` in an `Option`, absent is the outer `None`.
            return Ok((!self.field.nullable).then(|| "null".to_owned()));
        }
        if cell.is_empty() && !self.allows_empty && self.field.default != DefaultKind::Required {
            return Ok(None);
        }
        let quoted = serde_json::Value::from(cell).to_string();
        let plain = match cell.trim() {
            word if word.eq_ignore_ascii_case("true") => "true".to_owned(),
            word if word.eq_ignore_ascii_case("false") => "false".to_owned(),
            other => other.to_owned(),
        };
        let is_met = |text: &String| {
            let json = Json::parse(text);
            json.is_some_and(|json| {
                json.root().kind() != Kind::Null && self.known.is_met_by(json.root())
            })
        };
        [quoted, plain].into_iter().find(is_met).map(Some).ok_or_else(|| {
            let error = mistake(format!("{at} is not a value of its field"), Some(self.field));
            error.expecting(self.field.rust_type).finding(shown(cell))
        })
    }
}

/// The line on which a record begins.
fn line_of(record: &ByteRecord) -> u64 {
    record.position().map_or(1, csv::Position::line)
}

fn text<'c>(cell: &'c [u8], at: &str) -> Result<&'c str> {
    std::str::from_utf8(cell).map_err(|error| {
        let error = Error::new(ErrorKind::InvalidRow, format!("{at} is not UTF-8")).because(error);
        error.help("nothing was imported: save the file as UTF-8")
    })
}

fn shown(cell: &str) -> String {
    let shown: String = cell.chars().take(SHOWN_CHARS).collect();
    if shown.len() < cell.len() { format!("`{shown}…`") } else { format!("`{shown}`") }
}

fn mistake(what: String, field: Option<&FieldDef>) -> Error {
    let error = Error::new(ErrorKind::InvalidRow, what);
    let error = error.help(CORRECT);
    match field {
        Some(field) => error.at_field(field.name),
        None => error,
    }
}

fn unread(error: csv::Error, cut_off: Option<u64>) -> Error {
    if let Some(line) = cut_off {
        return mistake(format!("line {line} opens a quote that is not closed"), None);
    }
    let what = match error.position() {
        Some(position) => format!("line {} cannot be read", position.line()),
        None => "the file cannot be read".to_owned(),
    };
    Error::new(ErrorKind::Storage, what).because(error)
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A reader that fails at its end if a quote is open there: a cell that was cut off would be read as a whole one.
struct Quotes<R> {
    from: R,
    /// How much of the byte order mark has come.
    marked: usize,
    place: Place,
    line: u64,
    /// The line of the quote that was opened last.
    opened: u64,
    /// The line of the quote that is open at the end.
    cut_off: Option<u64>,
}

/// The position of a byte in its cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// After a quote within quotes: the end of the cell, or half of a doubled quote.
    AfterQuote,
}

impl<R> Quotes<R> {
    fn of(from: R) -> Self {
        Self { from, marked: 0, place: Place::Start, line: 1, opened: 1, cut_off: None }
    }

    fn pass(&mut self, byte: u8) {
        if BYTE_ORDER_MARK.get(self.marked) == Some(&byte) {
            self.marked += 1;
            return;
        }
        self.marked = BYTE_ORDER_MARK.len();
        self.line += u64::from(byte == b'\n');
        self.place = match (self.place, byte) {
            (Place::Start, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::AfterQuote,
            (Place::Quoted, _) | (Place::AfterQuote, b'"') => Place::Quoted,
            (_, b',' | b'\n' | b'\r') => Place::Start,
            _ => Place::Plain,
        };
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.from.read(buffer)?;
        if len == 0 && !buffer.is_empty() && self.place == Place::Quoted {
            self.cut_off = Some(self.opened);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.iter().take(len).for_each(|byte| self.pass(*byte));
        Ok(len)
    }
}

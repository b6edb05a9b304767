//! Stored rows and entries, typed, with errors that name their place.

use crate::disk::{StoredRow, View};
use crate::engine::WriteBatch;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::{Defaults, Invalid, decode, decode_text, snippet};
use crate::row::{Group, Key, KeyForm, Object, Row, key_names};
use crate::schema::descriptor::{FieldDef, GroupIdx};

use super::codec::Codec;

/// The row stored under `key`.
pub(super) fn typed_row<R: Row>(key: &R::Key, stored: &StoredRow<'_>) -> Result<R> {
    if stored.is_damaged() {
        return Err(damaged_row::<R>(key.to_text()));
    }
    let row = if stored.is_foreign() {
        Err(foreign(&String::from_utf8_lossy(stored.json())))
    } else {
        decode(stored.json()).map_err(Invalid::into_error)
    };
    keyed(key, row)
}

/// The row that is the JSON text `json`, stored under `key`.
pub(super) fn typed_text<R: Row>(key: &R::Key, json: &str) -> Result<R> {
    keyed(key, decode_text(json).map_err(Invalid::into_error))
}

/// The row as it comes in a scan, where the key is known as bytes.
pub(super) fn typed_in_scan<R: Row>(bytes: &[u8], stored: &StoredRow<'_>) -> Result<R> {
    if stored.is_damaged() {
        return Err(damaged_row::<R>(scanned_key::<R>(bytes)));
    }
    let row = if stored.is_foreign() {
        Err(foreign(&String::from_utf8_lossy(stored.json())))
    } else {
        decode::<R>(stored.json()).map_err(Invalid::into_error)
    };
    if let Ok(found) = &row
        && found.key().to_bytes().as_slice() == bytes
    {
        return row;
    }
    Err(not_in_scan(bytes, row))
}

/// The error of a row in a scan.
#[cold]
fn not_in_scan<R: Row>(bytes: &[u8], row: Result<R>) -> Error {
    if R::Key::from_bytes(bytes).is_none() {
        return stray_row::<R>(&scanned_key::<R>(bytes));
    }
    let error = row.map_or_else(invalid_row::<R>, |row| misplaced(&row));
    error.at_key(scanned_key::<R>(bytes))
}

fn keyed<R: Row>(key: &R::Key, row: Result<R>) -> Result<R> {
    match row {
        Ok(row) if *row.key() == *key => Ok(row),
        Ok(row) => Err(misplaced(&row).at_key(key.to_text())),
        Err(error) => Err(invalid_row::<R>(error).at_key(key.to_text())),
    }
}

/// The text form of a key in the file.
pub(super) fn scanned_key<R: Row>(bytes: &[u8]) -> String {
    KeyForm::of_key::<R::Key>().text_of(bytes).unwrap_or_else(|| format!("{bytes:?}"))
}

fn invalid_row<R: Row>(error: Error) -> Error {
    error.at_table(R::TABLE).help(
        "the row is kept as it is: replace it with `put`, correct its JSON with `repair`, remove it, \
         or give the field a type or default that fits",
    )
}

/// A row whose bytes are not those that were written.
#[cold]
fn damaged_row<R: Row>(key: String) -> Error {
    damaged("the row").at_table(R::TABLE).at_key(key).help(
        "the rest of the file can be read: replace the row with `put`, correct it with `repair`, \
         remove it, or restore a backup",
    )
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what} is damaged: its checksum does not match"))
}

/// A row that says it has another key than the one it is stored under.
fn misplaced<R: Row>(row: &R) -> Error {
    let error =
        Error::new(ErrorKind::InvalidRow, "the row's key is not the one it is stored under")
            .at_field(key_names(R::FIELDS, R::KEY_FIELDS))
            .expecting("the key it is stored under")
            .finding(row.key().to_text());
    invalid_row::<R>(error)
}

/// A value that another program wrote, and not as JSON text.
fn foreign(json: &str) -> Error {
    Error::new(ErrorKind::InvalidRow, "another program stored something other than JSON text")
        .expecting("JSON text")
        .finding(snippet(json))
}

/// The error for a row whose key does not parse as the table's key type.
pub(super) fn stray_row<R: Row>(key: &str) -> Error {
    let why = R::Key::from_text(key).err();
    let expected = why.as_ref().and_then(Error::expected).unwrap_or("a key");
    Error::new(
        ErrorKind::InvalidRow,
        "the row is stored under a text that is not a key of its table",
    )
    .at_table(R::TABLE)
    .at_key(key)
    .at_field(key_names(R::FIELDS, R::KEY_FIELDS))
    .expecting(expected)
    .finding(snippet(key))
    .help("the row is kept as it is: give it a key with `repair`, or remove it with `discard`")
}

/// The entries of one group: what is committed, with a transaction's own writes over it.
pub(super) struct EntriesOf<'v> {
    pub(super) view: &'v View,
    pub(super) batch: Option<&'v WriteBatch>,
    pub(super) group_idx: GroupIdx,
}

impl EntriesOf<'_> {
    /// The JSON text under a stored name.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        if let Some(op) = self.batch.and_then(|batch| batch.entry(self.group_idx, name)) {
            return Ok(op.json.as_deref().map(str::to_owned));
        }
        match self.view.entry(self.group_idx, name)? {
            Some(stored) if stored.is_damaged() => Err(damaged("the entry")),
            Some(stored) if stored.is_foreign() => {
                Err(foreign(&String::from_utf8_lossy(stored.json())))
            }
            Some(stored) => Ok(Some(String::from_utf8_lossy(stored.json()).into_owned())),
            None => Ok(None),
        }
    }

    /// The stored name a field is found under, with its JSON text.
    pub(super) fn field(&self, field: &FieldDef) -> Result<Option<(&'static str, String)>> {
        field_of(field, &|name| self.text(name))
    }

    /// The value of one entry.
    pub(super) fn value<G: Group, T>(&self, index: usize, codec: &Codec<T>) -> Result<T> {
        let field = &G::FIELDS[index];
        let placed = |error: Error| invalid_entry::<G>(error, field);
        match self.field(field).map_err(placed)? {
            Some((_, json)) => (codec.decode)(&json).map_err(|error| {
                placed(Error::new(ErrorKind::InvalidRow, error.to_string()).finding(snippet(&json)))
            }),
            None => self.default::<G, T>(index, codec).map_err(placed),
        }
    }

    /// Returns the value of an entry that is not set.
    pub(super) fn default<G: Group, T>(&self, index: usize, codec: &Codec<T>) -> Result<T> {
        use crate::schema::descriptor::DefaultKind;

        let decoded = match G::FIELDS[index].default {
            DefaultKind::Optional | DefaultKind::Required => (codec.absent)(),
            _ => {
                // A field above that cannot be read is reported by the default that reads it.
                let stored = |name: &str| self.text(name).ok().flatten();
                Defaults::of::<G>().of_field(&stored, index).and_then(|json| (codec.decode)(&json))
            }
        };
        decoded.map_err(|error| {
            Error::new(ErrorKind::InvalidRow, format!("its default fails: {error}"))
                .finding("nothing")
        })
    }

    /// The whole group as its struct.
    pub(super) fn group<G: Group>(&self) -> Result<G> {
        group_of(&|name| self.text(name))
    }
}

/// The stored name a field is found under, with its JSON text.
fn field_of(
    field: &FieldDef,
    text: &dyn Fn(&str) -> Result<Option<String>>,
) -> Result<Option<(&'static str, String)>> {
    for name in std::iter::once(&field.name).chain(field.aliases) {
        if let Some(json) = text(name)? {
            return Ok(Some((name, json)));
        }
    }
    Ok(None)
}

/// The whole group as its struct, whose entries have these JSON texts under their stored names.
pub(super) fn group_of<G: Group>(text: &dyn Fn(&str) -> Result<Option<String>>) -> Result<G> {
    let mut stored = Vec::new();
    for field in G::FIELDS {
        let found = field_of(field, text).map_err(|error| invalid_entry::<G>(error, field))?;
        stored.extend(found.map(|(_, json)| (field, json)));
    }
    let mut object = String::from("{");
    for (field, json) in &stored {
        if Object::is_json(json) {
            let separator = if object.len() > 1 { "," } else { "" };
            let name = serde_json::Value::from(field.name);
            object.push_str(&format!("{separator}{name}:{json}"));
        } else {
            let error = Error::new(ErrorKind::InvalidRow, "the entry is not JSON text");
            return Err(invalid_entry::<G>(error.finding(snippet(json)), field));
        }
    }
    object.push('}');
    decode_text(&object).map_err(|invalid| {
        invalid
            .into_error()
            .at_group(G::GROUP)
            .help("the entry is kept as it is: replace it with `set`, or `reset` it to its default")
    })
}

fn invalid_entry<G: Group>(error: Error, field: &FieldDef) -> Error {
    error
        .at_group(G::GROUP)
        .at_field(field.name)
        .expecting(field.rust_type)
        .help("the entry is kept as it is: replace it with `set`, or `reset` it to its default")
}

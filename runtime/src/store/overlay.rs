//! Typed reads and writes of a transaction: what is committed, with its own writes over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codec::Codec;
use super::overlay_rows::OverlayRows;
use super::read::{EntriesOf, typed_row, typed_text};
use super::stamps::{self, Changed};
use super::violations::refuse_broken;
use crate::disk::View;
use crate::engine::{RowOp, WriteBatch, already_exists};
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::{Form, Invalid, decode_text};
use crate::row::{Encoded, Group, Key, Object, Row, encode, key_names};
use crate::schema::descriptor::{GroupIdx, TableIdx};

/// A transaction by the indexes of tables and groups, without the store's type.
pub(super) struct Overlay<'t> {
    pub(super) view: &'t Arc<View>,
    pub(super) batch: &'t mut WriteBatch,
}

/// Whether there is a row under a key.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// Before the transaction.
    existed: bool,
    /// With its own writes so far.
    exists: bool,
    /// Whether it was there before, and nothing but fields of it was changed so far.
    is_edited: bool,
}

impl State {
    /// The row as the transaction has left it.
    fn of(op: &RowOp) -> Self {
        Self { existed: op.existed, exists: op.json.is_some(), is_edited: op.is_edit }
    }

    /// The row as it is committed.
    pub(super) fn committed(exists: bool) -> Self {
        Self { existed: exists, exists, is_edited: exists }
    }

    /// The same, of a row that is written or removed as a whole.
    fn whole(self) -> Self {
        Self { is_edited: false, ..self }
    }
}

/// A row as the transaction sees it.
enum Current {
    Absent,
    Text(String),
    /// There, and not as JSON text.
    Foreign,
}

impl Overlay<'_> {
    fn current<R: Row>(&self, table_idx: TableIdx, key: &R::Key) -> Result<(Current, State)> {
        let bytes = key.to_bytes();
        if let Some(op) = self.batch.row(table_idx, bytes.as_slice()) {
            let json = op.json.as_deref();
            let current = json.map_or(Current::Absent, |json| Current::Text(json.to_owned()));
            return Ok((current, State::of(op)));
        }
        let current = match self.view.row(table_idx, bytes.as_slice())? {
            None => Current::Absent,
            Some(stored) if stored.is_foreign() => Current::Foreign,
            Some(stored) => match std::str::from_utf8(stored.json()) {
                Ok(json) => Current::Text(json.to_owned()),
                Err(_) => Current::Foreign,
            },
        };
        let state = State::committed(!matches!(current, Current::Absent));
        Ok((current, state))
    }

    pub(super) fn get<R: Row>(&self, table_idx: TableIdx, key: &R::Key) -> Result<Option<R>> {
        let bytes = key.to_bytes();
        if let Some(op) = self.batch.row(table_idx, bytes.as_slice()) {
            return op.json.as_deref().map(|json| typed_text(key, json)).transpose();
        }
        let stored = self.view.row(table_idx, bytes.as_slice())?;
        stored.map(|stored| typed_row(key, &stored)).transpose()
    }

    pub(super) fn contains<R: Row>(&self, table_idx: TableIdx, key: &R::Key) -> Result<bool> {
        self.state::<R>(table_idx, key).map(|state| state.exists)
    }

    pub(super) fn len(&self, table_idx: TableIdx) -> Result<usize> {
        let mut len = self.view.len(table_idx)?;
        for op in self.batch.tables.get(&table_idx).into_iter().flat_map(|rows| rows.values()) {
            match (op.existed, op.json.is_some()) {
                (false, true) => len += 1,
                (true, false) => len -= 1,
                _ => {}
            }
        }
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// All rows in the order of their keys.
    pub(super) fn rows<R: Row>(&self, table_idx: TableIdx) -> Result<OverlayRows<'_, R>> {
        let written =
            self.batch.tables.get(&table_idx).map_or_else(Default::default, BTreeMap::iter);
        let strays = self.view.strays(table_idx)?.into_iter().map(|(key, _)| key);
        Ok(OverlayRows::new(self.view.rows(table_idx)?, written, strays.collect()))
    }

    /// Stores a row that is not there yet.
    pub(super) fn insert<R: Row>(&mut self, table_idx: TableIdx, row: &R) -> Result<()> {
        let key = &*row.key();
        let state = self.state_to_insert::<R>(table_idx, key)?;
        let json = self.new_text(row).map_err(|invalid| refused::<R>(key, invalid))?;
        self.set(table_idx, key, Some((json, row)), state)
    }

    /// The state of a key under which there is no row yet.
    pub(super) fn state_to_insert<R: Row>(
        &self,
        table_idx: TableIdx,
        key: &R::Key,
    ) -> Result<State> {
        let state = self.state::<R>(table_idx, key)?;
        if state.exists {
            return Err(at_row::<R>(already_exists(), key));
        }
        Ok(state.whole())
    }

    /// Whether rows of this type get times of the transaction.
    pub(super) fn stamps<R: Row>(&self) -> bool {
        !R::STAMPS.is_empty() && !self.batch.has_times
    }

    fn new_text<R: Row>(&self, row: &R) -> Result<String, Invalid> {
        match self.stamps::<R>() {
            true => Form::of_record().new_text(&stamps::begun(row, self.batch.now)?),
            false => Form::of_record().new_text(row),
        }
    }

    fn text_over<R: Row>(&self, stored: &str, row: &R) -> Result<Option<String>, Invalid> {
        if !self.stamps::<R>() {
            return Form::of_record().text_over(stored, row);
        }
        let before = decode_text::<R>(stored).ok().and_then(|before| encode(&before).ok());
        Ok(stamps::changed(stored, before.as_ref(), row, self.batch.now)?.json)
    }

    /// Stores a row, whether there is one under its key or not.
    pub(super) fn put<R: Row>(&mut self, table_idx: TableIdx, row: &R) -> Result<()> {
        let key = &*row.key();
        let (current, state) = self.current::<R>(table_idx, key)?;
        let json = match current {
            Current::Absent | Current::Foreign => self.new_text(row).map(Some),
            Current::Text(stored) => self.text_over(&stored, row),
        };
        if let Some(json) = json.map_err(|invalid| refused::<R>(key, invalid))? {
            self.set(table_idx, key, Some((json, row)), state.whole())?;
        }
        Ok(())
    }

    /// Adds the fields of an object to a row that this code does not know, and that the row lacks.
    pub(super) fn add_unknown<R: Row>(
        &mut self,
        table_idx: TableIdx,
        written: &R,
        object: &str,
    ) -> Result<()> {
        let key = &*written.key();
        let Some(object) = Object::parse(object) else { return Ok(()) };
        let is_known = |name: &str| R::FIELDS.iter().any(|field| field.answers_to(name));
        let mut unknown = object.iter().filter(|(name, _)| !is_known(name)).peekable();
        if unknown.peek().is_none() {
            return Ok(());
        }
        let (Current::Text(stored), state) = self.current::<R>(table_idx, key)? else {
            return Ok(());
        };
        let Some(mut row) = Object::parse(&stored) else { return Ok(()) };
        let lacking: Vec<_> = unknown.filter(|(name, _)| row.get(name).is_none()).collect();
        if !lacking.is_empty() {
            for (name, value) in lacking {
                row.push(name, value);
            }
            self.set(table_idx, key, Some((row.to_text(), written)), state)?;
        }
        Ok(())
    }

    /// Changes a row; `None` if there is none.
    pub(super) fn update<R: Row>(
        &mut self,
        table_idx: TableIdx,
        key: &R::Key,
        change: impl FnOnce(&mut R),
    ) -> Result<Option<R>> {
        let Some(mut row) = self.get::<R>(table_idx, key)? else { return Ok(None) };
        let before = changed(&mut row, key, change)?;
        if let (Current::Text(stored), state) = self.current::<R>(table_idx, key)? {
            let updated = updated(&stored, &before, row, self.batch.now)?;
            row = updated.row;
            if let Some(json) = updated.json {
                self.set(table_idx, key, Some((json, &row)), state)?;
            }
        }
        Ok(Some(row))
    }

    /// Stores `json` in place of an invalid row.
    pub(super) fn repair<R: Row>(
        &mut self,
        table_idx: TableIdx,
        key: &str,
        json: &str,
    ) -> Result<R> {
        let row = decode_text::<R>(json).map_err(|invalid| {
            let error = invalid.into_error().at_table(R::TABLE).at_key(key);
            error.help("nothing was changed; correct the JSON further")
        })?;
        let state = self.state::<R>(table_idx, &row.key())?;
        if R::Key::from_text(key).is_err() {
            if state.exists {
                let error = Error::new(ErrorKind::AlreadyExists, "there is a row under this key");
                return Err(at_row::<R>(error, &row.key()).help("use a key that is not taken"));
            }
            self.batch.strays.push((table_idx, key.to_owned()));
        } else if row.key().to_text() != key {
            let error = Error::new(ErrorKind::KeyChanged, "the corrected row has another key")
                .expecting(key)
                .finding(row.key().to_text());
            return Err(error.at_table(R::TABLE).help("keep the row's key as it was"));
        }
        self.set(table_idx, &*row.key(), Some((json.to_owned(), &row)), state.whole())?;
        Ok(row)
    }

    /// Removes a row; tells whether there was one.
    pub(super) fn remove<R: Row>(&mut self, table_idx: TableIdx, key: &R::Key) -> Result<bool> {
        let state = self.state::<R>(table_idx, key)?;
        if state.exists {
            self.set::<R>(table_idx, key, None, state.whole())?;
        }
        Ok(state.exists)
    }

    fn state<R: Row>(&self, table_idx: TableIdx, key: &R::Key) -> Result<State> {
        let bytes = key.to_bytes();
        match self.batch.row(table_idx, bytes.as_slice()) {
            Some(op) => Ok(State::of(op)),
            None => Ok(State::committed(self.view.row(table_idx, bytes.as_slice())?.is_some())),
        }
    }

    fn set<R: Row>(
        &mut self,
        table_idx: TableIdx,
        key: &R::Key,
        row: Option<(String, &R)>,
        state: State,
    ) -> Result<()> {
        let mut refers_to = Vec::new();
        if let Some((json, row)) = &row {
            keeps_rules(*row, json)?;
            row.references(&mut |number, key| refers_to.push((number, key.to_vec())));
        }
        let json = row.map(|(json, _)| json.into_boxed_str());
        self.set_op(table_idx, key, json, state, refers_to);
        Ok(())
    }

    /// Puts into the batch what becomes of a row.
    pub(super) fn set_op<K: Key>(
        &mut self,
        table_idx: TableIdx,
        key: &K,
        json: Option<Box<str>>,
        state: State,
        refers_to: Vec<(usize, Vec<u8>)>,
    ) {
        let op = RowOp::new(key.to_text(), json, state.existed, state.is_edited, refers_to);
        self.batch.set_row(table_idx, key.to_bytes().as_slice().into(), op);
    }

    pub(super) fn entries(&self, group_idx: GroupIdx) -> EntriesOf<'_> {
        EntriesOf { view: self.view, batch: Some(self.batch), group_idx }
    }

    /// Sets an entry.
    pub(super) fn set_entry<G: Group, T>(
        &mut self,
        group_idx: GroupIdx,
        index: usize,
        codec: &Codec<T>,
        value: &T,
    ) -> Result<()> {
        let field = &G::FIELDS[index];
        if (codec.is_absent)(value) {
            return self.reset_entry::<G>(group_idx, index);
        }
        // An entry that cannot be read is replaced whole.
        let stored = self.entries(group_idx).field(field).ok().flatten();
        let json = codec.with_form::<G, _>(field, |form| match &stored {
            Some((_, stored)) => form.text_over(stored, value),
            None => form.new_text(value).map(Some),
        });
        let refused = |invalid: Invalid| {
            let error = invalid.into_refusal().at_group(G::GROUP);
            error.at_field(field.name)
        };
        let Some(json) = json.map_err(refused)? else { return Ok(()) };
        if let Some((name, _)) = stored
            && name != field.name
        {
            self.put_entry(group_idx, name, None)?;
        }
        self.put_entry(group_idx, field.name, Some(json))
    }

    /// Forgets what an entry was set to.
    pub(super) fn reset_entry<G: Group>(
        &mut self,
        group_idx: GroupIdx,
        index: usize,
    ) -> Result<()> {
        let field = &G::FIELDS[index];
        for name in std::iter::once(&field.name).chain(field.aliases) {
            self.put_entry(group_idx, name, None)?;
        }
        Ok(())
    }

    /// Sets or resets an entry to a JSON text.
    pub(super) fn put_entry(
        &mut self,
        group_idx: GroupIdx,
        name: &str,
        json: Option<String>,
    ) -> Result<()> {
        let existed = match self.batch.entry(group_idx, name) {
            Some(op) => op.existed,
            None => self.view.entry(group_idx, name)?.is_some(),
        };
        let json = json.map(String::into_boxed_str);
        self.batch.set_entry(group_idx, RowOp::new(name, json, existed, false, Vec::new()));
        Ok(())
    }
}

/// Changes a row; gives it as it was.
fn changed<R: Row>(row: &mut R, key: &R::Key, change: impl FnOnce(&mut R)) -> Result<Encoded> {
    let refused = |error| refused::<R>(key, Invalid::unencodable(error));
    let before = encode(row).map_err(refused)?;
    change(row);
    refuse_other_key(row, key)?;
    Ok(before)
}

fn refuse_other_key<R: Row>(row: &R, key: &R::Key) -> Result<()> {
    if *row.key() == *key {
        return Ok(());
    }
    Err(at_row::<R>(
        Error::new(ErrorKind::KeyChanged, "the update changed the row's key")
            .at_field(key_names(R::FIELDS, R::KEY_FIELDS))
            .expecting(key.to_text())
            .finding(row.key().to_text())
            .help("to re-key a row, insert the new one and remove the old one"),
        key,
    ))
}

/// Refuses a row that breaks a rule, and is to be stored as this JSON text.
pub(super) fn keeps_rules<R: Row>(row: &R, json: &str) -> Result<()> {
    if R::CHECKS.is_empty() && R::COMPUTED.is_empty() {
        return Ok(());
    }
    // The text has the times that the row gets.
    match R::STAMPS {
        [] => refuse_broken(row, json),
        _ => decode_text::<R>(json).map_or(Ok(()), |row| refuse_broken(&row, json)),
    }
}

/// A row that may have been changed.
fn updated<R: Row>(stored: &str, before: &Encoded, row: R, now: i64) -> Result<Changed<R>> {
    let key = row.key().into_owned();
    let updated = match R::STAMPS {
        [] => {
            let json = Form::of_record().changed_text(stored, Some(before), &row);
            json.map(|json| Changed { row, json })
        }
        _ => stamps::changed(stored, Some(before), &row, now),
    };
    updated.map_err(|invalid| refused::<R>(&key, invalid))
}

/// A row under another key, which `known` has.
pub(super) fn rekeyed<R: Row>(row: &R, key: &R::Key, known: Option<R>) -> Result<R> {
    let text = |row: &R| {
        let encoded = Form::of_record().new_text(row);
        encoded.map_err(|invalid| refused::<R>(&row.key(), invalid))
    };
    let (json, known) = (text(row)?, known.as_ref().map(text).transpose()?.unwrap_or_default());
    let (fields, known) = (Object::parse(&json), Object::parse(&known));
    let (Some(fields), Some(known)) = (fields, known) else {
        let error = Error::new(ErrorKind::InvalidRow, "the row does not name its key");
        return Err(at_row::<R>(error, key));
    };
    let is_key = |field: &str| R::KEY_FIELDS.iter().any(|&place| R::FIELDS[place].name == field);
    let mut renamed = Object::default();
    for (field, value) in fields.iter() {
        let of_key = known.get(field).filter(|_| is_key(field));
        renamed.push(field, of_key.unwrap_or(value));
    }
    let row = decode_text::<R>(&renamed.to_text());
    row.map_err(|invalid| at_row::<R>(invalid.into_error(), key))
}

/// A stored row after a change, as [`Table::update`](crate::Table::update) stores it.
pub(crate) fn write_back<R: Row>(
    stored: &str,
    now: i64,
    change: &mut dyn FnMut(&mut R),
) -> Result<String> {
    let read = || decode_text::<R>(stored).map_err(|row| row.into_error().at_table(R::TABLE));
    let (mut row, unchanged) = (read()?, read()?);
    let before = changed(&mut row, &unchanged.key(), change)?;
    match updated(stored, &before, row, now)? {
        Changed { row, json: Some(json) } => keeps_rules(&row, &json).map(|()| json),
        Changed { json: None, .. } => Ok(stored.to_owned()),
    }
}

pub(super) fn refused<R: Row>(key: &R::Key, invalid: Invalid) -> Error {
    at_row::<R>(invalid.into_refusal(), key)
}

fn at_row<R: Row>(error: Error, key: &R::Key) -> Error {
    error.at_table(R::TABLE).at_key(key.to_text())
}

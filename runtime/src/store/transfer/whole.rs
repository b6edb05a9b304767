//! A whole store as JSON Lines: rows under the names of their tables, entries under those of their groups.

use std::io::{BufRead, Write};
use std::sync::Arc;

use super::lines::Lines;
use super::places::Places;
use super::{Imported, OnExisting, import_row, there_already, unwritten};
use crate::disk::View;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::Form;
use crate::row::{Group, Object, Row};
use crate::store::overlay::Overlay;
use crate::store::read::EntriesOf;
use crate::store::{Kv, Store, Table};

/// A table or group of a store. Implemented for both; do not implement it.
#[doc(hidden)]
pub trait StorePart {
    /// Writes all of it.
    fn export_lines(&self, to: &mut Outgoing<'_>) -> Result<()>;

    /// Reads one line; false if the line is about another part.
    fn import_line(&self, line: &mut Incoming<'_, '_>) -> Result<bool>;
}

/// The output that lines are written to.
#[doc(hidden)]
pub struct Outgoing<'o> {
    view: Arc<View>,
    to: &'o mut (dyn Write + 'o),
    count: usize,
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Outgoing<'_> {
    fn line(&mut self, members: &[(&str, &str)]) -> Result<()> {
        let mut line = Object::default();
        for (name, value) in members {
            line.push(*name, *value);
        }
        let mut text = line.to_text();
        text.push('\n');
        self.count += 1;
        self.to.write_all(text.as_bytes()).map_err(unwritten)
    }
}

/// A line that is read.
#[doc(hidden)]
pub struct Incoming<'i, 't> {
    overlay: &'i mut Overlay<'t>,
    number: usize,
    line: Object<'i>,
    existing: OnExisting,
    imported: &'i mut Imported,
    places: &'i mut Places,
}

impl std::fmt::Debug for Incoming<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Incoming<'_, '_> {
    /// A member that is text.
    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.line.get(name)?).ok()
    }

    /// Returns the member of a name, which the line must have.
    fn member(&self, name: &str) -> Result<String> {
        self.line.get(name).map(ToOwned::to_owned).ok_or_else(|| {
            let what = format!("line {} has nothing under `{name}`", self.number);
            shaped(Error::new(ErrorKind::InvalidRow, what))
        })
    }
}

/// The text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn shaped(error: Error) -> Error {
    error
        .expecting(r#"{"table":"…","row":{…}} or {"group":"…","entry":"…","value":…}"#)
        .help("nothing was imported: correct the line, and import again")
}

impl<R: Row> StorePart for Table<R> {
    fn export_lines(&self, to: &mut Outgoing<'_>) -> Result<()> {
        let (view, name) = (to.view.clone(), quoted(R::TABLE));
        let exported =
            self.export_view(&view, &mut |row| to.line(&[("table", &name), ("row", &row)]));
        exported.map_err(|error| error.at_table(R::TABLE))?;
        Ok(())
    }

    fn import_line(&self, line: &mut Incoming<'_, '_>) -> Result<bool> {
        if line.text("table").as_deref() != Some(R::TABLE) {
            return Ok(false);
        }
        let (number, row) = (line.number, line.member("row")?);
        let place = |_: Option<&str>| format!("line {number}");
        let key = import_row(line.overlay, self, &row, line.existing, &place, line.imported)?;
        if let Some(key) = key {
            line.places.add(R::TABLE, &key, number as u64);
        }
        Ok(true)
    }
}

impl<G: Group> StorePart for Kv<G> {
    fn export_lines(&self, to: &mut Outgoing<'_>) -> Result<()> {
        let view = to.view.clone();
        let entries = EntriesOf { view: &view, batch: None, group_idx: self.group_idx() };
        // An entry that does not decode is refused as a row is.
        entries.group::<G>()?;
        for field in G::FIELDS {
            if let Some((_, value)) = entries.field(field)? {
                let value = value.replace(['\n', '\r'], " ");
                let (group, entry) = (quoted(G::GROUP), quoted(field.name));
                to.line(&[("group", &group), ("entry", &entry), ("value", &value)])?;
            }
        }
        Ok(())
    }

    fn import_line(&self, line: &mut Incoming<'_, '_>) -> Result<bool> {
        if line.text("group").as_deref() != Some(G::GROUP) {
            return Ok(false);
        }
        let value = line.member("value")?;
        let name = line.text("entry").unwrap_or_default();
        let number = line.number;
        let place = |error: Error| error.at_group(G::GROUP).at_field(name.as_str());
        let Some(field) = G::FIELDS.iter().find(|field| field.answers_to(&name)) else {
            let what = format!("line {number} names an entry that the group does not have");
            return Err(place(shaped(Error::new(ErrorKind::InvalidRow, what))));
        };
        let group_idx = self.group_idx();
        let is_there = line.overlay.entries(group_idx).field(field)?.is_some();
        match (is_there, line.existing) {
            (true, OnExisting::Skip) => {
                line.imported.skipped += 1;
                return Ok(true);
            }
            (true, OnExisting::Fail) => {
                let what = format!("line {number} names an entry that is set already");
                return Err(place(there_already(what)));
            }
            (true, OnExisting::Replace) => line.imported.replaced += 1,
            (false, _) => line.imported.inserted += 1,
        }
        for other in field.aliases {
            line.overlay.put_entry(group_idx, other, None)?;
        }
        line.overlay.put_entry(group_idx, field.name, Some(value))?;
        // It must read as its type, and is stored in the one form that its values have.
        let read = line.overlay.entries(group_idx).group::<G>().map_err(|error| {
            let what = format!("line {number} is not the value of an entry");
            let refused = shaped(Error::new(ErrorKind::InvalidRow, what));
            let refused = match (error.expected(), error.found()) {
                (Some(expected), Some(found)) => refused.expecting(expected).finding(found),
                _ => refused,
            };
            place(refused.because(error))
        })?;
        let text =
            Form::of_record().new_text(&read).map_err(|invalid| place(invalid.into_error()))?;
        let stored =
            Object::parse(&text).and_then(|all| all.get(field.name).map(ToOwned::to_owned));
        if stored.is_some() {
            line.overlay.put_entry(group_idx, field.name, stored)?;
        }
        line.places.add(G::GROUP, field.name, number as u64);
        Ok(true)
    }
}

/// Writes everything that a store's struct names.
pub(in crate::store) fn export<S: Store>(store: &S, to: &mut dyn Write) -> Result<usize> {
    let view = store.handle().engine().view();
    let mut to = Outgoing { view, to, count: 0 };
    let mut outcome = Ok(());
    store.parts(&mut |part| {
        if outcome.is_ok() {
            outcome = part.export_lines(&mut to);
        }
    });
    outcome?;
    to.to.flush().map_err(unwritten)?;
    Ok(to.count)
}

/// Reads lines, in one transaction.
pub(in crate::store) fn import<S: Store>(
    store: &S,
    from: &mut dyn BufRead,
    existing: OnExisting,
) -> Result<Imported> {
    let (mut lines, mut places) = (Lines::of(from), Places::default());
    let outcome = store.handle().transaction(|view, batch| {
        let mut overlay = Overlay { view, batch };
        let mut imported = Imported::default();
        while let Some((number, text)) = lines.next()? {
            let Some(line) = Object::parse(text) else {
                let what = format!("line {number} is not a JSON object");
                return Err(shaped(Error::new(ErrorKind::InvalidRow, what)));
            };
            let (overlay, imported, places) = (&mut overlay, &mut imported, &mut places);
            let mut line = Incoming { overlay, number, line, existing, imported, places };
            let mut outcome = Ok(false);
            store.parts(&mut |part| {
                if matches!(outcome, Ok(false)) {
                    outcome = part.import_line(&mut line);
                }
            });
            if !outcome? {
                let what = format!("line {number} is about nothing in this store");
                return Err(shaped(Error::new(ErrorKind::InvalidRow, what)).finding(
                    line.line.get("table").or(line.line.get("group")).unwrap_or("neither"),
                ));
            }
        }
        places.all_read();
        Ok(imported)
    });
    outcome.map_err(|error| places.named(error))
}

//! [`LostEdit`]: what lost against another device's edit or removal.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::entry::Entry;
use super::handle::{Handle, WeakHandle};
use crate::engine::{self, Engine, Subscription, Topic};
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::decode_text;
use crate::row::{Group, Key, Row};

/// An edit that lost: two devices wrote one row or entry without knowing of each other, and another edit
/// stands; or a removal that did not know the edit displaced it.
///
/// Listed by [`Store::lost_edits`](crate::Store::lost_edits) and given to
/// [`Store::on_conflict`](crate::Store::on_conflict). It is kept on this device, until it is
/// [taken](Self::take) or [dismissed](Self::dismiss); other devices have lists of their own.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Note { #[key] name: String, text: String }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// # fn exchange(a: &App, b: &App) -> heirloom::Result<()> {
/// #     b.apply(&a.changes_since(&b.summary()?)?)?;
/// #     a.apply(&b.changes_since(&a.summary()?)?)?;
/// #     Ok(())
/// # }
/// # let (laptop, phone) = (App::in_memory()?, App::in_memory()?);
/// laptop.notes.put(&Note { name: "shop".into(), text: "milk".into() })?;
/// phone.notes.put(&Note { name: "shop".into(), text: "bread".into() })?;
/// exchange(&phone, &laptop)?;
///
/// for lost in laptop.lost_edits()? {
///     assert_eq!((lost.table(), lost.key()), ("note", "shop"));
///     let text = lost.loser_as::<Note>()?.text;
///     laptop.notes.update("shop", |note| note.text += &format!(", {text}"))?;
///     lost.dismiss()?;
/// }
/// # let text = laptop.notes.get("shop")?.unwrap().text;
/// # assert!(text == "milk, bread" || text == "bread, milk");
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct LostEdit {
    // A strong one would keep the store open.
    handle: WeakHandle,
    lost: engine::LostEdit,
}

impl fmt::Debug for LostEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LostEdit")
            .field("table", &self.table())
            .field("key", &self.key())
            .field("winner", &self.winner())
            .field("loser", &self.loser())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for LostEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_entry() { "group" } else { "table" };
        write!(
            f,
            "{kind} `{}`, key `{}`: {} stands, {} was lost",
            self.table(),
            self.key(),
            self.winner(),
            self.loser()
        )
    }
}

impl LostEdit {
    /// Returns the name of the table; of an entry, that of its kv group.
    pub fn table(&self) -> &str {
        let root = &self.lost.key.at.root;
        root.split_once(':').map_or(root.as_str(), |(_, name)| name)
    }

    /// Whether it is an edit of an entry of a kv group, not of a row.
    pub fn is_entry(&self) -> bool {
        self.lost.key.at.root.starts_with("kv:")
    }

    /// Returns the text of the row's key, or the stored name of the entry.
    pub fn key(&self) -> &str {
        &self.lost.key.at.key
    }

    /// Returns the key of the row, if that is in the table of `R`.
    pub fn key_of<R: Row>(&self) -> Option<R::Key> {
        if !self.is_of::<R>() {
            return None;
        }
        R::Key::from_text(self.key()).ok()
    }

    /// Returns the JSON that stands under the key; `null` if nothing does.
    ///
    /// It is what stood there when the list was made, or when the callback was called.
    pub fn winner(&self) -> &str {
        self.lost.winner.as_ref().map_or("null", |(_, json)| json)
    }

    /// Returns the JSON that was lost.
    pub fn loser(&self) -> &str {
        &self.lost.value.json
    }

    /// Returns the row that was lost, with the defaults of fields that it lacks.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if it is an edit of another table, or does not
    /// decode.
    pub fn loser_as<R: Row>(&self) -> Result<R> {
        self.row(self.loser())
    }

    /// Returns the row that stands in its place, as it was when the list was made; `None` if nothing does.
    ///
    /// # Errors
    ///
    /// The errors of [`loser_as`](Self::loser_as).
    pub fn winner_as<R: Row>(&self) -> Result<Option<R>> {
        self.lost.winner.as_ref().map(|(_, json)| self.row(json)).transpose()
    }

    fn row<R: Row>(&self, json: &str) -> Result<R> {
        if !self.is_of::<R>() {
            return Err(Error::new(ErrorKind::InvalidRow, "the lost edit is of another table")
                .at_table(R::TABLE)
                .at_key(self.key())
                .expecting(format!("an edit of `{}`", R::TABLE))
                .finding(format!("one of `{}`", self.table()))
                .help("ask `table` first, or read `loser`"));
        }
        decode_text::<R>(json)
            .map_err(|invalid| invalid.into_error().at_table(R::TABLE).at_key(self.key()))
    }

    fn is_of<R: Row>(&self) -> bool {
        !self.is_entry() && self.table() == R::TABLE
    }

    /// Returns the value of an entry that was lost.
    ///
    /// ```
    /// # use heirloom::{Kv, Store};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Kv)]
    /// # #[kv(name = "settings")]
    /// # struct Settings { #[evolve(default = "en")] language: String }
    /// # #[derive(Store)]
    /// # struct App { settings: Kv<Settings> }
    /// # let (laptop, phone) = (App::in_memory()?, App::in_memory()?);
    /// laptop.settings.language.set("fr")?;
    /// phone.settings.language.set("de")?;
    /// laptop.apply(&phone.changes_since(&laptop.summary()?)?)?;
    ///
    /// let language = &laptop.settings.language;
    /// let lost = laptop.lost_edits()?.remove(0).loser_of(language)?;
    /// # let won = language.get()?;
    /// # assert!([lost, won] == ["fr", "de"] || laptop.settings.language.get()? == "fr");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if it is an edit of another entry or of a row, or does
    /// not decode.
    pub fn loser_of<G: Group, T: 'static>(&self, entry: &Entry<G, T>) -> Result<T> {
        let field = &G::FIELDS[entry.index];
        let is_its = self.is_entry() && self.table() == G::GROUP && field.answers_to(self.key());
        let placed = |error: Error| error.at_group(G::GROUP).at_field(field.name);
        if !is_its {
            let error = Error::new(ErrorKind::InvalidRow, "the lost edit is of something else");
            return Err(placed(error)
                .expecting(format!("an edit of `{}` of `{}`", field.name, G::GROUP))
                .finding(format!("one of `{}` of `{}`", self.key(), self.table()))
                .help("ask `table` and `key` first, or read `loser`"));
        }
        (entry.codec.decode)(self.loser()).map_err(|error| {
            placed(Error::new(ErrorKind::InvalidRow, error.to_string()).finding(self.loser()))
        })
    }

    /// Returns the id of the device that wrote the lost edit.
    pub fn device(&self) -> u64 {
        self.lost.key.id.client
    }

    /// Returns the id of the device that wrote what stands; `None` if nothing does.
    pub fn winner_device(&self) -> Option<u64> {
        self.lost.winner.as_ref().map(|(device, _)| *device)
    }

    /// Returns when the loss was noticed on this device.
    pub fn noticed_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.lost.value.at)
    }

    /// Writes the lost edit in the place of what stands, as a new edit of this device, and takes it off
    /// the list.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) if it is not on the list any more;
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if it was written in an earlier epoch;
    /// [`Closed`](crate::ErrorKind::Closed) if the store was closed.
    pub fn take(&self) -> Result<()> {
        self.decide(Engine::take_lost)
    }

    /// Takes the lost edit off the list; what stands stays.
    ///
    /// If it is an edit of this device, it is not written again should the row be removed by a device
    /// that did not know of it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) if it is not on the list any more;
    /// [`Closed`](crate::ErrorKind::Closed) if the store was closed.
    pub fn dismiss(&self) -> Result<()> {
        self.decide(Engine::dismiss_lost)
    }

    fn decide(&self, decide: fn(&Engine, &engine::LostEdit) -> Result<()>) -> Result<()> {
        let handle = self.handle.upgrade().ok_or_else(|| {
            Error::new(ErrorKind::Closed, "the store was closed")
                .help("keep the store open while deciding on its lost edits")
        })?;
        let decided = decide(handle.engine(), &self.lost);
        handle.maintain();
        decided.map_err(|error| handle.placed(error))
    }
}

pub(super) fn lost_edits(handle: &Handle) -> Result<Vec<LostEdit>> {
    let lost = handle.engine().lost_edits().map_err(|error| handle.placed(error))?;
    Ok(lost.into_iter().map(|lost| LostEdit { handle: handle.downgrade(), lost }).collect())
}

pub(super) fn on_conflict(
    handle: &Handle,
    mut callback: impl FnMut(&LostEdit) + Send + 'static,
) -> Subscription {
    let weak = handle.downgrade();
    let told = move |_, changes: &[engine::Change]| {
        for change in changes {
            let json = change.json.as_deref();
            if let Some(lost) = json.and_then(|json| serde_json::from_str(json).ok()) {
                callback(&LostEdit { handle: weak.clone(), lost });
            }
        }
    };
    handle.engine().hub.subscribe(Topic::LostEdits, Box::new(told))
}

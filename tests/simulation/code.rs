//! What each version of the code reads and writes, by register: a place that holds one edit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use heirloom::__private::{IdSource, StorageHook};
use heirloom::migration::Quarantined;
use heirloom::sync::{Changes, Summary};
use heirloom::{Id, Store};
use uuid::Uuid;

use super::stores::{edit_in, is_done, state_of, text_of, v0, v0b, v1, v2};

/// A place that holds one edit, whatever it is called in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    Note(u32),
    Tag(u32),
    Person(u32),
    Language,
    Volume,
    /// What a `migrate` function made of a note.
    Detail(u32),
    /// A field of a card, whose table merges by field.
    Title(u32),
    /// The other field of a card.
    Color(u32),
    /// The counter of a card: it holds all edits at once.
    Views(u32),
    /// The set of a card: it holds all edits at once.
    Marks(u32),
    /// A card as a whole.
    Card(u32),
}

impl Register {
    /// The card that it is, or is a field of.
    pub fn card(self) -> Option<u32> {
        match self {
            Self::Title(card)
            | Self::Color(card)
            | Self::Views(card)
            | Self::Marks(card)
            | Self::Card(card) => Some(card),
            _ => None,
        }
    }

    /// The registers that hold the edit that was last, if one was made here.
    pub fn shown(self) -> Vec<Self> {
        match self {
            Self::Card(card) => vec![Self::Title(card), Self::Color(card)],
            _ => vec![self],
        }
    }
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Put,
    Update,
    Remove,
    /// Inserts a card that begins with its own count and mark.
    Insert,
    /// Writes a card whole, which begins anew.
    Replace,
    /// Writes a card whole, with the count and the marks that it has.
    Keep,
}

/// The registers that code of epoch 0 and 1 has.
pub const REGISTERS: [Register; 8] = [
    Register::Note(0),
    Register::Note(1),
    Register::Note(2),
    Register::Tag(0),
    Register::Tag(1),
    Register::Person(0),
    Register::Language,
    Register::Volume,
];

/// The fields of cards.
pub const FIELDS: [Register; 4] =
    [Register::Title(0), Register::Color(0), Register::Title(1), Register::Color(1)];

/// What a card counts and collects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    pub views: i64,
    pub marks: BTreeSet<u32>,
}

impl Collected {
    /// The edits that it has.
    pub fn edits(&self) -> Vec<u32> {
        let counted = (0..62).filter(|edit| self.views & amount_of(*edit) != 0);
        counted.chain(self.marks.iter().copied()).collect()
    }
}

/// What an edit adds to a counter, so that the sum tells which edits are in it.
pub fn amount_of(edit: u32) -> i64 {
    1 << (edit % 62)
}

/// The versions of the code, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    V0,
    V0b,
    V1,
    V2,
}

impl Code {
    pub const ALL: [Self; 4] = [Self::V0, Self::V0b, Self::V1, Self::V2];

    pub fn epoch(self) -> u32 {
        match self {
            Self::V0 | Self::V0b => 0,
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// Opens the file, or a store in memory.
    pub fn open(
        self,
        path: Option<&Path>,
        hook: StorageHook,
        ids: IdSource,
    ) -> heirloom::Result<Box<dyn Replica>> {
        fn open<S: Replica + Store + 'static>(
            path: Option<&Path>,
            hook: StorageHook,
            ids: IdSource,
        ) -> heirloom::Result<Box<dyn Replica>> {
            let builder = S::builder().storage_hook(hook).id_source(ids);
            Ok(Box::new(match path {
                Some(path) => builder.open(path)?,
                None => builder.in_memory()?,
            }))
        }
        match self {
            Self::V0 => open::<v0::App>(path, hook, ids),
            Self::V0b => open::<v0b::App>(path, hook, ids),
            Self::V1 => open::<v1::App>(path, hook, ids),
            Self::V2 => open::<v2::App>(path, hook, ids),
        }
    }

    /// What is wrong with a closed file.
    pub fn check(self, path: &Path) -> Result<(), String> {
        let report = match self {
            Self::V0 => v0::App::check(path),
            Self::V0b => v0b::App::check(path),
            Self::V1 => v1::App::check(path),
            Self::V2 => v2::App::check(path),
        };
        let report = report.map_err(|error| format!("check fails: {error}"))?;
        if report.is_ok() { Ok(()) } else { Err(format!("check finds: {report}")) }
    }
}

/// What is in quarantine, as text that two copies can be compared by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    pub place: String,
    pub key: String,
    pub ours: Option<String>,
    pub theirs: String,
    pub reason: String,
}

impl Kept {
    fn of(kept: &Quarantined) -> Self {
        let place = kept.table().or(kept.group()).unwrap_or_default().to_owned();
        let (key, ours) = (kept.key().to_owned(), kept.ours().map(str::to_owned));
        let (theirs, reason) = (kept.theirs().to_owned(), kept.reason().to_owned());
        Self { place, key, ours, theirs, reason }
    }

    /// The edits that are in the count and the marks of a card.
    pub fn collected(&self) -> Vec<u32> {
        if self.place == "cards" { lost_of(&self.theirs, "null") } else { Vec::new() }
    }

    /// Whether the value of an edit is here.
    pub fn holds(&self, edit: u32) -> bool {
        let text = text_of(edit);
        let holds = |json: &str| match serde_json::from_str::<serde_json::Value>(json) {
            Ok(serde_json::Value::Object(row)) => {
                row.values().any(|value| value.as_str() == Some(&text))
            }
            Ok(serde_json::Value::String(value)) => value == text,
            Ok(serde_json::Value::Number(value)) => value.as_u64() == Some(u64::from(edit)),
            _ => false,
        };
        holds(&self.theirs) || self.ours.as_deref().is_some_and(holds)
    }
}

/// A store of whatever version.
pub trait Replica {
    /// Inserts a card whose fields hold nothing.
    fn insert_card(&self, id: u32) -> heirloom::Result<()>;
    /// What each card counts and collects.
    fn collected(&self) -> Result<BTreeMap<u32, Collected>, String>;
    /// What stands in every register that holds something; an error where something makes no sense.
    fn read(&self) -> Result<BTreeMap<Register, u32>, String>;
    /// Writes an edit; tells whether there was something to write to.
    fn write(&self, write: Write, register: Register, edit: u32) -> heirloom::Result<bool> {
        match (write, register) {
            (Write::Put, _) => self.put(register, edit),
            (Write::Update, _) => self.update(register, edit),
            (Write::Insert | Write::Replace | Write::Keep, Register::Card(id)) => {
                self.write_card(write, id, edit)
            }
            (Write::Remove, _) => self.remove(register),
            _ => Ok(false),
        }
    }
    fn write_card(&self, write: Write, id: u32, edit: u32) -> heirloom::Result<bool>;
    fn put(&self, register: Register, edit: u32) -> heirloom::Result<bool>;
    /// Changes what stands there, if something does.
    fn update(&self, register: Register, edit: u32) -> heirloom::Result<bool>;
    fn remove(&self, register: Register) -> heirloom::Result<bool>;
    fn summary(&self) -> heirloom::Result<Summary>;
    fn changes_since(&self, theirs: &Summary) -> heirloom::Result<Changes>;
    fn apply(&self, changes: &Changes) -> heirloom::Result<()>;
    fn quarantine(&self) -> heirloom::Result<Vec<Kept>>;
    /// The edits that are in what has lost.
    fn lost(&self) -> heirloom::Result<Vec<u32>>;
    /// The epoch and the generation of the current document, as its name begins.
    fn current(&self) -> heirloom::Result<String>;
    fn compact(&self) -> heirloom::Result<()>;
    fn prune(&self) -> heirloom::Result<()>;
    /// What is left to do for the store itself.
    fn unfinished(&self) -> heirloom::Result<Option<String>>;
}

/// The edits that are in a row, and not in the one that stands in its place.
fn lost_of(loser: &str, winner: &str) -> Vec<u32> {
    let row = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap_or_default();
    let (loser, winner) = (row(loser), row(winner));
    let mut edits: Vec<u32> =
        loser.as_u64().and_then(|edit| edit.try_into().ok()).into_iter().collect();
    edits.extend(loser.as_str().and_then(edit_in));
    let Some(fields) = loser.as_object() else { return edits };
    for (name, value) in fields.iter().filter(|(name, value)| winner.get(name) != Some(value)) {
        edits.extend(value.as_str().and_then(edit_in));
        let other = winner.get(name);
        let views = |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_i64);
        let missing = views(Some(value)).filter(|_| name == "views").unwrap_or_default()
            & !views(other).unwrap_or_default();
        edits.extend((0..62).filter(|edit| missing & amount_of(*edit) != 0));
        let marks = |value: Option<&serde_json::Value>| -> Vec<u32> {
            let marks = value.and_then(serde_json::Value::as_array).into_iter().flatten();
            marks.filter_map(|mark| edit_in(mark.as_str()?)).collect()
        };
        let stand = marks(other);
        edits.extend(marks(Some(value)).into_iter().filter(|mark| !stand.contains(mark)));
    }
    edits
}

fn tag_id<T>(number: u32) -> Id<T> {
    Id::from_uuid(Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0000 | u128::from(number)))
}

fn number_of<T>(id: Id<T>) -> u32 {
    id.uuid().as_u128() as u32
}

/// The edit that has written a row, where the row is as that edit writes it.
fn sensible(text: &str, is_right: impl Fn(u32) -> bool) -> Result<u32, String> {
    let edit = edit_in(text).filter(|edit| is_right(*edit));
    edit.ok_or_else(|| format!("a row is not as any edit has written it: {text}"))
}

fn rows<R: heirloom::Row>(table: &heirloom::Table<R>) -> Result<Vec<R>, String> {
    let rows = table.iter().map_err(|error| error.to_string())?;
    rows.collect::<heirloom::Result<_>>().map_err(|error| format!("a row does not decode: {error}"))
}

macro_rules! table_methods {
    ($labels:ident, $language:ident, $note:expr, $label:expr, $person:expr, $edit_of:expr) => {
        fn read(&self) -> Result<BTreeMap<Register, u32>, String> {
            let mut found = BTreeMap::new();
            let edit_of = $edit_of;
            for note in rows(&self.notes)? {
                found.insert(Register::Note(note.id), edit_of(&note)?);
            }
            for tag in rows(&self.$labels)? {
                let edit = sensible(&tag.name, |_| true)?;
                found.insert(Register::Tag(number_of(tag.id)), edit);
            }
            for person in rows(&self.people)? {
                let number = person.id.parse().map_err(|_| "a person without a number")?;
                found.insert(Register::Person(number), sensible(&person.name, |_| true)?);
            }
            let settings = self.settings.get().map_err(|error| error.to_string())?;
            if settings.$language != "none" {
                found.insert(Register::Language, sensible(&settings.$language, |_| true)?);
            }
            if settings.volume != 0 {
                let volume = u32::try_from(settings.volume).map_err(|error| error.to_string())?;
                found.insert(Register::Volume, volume);
            }
            self.read_details(&mut found)?;
            self.read_cards(&mut found)?;
            Ok(found)
        }

        fn insert_card(&self, id: u32) -> heirloom::Result<()> {
            Cards::insert_card(self, id)
        }

        fn write_card(&self, write: Write, id: u32, edit: u32) -> heirloom::Result<bool> {
            Cards::write_card(self, write, id, edit)
        }

        fn collected(&self) -> Result<BTreeMap<u32, Collected>, String> {
            let cards = rows(&self.cards)?.into_iter().map(|card| {
                let marks = card.marks.iter().map(|mark| sensible(mark, |_| true));
                let marks = marks.collect::<Result<_, _>>()?;
                Ok((card.id, Collected { views: card.views, marks }))
            });
            cards.collect()
        }

        fn put(&self, register: Register, edit: u32) -> heirloom::Result<bool> {
            let text = text_of(edit);
            match register {
                Register::Note(id) => self.notes.put(&$note(id, edit))?,
                Register::Tag(number) => self.$labels.put(&$label(tag_id(number), text))?,
                Register::Person(number) => self.people.put(&$person(number.to_string(), text))?,
                Register::Language => self.settings.$language.set(&text)?,
                Register::Volume => {
                    let mut settings = self.settings.get()?;
                    settings.volume = edit.into();
                    self.settings.volume.set(&settings.volume)?;
                }
                Register::Detail(_) => return self.update(register, edit),
                Register::Title(_)
                | Register::Color(_)
                | Register::Views(_)
                | Register::Marks(_)
                | Register::Card(_) => return self.update(register, edit),
            }
            Ok(true)
        }

        fn update(&self, register: Register, edit: u32) -> heirloom::Result<bool> {
            let text = text_of(edit);
            let updated = match register {
                Register::Note(id) => {
                    self.notes.update(&id, |note| *note = $note(id, edit))?.is_some()
                }
                Register::Tag(number) => {
                    self.$labels.update(&tag_id(number), |tag| tag.name = text)?.is_some()
                }
                Register::Person(number) => {
                    let id = number.to_string();
                    self.people.update(&id, |person| person.name = text)?.is_some()
                }
                Register::Detail(note) => self.update_detail(note, edit)?,
                Register::Title(id)
                | Register::Color(id)
                | Register::Views(id)
                | Register::Marks(id) => self.update_card(id, register, edit)?,
                Register::Card(_) => false,
                entry => self.put(entry, edit)?,
            };
            Ok(updated)
        }

        fn remove(&self, register: Register) -> heirloom::Result<bool> {
            match register {
                Register::Note(id) => self.notes.remove(&id),
                Register::Tag(number) => self.$labels.remove(&tag_id(number)),
                Register::Person(number) => self.people.remove(&number.to_string()),
                Register::Language => self.settings.$language.reset().map(|_| true),
                Register::Volume => self.settings.volume.reset().map(|_| true),
                Register::Detail(note) => self.remove_detail(note),
                Register::Card(id) => self.cards.remove(&id),
                // Fields are not removed.
                Register::Title(_)
                | Register::Color(_)
                | Register::Views(_)
                | Register::Marks(_) => Ok(false),
            }
        }

        fn summary(&self) -> heirloom::Result<Summary> {
            Store::summary(self)
        }

        fn changes_since(&self, theirs: &Summary) -> heirloom::Result<Changes> {
            Store::changes_since(self, theirs)
        }

        fn apply(&self, changes: &Changes) -> heirloom::Result<()> {
            Store::apply(self, changes).map(drop)
        }

        fn quarantine(&self) -> heirloom::Result<Vec<Kept>> {
            let kept = Store::quarantine(self)?;
            let mut kept: Vec<Kept> = kept.iter().map(Kept::of).collect();
            kept.sort();
            Ok(kept)
        }

        fn lost(&self) -> heirloom::Result<Vec<u32>> {
            let lost = Store::lost_edits(self)?;
            Ok(lost.iter().flat_map(|lost| lost_of(lost.loser(), lost.winner())).collect())
        }

        fn current(&self) -> heirloom::Result<String> {
            let status = Store::status(self)?;
            Ok(format!("{}.{}", status.epoch(), status.generation()))
        }

        fn compact(&self) -> heirloom::Result<()> {
            Store::compact_history(self)
        }

        fn prune(&self) -> heirloom::Result<()> {
            Store::prune_epochs(self).map(drop)
        }

        fn unfinished(&self) -> heirloom::Result<Option<String>> {
            let status = Store::status(self)?;
            let (pending, missing) = (status.uncarried_documents(), status.missing_documents());
            // What was given up before anybody else had it stays missing.
            let is_done = pending == 0;
            Ok((!is_done).then(|| format!("{pending} documents to carry, missing {missing:?}")))
        }
    };
}

impl Replica for v0::App {
    table_methods!(
        tags,
        ui_language,
        |id, edit| {
            let legacy = Some("old".to_owned());
            v0::Note { id, text: text_of(edit), done: is_done(edit), legacy }
        },
        |id, name| v0::Tag { id, name },
        |id, name| v0::Person { id, name },
        |note: &v0::Note| sensible(&note.text, |edit| is_done(edit) == note.done)
    );
}

impl Replica for v0b::App {
    table_methods!(
        tags,
        ui_language,
        |id, edit| {
            let (text, done) = (text_of(edit), is_done(edit));
            v0b::Note { id, text, done, legacy: None, stars: edit }
        },
        |id, name| v0b::Tag { id, name },
        |id, name| v0b::Person { id, name },
        |note: &v0b::Note| sensible(&note.text, |edit| is_done(edit) == note.done)
    );
}

impl Replica for v1::App {
    table_methods!(
        labels,
        language,
        |id, edit| v1::Note { id, title: text_of(edit), state: state_of(edit) },
        |id, name| v1::Label { id, name },
        |id, name| v1::Person { id, name },
        |note: &v1::Note| sensible(&note.title, |edit| state_of(edit) == note.state)
    );
}

impl Replica for v2::App {
    table_methods!(
        labels,
        language,
        |id, edit| v2::Note { id, title: text_of(edit) },
        |id, name| v2::Label { id, name },
        |id, name| v2::Person { id, name },
        |note: &v2::Note| sensible(&note.title, |_| true)
    );
}

/// Cards, whose fields have other names in each epoch.
trait Cards {
    fn read_cards(&self, found: &mut BTreeMap<Register, u32>) -> Result<(), String>;
    fn insert_card(&self, id: u32) -> heirloom::Result<()>;
    fn write_card(&self, write: Write, id: u32, edit: u32) -> heirloom::Result<bool>;
    fn update_card(&self, id: u32, register: Register, edit: u32) -> heirloom::Result<bool>;
}

/// The text of a field that nothing was written to.
const EMPTY: &str = "none";

macro_rules! cards {
    ($($version:ident: $color:ident),+) => {
        $(impl Cards for $version::App {
            fn read_cards(&self, found: &mut BTreeMap<Register, u32>) -> Result<(), String> {
                for card in rows(&self.cards)? {
                    let fields = [
                        (Register::Title(card.id), card.title),
                        (Register::Color(card.id), card.$color),
                    ];
                    for (register, text) in fields.into_iter().filter(|(_, text)| text != EMPTY) {
                        found.insert(register, sensible(&text, |_| true)?);
                    }
                }
                Ok(())
            }

            fn insert_card(&self, id: u32) -> heirloom::Result<()> {
                let (title, $color) = (EMPTY.to_owned(), EMPTY.to_owned());
                let marks = BTreeSet::new();
                self.cards.insert(&$version::Card { id, title, $color, views: 0, marks })
            }

            fn write_card(&self, write: Write, id: u32, edit: u32) -> heirloom::Result<bool> {
                let (title, $color) = (text_of(edit), text_of(edit));
                let (views, marks) = (amount_of(edit), BTreeSet::from([text_of(edit)]));
                let new = $version::Card { id, title, $color, views, marks };
                match (write, self.cards.get(&id)?) {
                    (Write::Insert, _) => self.cards.insert(&new)?,
                    (Write::Keep, Some(card)) => {
                        let (views, marks) = (card.views, card.marks);
                        self.cards.put(&$version::Card { views, marks, ..new })?;
                    }
                    _ => self.cards.put(&new)?,
                }
                Ok(true)
            }

            fn update_card(
                &self,
                id: u32,
                register: Register,
                edit: u32,
            ) -> heirloom::Result<bool> {
                let text = text_of(edit);
                let updated = self.cards.update(&id, |card| match register {
                    Register::Title(_) => card.title = text,
                    Register::Views(_) => card.views += amount_of(edit),
                    Register::Marks(_) => drop(card.marks.insert(text)),
                    _ => card.$color = text,
                });
                updated.map(|card| card.is_some())
            }
        })+
    };
}

cards!(v0: color, v0b: color, v1: tint, v2: tint);

/// Details are there only in the newest epoch.
trait Details {
    fn read_details(&self, _: &mut BTreeMap<Register, u32>) -> Result<(), String> {
        Ok(())
    }
    fn update_detail(&self, _: u32, _: u32) -> heirloom::Result<bool> {
        Ok(false)
    }
    fn remove_detail(&self, _: u32) -> heirloom::Result<bool> {
        Ok(false)
    }
}

impl Details for v0::App {}
impl Details for v0b::App {}
impl Details for v1::App {}

impl Details for v2::App {
    fn read_details(&self, found: &mut BTreeMap<Register, u32>) -> Result<(), String> {
        for detail in rows(&self.details)? {
            let edit = sensible(&detail.text, |edit| state_of(edit) == detail.state)?;
            if found.insert(Register::Detail(detail.note), edit).is_some() {
                return Err(format!("note {} has two details", detail.note));
            }
        }
        Ok(())
    }

    fn update_detail(&self, note: u32, edit: u32) -> heirloom::Result<bool> {
        let Some(id) = detail_of(self, note)? else { return Ok(false) };
        let updated = self.details.update(&id, |detail| {
            (detail.text, detail.state) = (text_of(edit), state_of(edit));
        });
        updated.map(|detail| detail.is_some())
    }

    fn remove_detail(&self, note: u32) -> heirloom::Result<bool> {
        match detail_of(self, note)? {
            Some(id) => self.details.remove(&id),
            None => Ok(false),
        }
    }
}

fn detail_of(app: &v2::App, note: u32) -> heirloom::Result<Option<Id<v2::Detail>>> {
    for detail in app.details.iter()? {
        let detail = detail?;
        if detail.note == note {
            return Ok(Some(detail.id));
        }
    }
    Ok(None)
}

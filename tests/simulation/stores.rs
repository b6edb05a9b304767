//! The store that is simulated, in three epochs, and in two versions of the first.
//!
//! Every value is made of the number of the edit that wrote it, so that a row tells which edit it
//! holds, and whether it was converted as it should have been.

pub mod v0 {
    use std::collections::BTreeSet;

    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub text: String,
        pub done: bool,
        pub legacy: Option<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        pub id: Id<Tag>,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people")]
    pub struct Person {
        #[key]
        pub id: String,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "cards", merge = "fields")]
    pub struct Card {
        #[key]
        pub id: u32,
        pub title: String,
        pub color: String,
        #[merge(sum)]
        pub views: i64,
        #[merge(union)]
        pub marks: BTreeSet<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "none")]
        pub ui_language: String,
        #[evolve(default)]
        pub volume: u32,
    }

    #[derive(Debug, Store)]
    #[store(name = "simulated")]
    pub struct App {
        pub notes: Table<Note>,
        pub tags: Table<Tag>,
        pub people: Table<Person>,
        pub cards: Table<Card>,
        pub settings: Kv<Settings>,
    }
}

/// Newer code of epoch 0: it has one more field, and one more entry.
pub mod v0b {
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub use super::v0::{Card, Person, Tag};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub text: String,
        pub done: bool,
        pub legacy: Option<String>,
        #[evolve(default)]
        pub stars: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "none")]
        pub ui_language: String,
        #[evolve(default)]
        pub volume: u32,
        pub color: Option<String>,
    }

    #[derive(Debug, Store)]
    #[store(name = "simulated")]
    pub struct App {
        pub notes: Table<Note>,
        pub tags: Table<Tag>,
        pub people: Table<Person>,
        pub cards: Table<Card>,
        pub settings: Kv<Settings>,
    }
}

/// A field is renamed, one is computed, one is removed; a table is renamed, and its ids with it; not
/// every person can be converted; entries are renamed and widened.
pub mod v1 {
    use std::collections::BTreeSet;

    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::{edit_in, v0};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v0::Note, removes(legacy))]
    pub struct Note {
        #[key]
        pub id: u32,
        #[evolve(renamed_from = "text")]
        pub title: String,
        #[evolve(with = |done| if done { "done".to_owned() } else { "open".to_owned() })]
        pub state: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "labels", previous = v0::Tag)]
    pub struct Label {
        pub id: Id<Label>,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people", previous = v0::Person, try_from)]
    pub struct Person {
        #[key]
        pub id: String,
        pub name: String,
    }

    impl TryFrom<v0::Person> for Person {
        type Error = String;

        fn try_from(person: v0::Person) -> Result<Self, String> {
            match edit_in(&person.name) {
                Some(edit) if edit.is_multiple_of(5) => Err(format!("{} is nobody", person.name)),
                _ => Ok(Self { id: person.id, name: person.name }),
            }
        }
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "cards", merge = "fields", previous = v0::Card)]
    pub struct Card {
        #[key]
        pub id: u32,
        pub title: String,
        #[evolve(renamed_from = "color")]
        pub tint: String,
        #[merge(sum)]
        pub views: i64,
        #[merge(union)]
        pub marks: BTreeSet<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings", previous = v0::Settings)]
    pub struct Settings {
        #[evolve(default = "none", renamed_from = "ui_language")]
        pub language: String,
        #[evolve(default)]
        pub volume: u64,
    }

    #[derive(Debug, Store)]
    #[store(name = "simulated", epoch = 1, previous = v0::App)]
    pub struct App {
        pub notes: Table<Note>,
        pub labels: Table<Label>,
        pub people: Table<Person>,
        pub cards: Table<Card>,
        pub settings: Kv<Settings>,
    }
}

/// The state of a note moves into a table of its own.
pub mod v2 {
    use heirloom::migration::Migration;
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::v1;
    pub use super::v1::{Card, Label, Person, Settings};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v1::Note, removes(state))]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "details")]
    pub struct Detail {
        pub id: Id<Detail>,
        pub note: u32,
        pub text: String,
        pub state: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "simulated", epoch = 2, previous = v1::App, migrate = split)]
    pub struct App {
        pub notes: Table<Note>,
        pub labels: Table<Label>,
        pub people: Table<Person>,
        pub cards: Table<Card>,
        pub details: Table<Detail>,
        pub settings: Kv<Settings>,
    }

    fn split(m: &mut Migration<v1::App, App>) -> heirloom::Result<()> {
        let notes: Vec<v1::Note> = m.old().iter::<v1::Note>()?.collect::<heirloom::Result<_>>()?;
        for note in notes {
            let id = m.id_for::<Detail>("detail", &note.id);
            let v1::Note { id: note, title: text, state } = note;
            m.put(&Detail { id, note, text, state })?;
        }
        Ok(())
    }
}

/// The text that an edit writes.
pub fn text_of(edit: u32) -> String {
    format!("e{edit}")
}

/// The edit that has written a text.
pub fn edit_in(text: &str) -> Option<u32> {
    text.strip_prefix('e')?.parse().ok()
}

pub fn is_done(edit: u32) -> bool {
    edit.is_multiple_of(2)
}

pub fn state_of(edit: u32) -> String {
    if is_done(edit) { "done".to_owned() } else { "open".to_owned() }
}

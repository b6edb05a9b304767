//! A store in a package that depends on heirloom, serde and schemars, and on nothing else: what
//! generated code names beyond them would not be found here.

#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use heirloom::{Id, Key, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    /// Its id.
    pub id: Id<Note>,
    /// Its text.
    pub text: String,
    /// How important it is.
    #[evolve(default = 1)]
    pub weight: u8,
    /// How long it is.
    #[evolve(default = |text| text.len())]
    pub length: usize,
}

/// The name of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
pub struct TagName(pub String);

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
pub struct Tag {
    /// Its name.
    #[key]
    pub name: TagName,
}

/// A draft.
///
/// How its kind compares cannot be told, which no query asks: the library builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
pub struct Draft {
    /// Its id.
    pub id: Id<Draft>,
    /// The kind of note that it becomes.
    pub kind: Open<DraftKind>,
}

/// A kind of note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum DraftKind {
    /// A list.
    List,
    /// Any text.
    Text,
}

/// The settings of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
pub struct Settings {
    /// The language.
    #[evolve(default = "en")]
    pub language: String,
    /// The theme, if one was chosen.
    pub theme: Option<String>,
}

/// The store.
#[derive(Debug, Store)]
#[store(name = "minimal", epoch = 0, history = "schema/minimal.json")]
pub struct Minimal {
    /// The notes.
    pub notes: Table<Note>,
    /// The tags.
    pub tags: Table<Tag>,
    /// The settings.
    pub settings: Kv<Settings>,
}

/// The next epoch.
pub mod next {
    use heirloom::migration::Migration;
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// A note.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = super::Note, removes(weight))]
    pub struct Note {
        /// Its id.
        pub id: Id<Note>,
        /// Its title.
        #[evolve(renamed_from = "text")]
        pub title: String,
        /// Whether it says anything.
        #[evolve(with = |length, text| length > 0 && !text.is_empty())]
        pub says: bool,
        /// How often it was read.
        #[evolve(default)]
        pub reads: u32,
        /// How long it is.
        #[evolve(default = |title| title.len())]
        pub len: usize,
    }

    /// The settings of the user.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings", previous = super::Settings, try_from)]
    pub struct Settings {
        /// The language.
        #[evolve(default = "en")]
        pub language: String,
    }

    impl TryFrom<super::Settings> for Settings {
        type Error = std::fmt::Error;

        fn try_from(previous: super::Settings) -> Result<Self, std::fmt::Error> {
            Ok(Self { language: previous.language })
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it may fail")]
    fn cross(_: &mut Migration<super::Minimal, Minimal>) -> heirloom::Result<()> {
        Ok(())
    }

    /// The store.
    #[derive(Debug, Store)]
    #[store(name = "minimal", epoch = 1, previous = super::Minimal, drops(tag), migrate = cross)]
    pub struct Minimal {
        /// The notes.
        pub notes: Table<Note>,
        /// The settings.
        pub settings: Kv<Settings>,
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Minimal, Note, Tag, TagName};

    #[test]
    fn rows_and_entries_are_stored() -> heirloom::Result<()> {
        let app = Minimal::in_memory()?;
        let note = Note { id: Id::new(), text: "milk".into(), weight: 2, length: 4 };
        let tag = Tag { name: TagName("shopping".into()) };

        app.transaction(|tx| {
            tx.insert(&note)?;
            tx.insert(&tag)?;
            tx.set(&app.settings.theme, &Some("dark".into()))
        })?;

        assert_eq!(app.notes.get(&note.id)?.as_ref(), Some(&note));
        assert_eq!(app.tags.get(&tag.name)?, Some(tag));
        assert_eq!(app.snapshot()?.get::<Note>(&note.id)?, Some(note));
        assert_eq!(app.settings.language.get()?, "en");
        assert_eq!(app.settings.get()?.theme.as_deref(), Some("dark"));
        Ok(())
    }
}

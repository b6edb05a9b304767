//! A store in a package that knows heirloom as `db`: what generated code names of it goes through
//! `crate = "db"`.

#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use db::{Id, Key, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", crate = "db")]
pub struct Note {
    /// Its id.
    pub id: Id<Note>,
    /// Its text.
    #[evolve(default = "nothing")]
    pub text: String,
    /// How long it is.
    #[evolve(default = |text| text.len())]
    pub length: usize,
    /// Written by functions of its own.
    #[evolve(default = 3)]
    #[serde(with = "in_words")]
    #[schemars(with = "String")]
    pub count: u8,
}

mod in_words {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    pub(super) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
#[heirloom(crate = "db")]
pub struct TagName(pub String);

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(crate = "db")]
pub struct Tag {
    /// Its name.
    #[key]
    pub name: TagName,
}

/// The settings of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(crate = "::db")]
pub struct Settings {
    /// The language.
    #[evolve(default = "en")]
    pub language: String,
    /// Written by functions of its own.
    #[evolve(default = 3)]
    #[serde(with = "in_words")]
    #[schemars(with = "String")]
    pub count: u8,
}

/// The store.
#[derive(Debug, Store)]
#[store(name = "renamed", crate = "db")]
pub struct Renamed {
    /// The notes.
    pub notes: Table<Note>,
    /// The tags.
    pub tags: Table<Tag>,
    /// The settings.
    pub settings: Kv<Settings>,
}

/// The next epoch.
pub mod next {
    use db::migration::Migration;
    use db::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// A note.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = super::Note, crate = "db")]
    pub struct Note {
        /// Its id.
        pub id: Id<Note>,
        /// Its text.
        #[evolve(with = |text, length| format!("{text} ({length})"))]
        pub text: String,
        /// Read and written by functions of its own.
        #[serde(with = "super::in_words")]
        #[schemars(with = "String")]
        pub count: u8,
        /// Computed from that.
        #[evolve(default = |count| count + 1)]
        #[serde(with = "super::in_words")]
        #[schemars(with = "String")]
        pub next: u8,
    }

    #[expect(clippy::unnecessary_wraps, reason = "it may fail")]
    fn cross(_: &mut Migration<super::Renamed, Renamed>) -> db::Result<()> {
        Ok(())
    }

    /// The store.
    #[derive(Debug, Store)]
    #[store(
        name = "renamed",
        epoch = 1,
        previous = super::Renamed,
        drops(tag),
        migrate = cross,
        crate = "db"
    )]
    pub struct Renamed {
        /// The notes.
        pub notes: Table<Note>,
        /// The settings.
        pub settings: Kv<super::Settings>,
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Note, Renamed, Tag, TagName};

    #[test]
    fn rows_and_entries_are_stored() -> db::Result<()> {
        let app = Renamed::in_memory()?;
        let note = Note { id: Id::new(), text: "milk".into(), length: 4, count: 9 };
        let tag = Tag { name: TagName("shopping".into()) };

        app.transaction(|tx| {
            tx.insert(&note)?;
            tx.insert(&tag)?;
            tx.set(&app.settings.count, &7)
        })?;

        assert_eq!(app.notes.get(&note.id)?, Some(note));
        assert_eq!(app.tags.get(&tag.name)?, Some(tag));
        assert_eq!(app.settings.language.get()?, "en");
        assert_eq!(app.settings.get()?.count, 7);
        Ok(())
    }
}

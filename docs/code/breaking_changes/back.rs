use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{v0, v1};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v1::Note, from)]
pub struct Note {
    #[key]
    pub name: String,
    pub text: String,
    pub done: bool,
    pub stars: String,
    pub tag: Option<String>,
    pub comments: Vec<String>,
    pub file: Option<String>,
}

impl From<v1::Note> for Note {
    fn from(note: v1::Note) -> Self {
        let v1::Note { name, title, status, stars, tag, comments } = note;
        let done = status == v1::Status::Done;
        Self { name, text: title, done, stars, tag, comments, file: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings", previous = v1::Settings)]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
    #[evolve(renamed_from = "font_size", default = 12)]
    pub size: u32,
}

#[derive(Debug, Store)]
#[store(name = "notebook", epoch = 2, previous = v1::Notebook)]
pub struct Notebook {
    pub notes: Table<Note>,
    pub tags: Table<v0::Tag>,
    pub drafts: Table<v0::Draft>,
    pub settings: Kv<Settings>,
}

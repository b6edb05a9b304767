use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::v0;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Done,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note, removes(file))]
pub struct Note {
    // Of the same name: taken over.
    #[key]
    pub name: String,
    #[evolve(renamed_from = "text")]
    pub title: String,
    // Computed from fields of the previous struct, named as they were.
    #[evolve(with = |done| if done { Status::Done } else { Status::Open })]
    pub status: Status,
    pub stars: String,
    pub tag: Option<String>,
    pub comments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings", previous = v0::Settings)]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
    #[evolve(renamed_from = "size", default = 12)]
    pub font_size: u32,
}

#[derive(Debug, Store)]
#[store(name = "notebook", epoch = 1, previous = v0::Notebook, drops(drafts))]
pub struct Notebook {
    pub notes: Table<Note>,
    // Not changed, so that the old struct goes on.
    pub tags: Table<v0::Tag>,
    pub settings: Kv<Settings>,
}

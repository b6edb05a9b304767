use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    #[key]
    pub name: String,
    pub text: String,
    pub done: bool,
    // Any text that people type.
    pub stars: String,
    pub tag: Option<String>,
    pub comments: Vec<String>,
    pub file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tags")]
pub struct Tag {
    #[key]
    pub name: String,
    pub color: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "drafts")]
pub struct Draft {
    #[key]
    pub number: u32,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
    #[evolve(default = 12)]
    pub size: u32,
}

#[derive(Debug, Store)]
#[store(name = "notebook")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub tags: Table<Tag>,
    pub drafts: Table<Draft>,
    pub settings: Kv<Settings>,
}

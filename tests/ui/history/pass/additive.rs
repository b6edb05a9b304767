// A new field is an Option or has a default; tables and groups may come.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    title: String,
    body: Option<String>,
    #[evolve(default)]
    stars: u8,
    #[evolve(default = |title| title.len())]
    length: usize,
    #[serde(default)]
    pinned: bool,
    color: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tags")]
struct Tag {
    #[key]
    name: String,
    color: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "en")]
    language: String,
    last_opened: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Extra {
    id: Id<Extra>,
    required: String,
}

#[derive(Store)]
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Note>,
    tags: Table<Tag>,
    extras: Table<Extra>,
    settings: Kv<Settings>,
}

fn main() {}

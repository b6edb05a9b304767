// A required field may gain a default, and a default may change.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    #[evolve(default = "untitled")]
    title: String,
    body: Option<String>,
    #[evolve(default = 3)]
    stars: u8,
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
    last_opened: Option<String>,
    #[evolve(default = |last_opened| last_opened.unwrap_or_default())]
    language: String,
}

#[derive(Store)]
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Note>,
    tags: Table<Tag>,
    settings: Kv<Settings>,
}

fn main() {}

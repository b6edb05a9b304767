// A field that older code requires cannot be given up.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", removes(title))]
struct Note {
    id: Id<Note>,
    body: Option<String>,
    #[evolve(default)]
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
    #[evolve(default = "en")]
    language: String,
    last_opened: Option<String>,
}

#[derive(Store)]
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Note>,
    tags: Table<Tag>,
    settings: Kv<Settings>,
}

fn main() {}

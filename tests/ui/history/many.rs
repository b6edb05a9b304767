// Every mistake is reported: those of one struct together, each on a line.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    name: String,
    body: Option<Vec<String>>,
    stars: u8,
    pinned: bool,
    legacy: Option<bool>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default)]
    language: u8,
    theme: Option<u8>,
}

#[derive(Store)]
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Note>,
    settings: Kv<Settings>,
}

fn main() {}

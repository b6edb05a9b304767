// Members that a newer heirloom adds to a file are passed over.

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
#[store(name = "app", history = "history/newer_members.json")]
struct App {
    notes: Table<Note>,
    tags: Table<Tag>,
    settings: Kv<Settings>,
}

fn main() {}

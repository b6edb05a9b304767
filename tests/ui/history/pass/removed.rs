// Fields with a default are given up; names of fields that nobody has recorded are free to list.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", removes(stars, "body", never_there))]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tags")]
struct Tag {
    #[key]
    name: String,
    color: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings", removes(last_opened))]
struct Settings {
    #[evolve(default = "en")]
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

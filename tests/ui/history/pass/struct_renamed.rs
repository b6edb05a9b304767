// A row's id is spelled after its struct, whose name is stored nowhere.

use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Memo {
    id: heirloom::Id<Memo>,
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
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Memo>,
    tags: Table<Tag>,
    settings: Kv<Settings>,
}

fn main() {}

// A new epoch may break with the versions of earlier ones.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", removes(legacy))]
    pub struct Note {
        id: Id<Note>,
        title: String,
        body: Option<String>,
        #[evolve(default)]
        stars: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        name: String,
        color: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "en")]
        language: String,
        last_opened: Option<String>,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        notes: Table<Note>,
        tags: Table<Tag>,
        settings: Kv<Settings>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note, removes(stars))]
struct Note {
    id: Id<Note>,
    #[evolve(renamed_from = "title")]
    heading: String,
    #[evolve(with = |body| body.map_or(0, |body| body.len()))]
    length: usize,
}

#[derive(Store)]
#[store(name = "app", epoch = 1, previous = v0::App, drops(tags), history = "history/app.json")]
struct App {
    notes: Table<Note>,
    settings: Kv<v0::Settings>,
}

fn main() {}

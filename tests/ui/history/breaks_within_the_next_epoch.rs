// Within its epoch, a store breaks with no recorded version, whatever the epoch before was.

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
#[table(name = "notes", previous = v0::Note)]
struct Note {
    id: Id<Note>,
    #[evolve(renamed_from = "title")]
    heading: String,
    body: Option<String>,
    #[evolve(default)]
    stars: u8,
}

#[derive(Store)]
#[store(name = "app", epoch = 1, previous = v0::App, history = "history/next_epoch.json")]
struct App {
    notes: Table<Note>,
    tags: Table<v0::Tag>,
    settings: Kv<v0::Settings>,
}

fn main() {}

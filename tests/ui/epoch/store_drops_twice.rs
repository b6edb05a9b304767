// A table that is dropped is listed once.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
        pub done: bool,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "scratch")]
    pub struct Scratch {
        pub id: Id<Scratch>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub theme: Option<String>,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub notes: Table<Note>,
        pub scratch: Table<Scratch>,
        pub settings: Kv<Settings>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note, removes(done))]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Store)]
#[store(name = "app", epoch = 1, previous = v0::App, drops(scratch, scratch))]
struct App {
    notes: Table<Note>,
    settings: Kv<v0::Settings>,
}

fn main() {}

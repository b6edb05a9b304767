// A store follows from a store.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    pub struct App {
        pub notes: Vec<String>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Store)]
#[store(name = "app", epoch = 1, previous = v0::App)]
struct App {
    notes: Table<Note>,
}

fn main() {}

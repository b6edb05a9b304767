// A table that is dropped is one of a previous store.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Store)]
#[store(name = "app", epoch = 1, drops(scratch))]
struct App {
    notes: Table<Note>,
}

fn main() {}

// An epoch is a `u32`.

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
#[store(name = "app", epoch = 4294967296)]
struct App {
    notes: Table<Note>,
}

fn main() {}

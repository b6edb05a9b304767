// A store has one schema.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
struct App<const N: usize> {
    notes: Table<Note>,
}

fn main() {}

// The name of a store follows the same rules.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
#[store(name = "-app")]
struct App {
    notes: Table<Note>,
}

fn main() {}

// A store removes no fields.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
}

#[derive(Store)]
#[store(removes(notes))]
struct App {
    notes: Table<Note>,
}

fn main() {}

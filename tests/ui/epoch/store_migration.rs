// Migrations need epochs, which are yet to come.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
#[store(previous = App, drops(scratch), migrate = split)]
struct App {
    notes: Table<Note>,
}

fn main() {}

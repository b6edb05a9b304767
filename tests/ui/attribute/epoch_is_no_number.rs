// An epoch is a number.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
#[store(epoch = "0")]
struct App {
    notes: Table<Note>,
}

fn main() {}

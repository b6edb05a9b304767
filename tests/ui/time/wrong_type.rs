// Heirloom fills in times.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[created]
    made: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

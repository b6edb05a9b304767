// The key is given, and does not change.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    #[created]
    made: i64,
    name: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

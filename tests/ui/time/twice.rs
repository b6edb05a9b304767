// A row has one time of each kind.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[updated]
    changed: i64,
    #[updated]
    written: i64,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

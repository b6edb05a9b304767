// A field is one of the two times.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[created]
    #[updated]
    made: i64,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

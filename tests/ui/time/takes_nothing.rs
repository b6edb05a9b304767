// The attribute of a time takes nothing.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[created(now)]
    made: i64,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

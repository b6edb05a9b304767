// The rows of a table derive `Table`.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    id: u32,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

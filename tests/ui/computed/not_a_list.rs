// Computed columns stand in parentheses.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed = "lower")]
struct Note {
    #[key]
    name: String,
    stars: u8,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

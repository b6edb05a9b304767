// A computed column reads a field.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(one: u8 = 1), index(one))]
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

// A computed column reads fields of the row.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(lower: String = nmae.to_lowercase()), index(lower))]
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

// A computed column has a name of its own.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(stars: u8 = stars + 1))]
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

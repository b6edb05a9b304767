// A rule says something.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[check]
    stars: u8,
    #[check()]
    likes: u8,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

// A computed column has one value in each row.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(words: Vec<String> = vec![name.clone()]), index(words))]
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

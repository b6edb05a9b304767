// A parameter in a rule has a name of its own.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[check(tags.iter().all(|name| name.len() < 9))]
struct Note {
    #[key]
    name: String,
    tags: Vec<String>,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

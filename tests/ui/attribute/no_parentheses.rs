// Attributes take their entries in parentheses.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table = "notes"]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

// A conversion converts a previous struct.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", from)]
struct Note {
    id: Id<Note>,
    text: String,
}

fn main() {}

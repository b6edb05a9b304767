// A struct follows from another.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = Note)]
struct Note {
    id: Id<Note>,
    text: String,
}

fn main() {}

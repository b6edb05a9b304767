// `previous` takes a struct.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = "v0::Note", from)]
struct Note {
    id: Id<Note>,
    text: String,
}

fn main() {}

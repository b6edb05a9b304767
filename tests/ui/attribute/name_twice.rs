// A struct has one name.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", name = "memos")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

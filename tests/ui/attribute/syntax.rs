// An attribute is a list of entries.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name "notes")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

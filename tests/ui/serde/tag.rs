// A row has its own fields only.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[serde(tag = "type")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

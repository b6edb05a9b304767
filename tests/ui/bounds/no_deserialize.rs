// A row derives `Deserialize`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
}

#[derive(Serialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    tag: Tag,
}

fn main() {}

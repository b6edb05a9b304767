// A row derives `JsonSchema`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
}

#[derive(Serialize, Deserialize, Table)]
struct Note {
    id: Id<Note>,
    tag: Tag,
}

fn main() {}

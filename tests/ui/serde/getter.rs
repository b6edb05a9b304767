// A field cannot have serde's `getter`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(getter = "title")]
    title: String,
}

fn main() {}

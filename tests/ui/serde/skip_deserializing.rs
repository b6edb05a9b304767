// A field cannot have serde's `skip_deserializing`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(skip_deserializing)]
    title: String,
}

fn main() {}

// A row is stored as an object.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[serde(transparent)]
struct Note {
    id: Id<Note>,
}

fn main() {}

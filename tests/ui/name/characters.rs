// A stored name is ASCII letters, digits, `_` and `-`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "my notes")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

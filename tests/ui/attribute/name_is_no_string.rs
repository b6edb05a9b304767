// A name is a string.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = 3)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

// A name has a value.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

// `crate` is a path.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(crate = "not a path")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

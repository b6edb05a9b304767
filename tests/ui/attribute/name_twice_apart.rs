// A struct has one name, in however many attributes.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
#[table(name = "memos")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

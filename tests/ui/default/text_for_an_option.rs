// A string literal serves an `Option` of what is made from one.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = "many")]
    size: Option<u8>,
}

fn main() {}

// A computed default reads fields declared above it.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[evolve(default = |size| size)]
    title: String,
    id: Id<Note>,
}

fn main() {}

// A row has one key, and every other one is reported.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    id: Id<Note>,
    #[key]
    title: String,
    #[key]
    body: String,
}

fn main() {}

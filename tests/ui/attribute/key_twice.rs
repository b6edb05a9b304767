// `#[key]` is said once.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    #[key]
    id: Id<Note>,
    title: String,
}

fn main() {}

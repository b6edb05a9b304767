// A string literal serves an `Option` of what is made from one.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
enum Status {
    Open,
    Done,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = "open")]
    size: Option<Status>,
}

fn main() {}

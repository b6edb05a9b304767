// A default fits into its field.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = u8::MAX + 1)]
    size: u8,
}

fn main() {}

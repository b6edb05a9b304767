// A key has no default.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[evolve(default = 0)]
    id: u32,
}

fn main() {}

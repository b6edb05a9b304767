// A key has no default, from serde neither.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[serde(default)]
    id: u32,
}

fn main() {}

// A key is always written.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

fn main() {}

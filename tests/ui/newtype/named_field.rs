// A key is stored as the value inside it.

use heirloom::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn {
    text: String,
}

fn main() {}

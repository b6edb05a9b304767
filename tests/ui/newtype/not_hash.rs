// A key can be compared and hashed.

use heirloom::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn(String);

fn main() {}

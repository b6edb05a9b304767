// `#[heirloom]` takes only what it knows.

use heirloom::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
#[heirloom(krate = "heirloom")]
struct Isbn(String);

fn main() {}

// A key is a newtype.

use heirloom::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn;

fn main() {}

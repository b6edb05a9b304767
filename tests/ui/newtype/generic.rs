// A key has one stored form.

use heirloom::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn<T>(T);

fn main() {}

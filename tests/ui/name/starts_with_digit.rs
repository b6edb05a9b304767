// A stored name starts with no digit.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "2nd")]
struct Settings {
    theme: Option<String>,
}

fn main() {}

// Breaking changes of a kv group need epochs, which are yet to come.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(previous = Settings)]
struct Settings {
    theme: Option<String>,
}

fn main() {}

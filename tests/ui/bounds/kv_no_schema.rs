// A kv group derives `JsonSchema`.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
}

#[derive(Serialize, Deserialize, Kv)]
struct Settings {
    theme: Option<String>,
    tag: Option<Tag>,
}

fn main() {}

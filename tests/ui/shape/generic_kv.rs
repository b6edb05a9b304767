// A kv group has one stored form.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings<T> {
    theme: Option<T>,
}

fn main() {}

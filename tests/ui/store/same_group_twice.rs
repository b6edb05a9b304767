// A group's type tells which it is.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    theme: Option<String>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
    defaults: Kv<Settings>,
}

fn main() {}

// A kv group derives `Kv`.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Settings {
    theme: Option<String>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

fn main() {}

// Kv groups have stored names of their own.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    theme: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Other {
    theme: Option<String>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
    other: Kv<Other>,
}

fn main() {}

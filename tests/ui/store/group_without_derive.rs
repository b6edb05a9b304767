// The group of a `Kv` derives `Kv`.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Settings {
    language: Option<String>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.snapshot();
}

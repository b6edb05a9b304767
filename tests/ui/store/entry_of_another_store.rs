// A transaction sets entries of the store's own groups.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    theme: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Limits {
    most: Option<u32>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

#[derive(Store)]
struct Other {
    limits: Kv<Limits>,
}

fn main() -> heirloom::Result<()> {
    let (app, other) = (App::in_memory()?, Other::in_memory()?);
    app.transaction(|tx| tx.set(&other.limits.most, &Some(7)))
}

// A rule of a kv group is about its entries.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[check(1 < 2)]
struct Settings {
    #[check(stras < 6)]
    #[evolve(default)]
    stars: u8,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

fn main() {}

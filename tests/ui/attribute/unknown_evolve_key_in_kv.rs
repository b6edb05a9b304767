// A misspelled default is not reported as a missing one too.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    #[evolve(defualt = 3)]
    volume: u8,
}

fn main() {}

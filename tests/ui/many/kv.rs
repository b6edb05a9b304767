// All mistakes of a kv group are reported at once, each once.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "my settings")]
struct Settings {
    theme: String,
    #[serde(skip)]
    #[evolve(defualt)]
    volume: u8,
    #[evolve(default = |later| later)]
    language: String,
    #[evolve(default)]
    later: String,
}

fn main() {}

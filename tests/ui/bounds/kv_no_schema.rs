// A kv group derives `JsonSchema`.

use heirloom::Kv;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Kv)]
struct Settings {
    theme: Option<String>,
}

fn main() {}

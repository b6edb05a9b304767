// An entry that is there is not removed.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(removes(theme))]
struct Settings {
    theme: Option<String>,
}

fn main() {}

// An `Option<Option<_>>` reads as `None` where it is absent, and takes no other default.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    #[key]
    name: String,
    #[evolve(default = Some(None))]
    due: Option<Option<String>>,
}

fn main() {}

// A field cannot have serde's `flatten`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(flatten)]
    title: std::collections::BTreeMap<String, String>,
}

fn main() {}

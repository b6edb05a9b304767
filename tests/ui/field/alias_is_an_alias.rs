// No field is read under another's alias.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(alias = "text")]
    title: String,
    #[serde(alias = "text")]
    heading: String,
}

fn main() {}

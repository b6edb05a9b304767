// Fields have stored names of their own.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
    #[serde(rename = "title")]
    heading: String,
}

fn main() {}

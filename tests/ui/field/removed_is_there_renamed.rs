// Removed fields are named as they are stored.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", removes("the-title"))]
struct Note {
    id: Id<Note>,
    #[serde(rename = "the-title")]
    title: String,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

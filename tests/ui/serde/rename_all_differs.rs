// Fields are read under the names they are written under.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[serde(rename_all(serialize = "camelCase"))]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

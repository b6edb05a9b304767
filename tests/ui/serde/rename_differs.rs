// A field is read under the name it is written under.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(rename(serialize = "t", deserialize = "title"))]
    title: String,
}

fn main() {}

// A row derives `Serialize`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

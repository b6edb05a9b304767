// A row derives `Serialize` and `Deserialize`.

use heirloom::{Id, Table};
use schemars::JsonSchema;

#[derive(JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

// Conversions need epochs, which are yet to come.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(from)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

// The name of a table with an `Id` is the prefix of a TypeID.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "my-Notes")]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

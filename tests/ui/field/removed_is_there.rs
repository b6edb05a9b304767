// A field that is there is not removed.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", removes(title))]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

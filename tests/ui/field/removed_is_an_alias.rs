// A name that is still read is not removed.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", removes(text))]
struct Note {
    id: Id<Note>,
    #[serde(alias = "text")]
    title: String,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

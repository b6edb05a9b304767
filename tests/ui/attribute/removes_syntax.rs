// `removes` takes names.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(removes(text, 1))]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

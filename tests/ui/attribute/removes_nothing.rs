// `removes` names something.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(removes())]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

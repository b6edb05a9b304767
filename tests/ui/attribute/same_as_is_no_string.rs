// `same_as` takes a string.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    #[evolve(same_as = String)]
    title: Box<str>,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

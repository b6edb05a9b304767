// `same_as` stands once.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    #[evolve(same_as = "String", same_as = "Text")]
    title: Box<str>,
}

fn main() {
    let _ = <Note as heirloom::Row>::TABLE;
}

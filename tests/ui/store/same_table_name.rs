// Tables have stored names of their own.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "note")]
struct Memo {
    id: Id<Memo>,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
    memos: Table<Memo>,
}

fn main() {}

// A transaction takes rows of the store's own tables.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Tag {
    id: Id<Tag>,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.transaction(|tx| tx.insert(&Tag { id: Id::new() }))
}

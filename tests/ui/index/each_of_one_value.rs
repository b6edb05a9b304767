// An index over each item needs a collection, and is not unique.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
    #[index(each)]
    size: u8,
    #[index(each, unique)]
    tags: Vec<String>,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.notes.filter(Note::TITLE.eq("milk")).all()?;
    Ok(())
}

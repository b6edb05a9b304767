// A column takes no name that a constant of the row has.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
    size: u8,
    #[evolve(default = Self::LIMIT)]
    limit: u8,
}

impl Note {
    const LIMIT: u8 = 3;
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

// No two indexes are the same.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(index(title), index(title, size), unique(title, size))]
struct Note {
    id: Id<Note>,
    #[index]
    title: String,
    size: u8,
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

// An indexed field has one value in each row.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(index(size, tags))]
struct Note {
    id: Id<Note>,
    title: String,
    size: u8,
    #[index]
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

// A row has a key.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    title: String,
    body: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.notes.insert(&Note { title: "milk".into(), body: "2".into() })?;
    Ok(())
}

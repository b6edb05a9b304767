// A row is a struct.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
enum Note {
    Text(String),
    Image(Vec<u8>),
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.notes.insert(&Note::Text("milk".into()))
}

// A row has one stored form.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note<T> {
    id: Id<Note<T>>,
    body: T,
}

#[derive(Store)]
struct App {
    notes: Table<Note<String>>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    let note = Note { id: Id::new(), body: String::from("milk") };
    app.notes.insert(&note)
}

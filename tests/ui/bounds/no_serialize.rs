// A row derives `Serialize`.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
}

#[derive(Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    tag: Tag,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    let note = Note { id: Id::new(), tag: Tag { text: "x".into() } };
    app.notes.insert(&note)?;
    app.notes.filter(Note::ID.eq(note.id)).all()?;
    app.transaction(|tx| tx.put(&note))?;
    Ok(())
}

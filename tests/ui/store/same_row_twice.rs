// A row's type tells its table.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
    drafts: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::open("app.redb")?;
    let note = Note { id: Id::new(), title: "milk".into() };
    app.notes.insert(&note)?;
    app.transaction(|tx| tx.put(&note))?;
    app.snapshot()?.get::<Note>(&note.id)?;
    app.apply(&app.changes_since(&app.summary()?)?)?;
    Ok(())
}

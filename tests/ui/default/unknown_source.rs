// A computed default reads fields declared above it.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = |titel| titel.map_or(0, |titel| titel.len()))]
    size: usize,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    let note = Note { id: Id::new(), title: None, size: 1 };
    app.notes.insert(&note)?;
    app.notes.get(&note.id)?;
    app.transaction(|tx| tx.put(&note))?;
    println!("{}", note.id);
    Ok(())
}

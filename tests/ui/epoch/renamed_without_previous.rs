// Within an epoch, a stored name stays.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    #[evolve(renamed_from = "text")]
    title: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    let note = Note { id: Id::new(), title: "milk".into() };
    app.notes.insert(&note)?;
    app.notes.get(&note.id)?;
    app.transaction(|tx| tx.put(&note))?;
    println!("{}", note.id);
    Ok(())
}

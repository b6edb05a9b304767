use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
pub struct Note {
    pub id: Id<Note>,
    pub text: String,
    #[evolve(default)] // notes written before this field existed read as `false`
    pub done: bool,
}

#[derive(Store)]
pub struct Notebook {
    pub notes: Table<Note>,
}

fn main() -> heirloom::Result<()> {
    let app = Notebook::open("notebook.redb")?; // opens the file, or creates it
    let plants = Note { id: Id::new(), text: "Water the plants".into(), done: false };
    app.notes.insert(&plants)?; // durable when it returns
    app.notes.update(&plants.id, |note| note.done = true)?;
    println!("{:#?}", app.notes.filter(Note::DONE.eq(true)).all()?);
    Ok(())
}

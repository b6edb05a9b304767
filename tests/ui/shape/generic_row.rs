// A row has one stored form.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note<T> {
    #[key]
    number: u32,
    body: T,
    title: Option<String>,
}

#[derive(Store)]
struct Notebook {
    notes: Table<Note<String>>,
}

fn main() -> heirloom::Result<()> {
    let notebook = Notebook::in_memory()?;
    notebook.notes.insert(&Note { number: 1, body: "milk".to_owned(), title: None })?;
    notebook.notes.get(&1)?;
    let milk = Note::<String>::BODY.eq("milk") & Note::<String>::TITLE.is_some();
    notebook.notes.filter(milk).order_by(Note::<String>::NUMBER.desc()).all()?;
    Ok(())
}

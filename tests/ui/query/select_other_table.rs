// A column that is selected is one of the table that is asked.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Task {
    id: Id<Task>,
    title: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Other {
    id: Id<Other>,
    name: String,
}

#[derive(Store)]
struct App {
    tasks: Table<Task>,
    others: Table<Other>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.tasks.query().select(Other::NAME).all()?;
    Ok(())
}

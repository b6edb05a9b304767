// Columns are selected, and nothing else.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Task {
    id: Id<Task>,
    title: String,
}

#[derive(Store)]
struct App {
    tasks: Table<Task>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.tasks.query().select("title").all()?;
    Ok(())
}

// A row is found by a value only if no other row may have it.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
enum Shape {
    Round,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Task {
    id: Id<Task>,
    title: String,
    urgency: u8,
    due: Option<String>,
    tags: Vec<String>,
    shape: Shape,
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
    app.tasks.get_by(Task::TITLE, "sow")?;
    Ok(())
}

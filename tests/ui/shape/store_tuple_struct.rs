// The fields of a store have names.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
struct App(Table<Note>);

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    App::open("app.redb")?.backup("copy.redb")
}

// A store whose table follows from another follows from a store.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
        pub done: bool,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note, removes(done))]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Store)]
#[store(name = "app", epoch = 1)]
struct App {
    notes: Table<Note>,
}

fn main() {}

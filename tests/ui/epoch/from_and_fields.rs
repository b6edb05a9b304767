// A struct that a `From` converts says nothing of its fields.

use heirloom::{Id, Table};
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
#[table(name = "notes", previous = v0::Note, from)]
struct Note {
    id: Id<Note>,
    #[evolve(renamed_from = "text")]
    title: String,
    done: bool,
}

impl From<v0::Note> for Note {
    fn from(previous: v0::Note) -> Self {
        Self { id: previous.id.cast(), title: previous.text, done: previous.done }
    }
}

fn main() {}

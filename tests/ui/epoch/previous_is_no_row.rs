// A row follows from a row.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    pub struct Note {
        pub text: String,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note)]
struct Note {
    id: Id<Note>,
    text: String,
}

fn main() {}

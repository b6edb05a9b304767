// A field is computed from fields of a previous struct.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};


#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    #[evolve(with = |text| text)]
    title: String,
}

fn main() {}

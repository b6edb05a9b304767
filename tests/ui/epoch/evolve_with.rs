// Converting a field needs epochs, which are yet to come.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[evolve(with = |text| text)]
    title: String,
}

fn main() {}

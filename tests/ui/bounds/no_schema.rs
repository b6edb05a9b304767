// A row derives `JsonSchema`.

use heirloom::{Id, Table};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

fn main() {}

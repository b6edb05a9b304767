// All mistakes of a store are reported at once, each once.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
#[store(name = "", epoch = 4294967296, drops(old))]
struct App {
    notes: Table<Note>,
    drafts: Table<Note>,
    count: usize,
}

fn main() {}

// A wrong operator names the computed column.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(lower: String = name.to_lowercase()), index(lower))]
struct Note {
    #[key]
    name: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {
    let _ = Note::LOWER.eq(3);
}

// A key is an `Id`, a `String`, an integer, a `Uuid`, or a newtype of one.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: f64,
    title: String,
}

#[derive(Store)]
struct App {
    notes: Table<Note>,
}

fn main() {}

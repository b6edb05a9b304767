// A store has one schema.

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: String,
}

#[derive(Store)]
struct App<T> {
    notes: Table<Note>,
    other: std::marker::PhantomData<T>,
}

fn main() {}

// A type that is written as an `Option` is std's.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Option<T> {
    chosen: bool,
    of: T,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Ballot {
    #[key]
    id: u32,
    answer: Option<u8>,
}

#[derive(Store)]
struct App {
    ballots: Table<Ballot>,
}

fn main() {}

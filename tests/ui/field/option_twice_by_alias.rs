// An `Option` of an `Option` is written as one.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Maybe<T> = Option<T>;

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Ballot {
    #[key]
    id: u32,
    answer: Maybe<Option<u8>>,
}

#[derive(Store)]
struct App {
    ballots: Table<Ballot>,
}

fn main() {}

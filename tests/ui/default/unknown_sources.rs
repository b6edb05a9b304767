// Every wrong parameter is reported.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = |colour, weight| colour + weight)]
    size: u8,
}

fn main() {}

// A default is a constant: it cannot be a clock.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::time::SystemTime;

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[evolve(default = SystemTime::now())]
    made: SystemTime,
}

fn main() {}

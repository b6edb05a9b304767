// A key of several fields names them.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(0, 1))]
struct Seat {
    row: u16,
    number: u16,
}

#[derive(Store)]
struct App {
    seats: Table<Seat>,
}

fn main() {}

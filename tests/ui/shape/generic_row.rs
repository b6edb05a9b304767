// A row has one stored form.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note<T> {
    #[key]
    number: u32,
    body: T,
}

fn main() {}

// A name taken from the struct follows the same rules.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Maße {
    #[key]
    number: u32,
}

fn main() {}

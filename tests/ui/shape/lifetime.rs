// A row owns its data.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note<'a> {
    #[key]
    number: u32,
    title: std::borrow::Cow<'a, str>,
}

fn main() {}

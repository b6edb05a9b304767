// A field cannot have serde's `borrow`.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    #[serde(borrow)]
    title: std::borrow::Cow<'static, str>,
}

fn main() {}

// A computed default captures nothing, and sees none of what is generated.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    title: Option<String>,
    #[evolve(default = |title| u8::from(title.is_some()) + u8::from(above))]
    size: u8,
}

fn main() {}

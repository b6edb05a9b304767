// All mistakes of a row are reported at once, each once.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(nmae = "notes")]
#[serde(deny_unknown_fields)]
struct Note {
    #[key]
    #[key]
    #[evolve(default)]
    id: Option<Id<Note>>,
    #[index]
    #[evolve(default = |bdoy| bdoy)]
    title: String,
    #[serde(flatten, rename = "title")]
    body: String,
    #[evolve(default = || 3)]
    size: u8,
}

fn main() {}

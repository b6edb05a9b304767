// A row can be sent between threads.

use std::marker::PhantomData;

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
    #[serde(skip)]
    local: PhantomData<*const u8>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Note {
    id: Id<Note>,
    tag: Tag,
}

fn main() {}

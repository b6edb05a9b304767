// A row is stored as its own fields.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Stored {
    id: u32,
}

impl From<Stored> for Note {
    fn from(stored: Stored) -> Self {
        Note { id: stored.id }
    }
}

impl From<Note> for Stored {
    fn from(note: Note) -> Self {
        Stored { id: note.id }
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema, Table)]
#[serde(from = "Stored", into = "Stored")]
struct Note {
    id: u32,
}

fn main() {}

// A mistake of the previous struct is reported there, and nowhere else.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(nmae = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
        pub done: bool,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note)]
struct Note {
    id: Id<Note>,
    #[evolve(renamed_from = "text")]
    title: String,
    #[evolve(with = |done| u8::from(done))]
    stars: u8,
}

fn main() {}

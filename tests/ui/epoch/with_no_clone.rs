// A previous field that is needed twice can be cloned.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Text(pub String);

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: Text,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note)]
struct Note {
    id: Id<Note>,
    text: v0::Text,
    #[evolve(with = |text| text.0.len())]
    length: usize,
}

fn main() {}

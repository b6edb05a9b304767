// A table follows from a table.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::Kv;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    pub struct Settings {
        #[evolve(default)]
        pub text: String,
        #[evolve(default)]
        pub id: u8,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Settings)]
struct Note {
    id: u8,
    text: String,
}

fn main() {}

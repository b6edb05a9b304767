// A migration keeps the times of a row.

mod v0 {
    use heirloom::Table;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "note")]
    pub struct Note {
        #[key]
        pub name: String,
        pub made: String,
    }
}

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(previous = v0::Note)]
struct Note {
    #[key]
    name: String,
    #[created]
    #[evolve(with = |made| made.len() as i64)]
    made: i64,
}

fn main() {}

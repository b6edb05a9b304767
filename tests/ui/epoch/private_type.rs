// A field that is taken over is of a type that can be named.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::{Id, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Done(bool);

    impl From<Done> for bool {
        fn from(done: Done) -> bool {
            done.0
        }
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
        done: Done,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v0::Note)]
struct Note {
    id: Id<Note>,
    text: String,
    done: bool,
}

fn main() {}

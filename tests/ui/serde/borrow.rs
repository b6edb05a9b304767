// A row owns its data (serde's own impl, which reads borrowed data only, is an error too).

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

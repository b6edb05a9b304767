// The name of a table with an `Id` is the prefix of a TypeID.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Mp3File {
    id: Id<Mp3File>,
}

fn main() {}

// Names that differ in digits alone are given proposals that differ.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct T0 {
    id: Id<T0>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct T1 {
    id: Id<T1>,
}

fn main() {}

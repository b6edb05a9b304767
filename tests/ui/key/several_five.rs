// A key has at most four fields.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, a, b, c, d))]
struct Member {
    group: Ref<Group>,
    a: u8,
    b: u8,
    c: u8,
    d: u8,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

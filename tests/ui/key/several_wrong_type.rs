// Each field of a key is a key.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, share))]
struct Member {
    group: Ref<Group>,
    share: f64,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

// A row has one key, of one field or of several.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, person))]
struct Member {
    group: Ref<Group>,
    #[key]
    person: String,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

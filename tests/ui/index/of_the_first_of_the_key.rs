// Rows are found and ordered by the first fields of their key anyway.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, person), index(group, person))]
struct Member {
    #[index]
    group: Ref<Group>,
    person: String,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

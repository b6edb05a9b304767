// No field of a key is an `Option`, has a default, or is left out.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, person, role))]
struct Member {
    group: Option<Ref<Group>>,
    #[evolve(default)]
    person: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    role: String,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

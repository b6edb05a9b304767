// A part of a key is not several fields itself.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Group {
    id: Id<Group>,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(member, year))]
struct Fee {
    member: Ref<Member>,
    year: u16,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(group, person))]
struct Member {
    group: Ref<Group>,
    person: String,
}

#[derive(Store)]
struct App {
    groups: Table<Group>,
    members: Table<Member>,
}

fn main() {}

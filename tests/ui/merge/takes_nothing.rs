// The words of `#[merge]` take nothing.

use std::collections::BTreeSet;

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(merge = "fields")]
struct Person {
    id: u32,
    #[merge(sum = 1)]
    visits: i64,
    #[merge(union(all))]
    tags: BTreeSet<String>,
}

#[derive(Store)]
struct Contacts {
    people: Table<Person>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = Contacts::in_memory()?;
    app.people.filter(Person::ID.eq(7)).all()?;
    Ok(())
}

// The signs between the parts of the key of a cell are in no name.

use std::collections::BTreeSet;

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(merge = "fields")]
struct Person {
    id: u32,
    #[serde(rename = "visits\u{1}")]
    visits: i64,
    #[serde(rename = "\u{4}tags")]
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

// A struct has columns where it derives Fields.

use heirloom::{Fields, Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Plain {
    city: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Person {
    id: Id<Person>,
    title: String,
    home: Address,
    work: Option<Address>,
    plain: Plain,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.people.filter(Person::PLAIN.field(Plain::CITY).eq("Bern")).all()?;
    Ok(())
}

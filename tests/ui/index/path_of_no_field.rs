// A path leads from a field that has a column to a field of its struct.

use heirloom::{Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(index(name, house.city))]
#[table(index(work.city))]
#[table(index(home.city, home.city))]
#[table(index(other.city))]
struct Person {
    #[key]
    name: String,
    home: Address,
    #[column(skip)]
    work: Address,
    other: Address,
    #[serde(rename = "other.city")]
    city: String,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.people.filter(Person::HOME.field(Address::CITY).eq("Bern")).all()?;
    Ok(())
}

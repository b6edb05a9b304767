// A path goes one struct deep.

use heirloom::{Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    place: Place,
}

#[derive(Serialize, Deserialize, JsonSchema, Fields)]
struct Place {
    city: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(index(home.place.city))]
struct Person {
    #[key]
    name: String,
    home: Address,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.people.filter(Person::NAME.eq("Bern")).all()?;
    Ok(())
}

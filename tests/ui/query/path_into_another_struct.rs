// A path goes on with a field of the struct that it has come to.

use heirloom::{Fields, Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema, Fields)]
struct Phone {
    number: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Person {
    id: Id<Person>,
    home: Address,
    phone: Phone,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.people.filter(Person::HOME.field(Phone::NUMBER).eq("7")).all()?;
    Ok(())
}

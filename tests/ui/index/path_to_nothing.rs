// A path leads to a field of the struct that it begins in.

use heirloom::{Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(index(home.town))]
struct Person {
    #[key]
    name: String,
    home: Option<Address>,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

fn main() -> heirloom::Result<()> {
    App::in_memory()?;
    Ok(())
}

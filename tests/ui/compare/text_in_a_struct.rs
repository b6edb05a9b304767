// A struct that has an order and text in it says how it compares.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Name {
    last: String,
    first: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Person {
    #[key]
    id: u32,
    name: Option<Name>,
}

#[derive(Store)]
struct App {
    people: Table<Person>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.people.order_by(Person::NAME.desc());
}

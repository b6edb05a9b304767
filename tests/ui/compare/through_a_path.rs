// A path is compared as the field that it leads to.

use heirloom::{Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Name {
    last: String,
    first: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Fields)]
struct Owner {
    name: Name,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Pet {
    #[key]
    id: u32,
    owner: Option<Owner>,
}

#[derive(Store)]
struct App {
    pets: Table<Pet>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.pets.order_by(Pet::OWNER.field(Owner::NAME));
}

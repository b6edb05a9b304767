// A value that serde writes as text is not ordered by that.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
struct Offset(i64);

impl TryFrom<String> for Offset {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> Self {
        offset.0.to_string()
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Place {
    #[key]
    id: u32,
    offset: Offset,
}

#[derive(Store)]
struct App {
    places: Table<Place>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.places.order_by(Place::OFFSET);
}

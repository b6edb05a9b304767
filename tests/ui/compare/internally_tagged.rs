// An enum that serde writes as text between its fields has an order that serde does not show.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Shape {
    Square { side: u32 },
    Circle { radius: u32 },
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Drawing {
    #[key]
    id: u32,
    shape: Shape,
}

#[derive(Store)]
struct App {
    drawings: Table<Drawing>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.drawings.filter(Drawing::SHAPE.lt(Shape::Circle { radius: 1 }));
}

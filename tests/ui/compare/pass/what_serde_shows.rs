// A type whose order serde shows is compared without a word, and one that is not compared needs none.

#![deny(warnings)]

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom::{Comparable, Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
enum Status {
    Todo,
    Done,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
enum Shape {
    Dot,
    Circle(f64),
    Square { side: u32, status: Option<Status> },
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Cents(i64);

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Grams(f64);

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Moment {
    day: u16,
    at: (u8, u8),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Perms {
    roles: HashSet<String>,
    more: HashMap<String, Vec<Status>>,
}

/// Has an order and text, and is compared nowhere.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Comparable)]
struct Title(String);

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Comparable)]
#[serde(tag = "kind")]
enum Media<T> {
    Book { title: Title, grade: T },
    Film { title: Title },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(index(status, cents))]
struct Row {
    #[key]
    id: u32,
    #[index]
    status: Status,
    shape: Shape,
    cents: Cents,
    grams: Option<Grams>,
    moment: Moment,
    pair: (Status, u8),
    list: Vec<Status>,
    array: Option<[Status; 2]>,
    map: BTreeMap<u8, Cents>,
    #[index]
    perms: Perms,
    address: Address,
    old_address: Option<Address>,
    addresses: Vec<Address>,
    media: Media<u8>,
}

#[derive(Store)]
struct App {
    rows: Table<Row>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let filter = Row::STATUS.lt(Status::Done)
        & Row::SHAPE.ge(Shape::Dot)
        & Row::CENTS.between(Cents(1), Cents(2))
        & Row::GRAMS.gt(Grams(1.0))
        & Row::PERMS.eq(Perms { roles: HashSet::new(), more: HashMap::new() })
        & Row::ADDRESS.field(Address::CITY).eq("Bern")
        & Row::OLD_ADDRESS.is_none()
        & Row::ADDRESSES.contains(Address { city: "Bern".into() })
        & Row::MEDIA.lt(Media::Film { title: Title("Alien".into()) });
    let order = (Row::MOMENT, Row::PAIR.desc(), Row::LIST, Row::ARRAY, Row::MAP);
    assert!(app.rows.filter(filter).order_by(order).all().unwrap().is_empty());
}

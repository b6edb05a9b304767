//! Types are what they are, not what they are called.

use std::option::Option as Opt;

use heirloom::schema::FieldDefault;
use heirloom::{Fields, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Maybe<T> = Option<T>;

/// Not heirloom's.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Id<T>(T);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    zip: Maybe<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "people")]
struct Person {
    #[key]
    key: u32,
    age: Maybe<u8>,
    name: Opt<String>,
    tag: Id<u8>,
    home: Maybe<Address>,
}

#[derive(Store)]
#[store(name = "app")]
struct App {
    people: Table<Person>,
}

#[test]
fn an_option_of_another_name_needs_no_default() {
    let schema = App::schema();
    let default = |name: &str| &schema.tables["people"].fields[name].default;
    assert_eq!(default("age"), &FieldDefault::Optional);
    assert_eq!(default("name"), &FieldDefault::Optional);
    assert_eq!(default("tag"), &FieldDefault::Required);
}

#[test]
fn an_option_of_another_name_is_one_to_queries() {
    let app = App::in_memory().unwrap();
    let person = |key, age, zip: Option<Option<u16>>| Person {
        key,
        age,
        name: None,
        tag: Id(0),
        home: zip.map(|zip| Address { zip }),
    };
    for row in
        [person(1, Some(3), Some(Some(3000))), person(2, None, Some(None)), person(3, None, None)]
    {
        app.people.insert(&row).unwrap();
    }
    let zip = || Person::HOME.field(Address::ZIP);
    assert_eq!(app.people.filter(Person::AGE.is_none()).keys().unwrap(), [2, 3]);
    assert_eq!(app.people.filter(Person::AGE.eq(3)).keys().unwrap(), [1]);
    assert_eq!(app.people.filter(zip().eq(3000)).keys().unwrap(), [1]);
    assert_eq!(app.people.filter(zip().is_none()).keys().unwrap(), [2, 3]);
    assert_eq!(app.people.filter(Person::TAG.lt(Id(1))).count().unwrap(), 3);
}

//! Paths into structs inside of rows: what a plain look at the rows says, in every operator.

use crate::support::exchange;
use heirloom::query::Expr;
use heirloom::{Column, Fields, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
struct Geo {
    lat: f64,
    /// Named by serde as no other.
    #[serde(rename = "lng")]
    long: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
struct Address {
    city: String,
    zip: Option<u16>,
    geo: Geo,
    exact: Option<Geo>,
    #[serde(default)]
    #[column(name = "MARKS")]
    tags: Vec<String>,
    #[column(skip)]
    note: (),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
struct Person {
    #[key]
    id: u32,
    home: Address,
    work: Option<Address>,
    #[evolve(default)]
    pet: Pet,
    /// As stored, it looks like the path from `home` to `city`.
    #[serde(rename = "home.city")]
    #[index]
    impostor: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
struct Pet {
    name: String,
}

impl Default for Pet {
    fn default() -> Self {
        Self { name: "Rex".into() }
    }
}

#[derive(Store)]
#[store(name = "people")]
struct App {
    people: Table<Person>,
}

mod old {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    pub struct Person {
        #[key]
        pub id: u32,
        pub home: Address,
        pub work: Option<Address>,
        #[serde(rename = "home.city")]
        pub impostor: String,
    }

    #[derive(Store)]
    #[store(name = "people")]
    pub struct App {
        pub people: Table<Person>,
    }
}

fn geo() -> impl Strategy<Value = Geo> {
    (0..3u8, 0..3u8).prop_map(|(lat, long)| Geo { lat: lat.into(), long: long.into() })
}

fn address() -> impl Strategy<Value = Address> {
    let tags = prop::collection::vec("[ab]", 0..3);
    ("[a-c]{0,2}", prop::option::of(0..4u16), geo(), prop::option::of(geo()), tags)
        .prop_map(|(city, zip, geo, exact, tags)| Address { city, zip, geo, exact, tags, note: () })
}

fn person() -> impl Strategy<Value = Person> {
    (address(), prop::option::of(address()), "[a-c]{0,2}", "[a-c]{0,2}").prop_map(
        |(home, work, pet, impostor)| Person {
            id: 0,
            home,
            work,
            pet: Pet { name: pet },
            impostor,
        },
    )
}

/// A condition, and the same of a row by hand.
type Case = (&'static str, Expr<Person>, fn(&Person) -> bool);

fn cases() -> Vec<Case> {
    macro_rules! cases {
        ($($condition:expr => |$row:ident| $plain:expr;)*) => {
            vec![$((stringify!($condition), $condition, (|$row: &Person| $plain) as _)),*]
        };
    }
    let city = Person::HOME.field(Address::CITY);
    let work_city = Person::WORK.field(Address::CITY);
    let work_zip = Person::WORK.field(Address::ZIP);
    let work_lat = Person::WORK.field(Address::GEO).field(Geo::LAT);
    let exact_long = Person::WORK.field(Address::EXACT).field(Geo::LONG);
    // Put together the other way round.
    let turned = Person::WORK.field(Address::EXACT.field(Geo::LONG));
    cases! {
        city.eq("b") => |row| row.home.city == "b";
        city.ne("b") => |row| row.home.city != "b";
        city.starts_with("a") => |row| row.home.city.starts_with('a');
        city.contains("c") => |row| row.home.city.contains('c');
        city.between("a", "bb") => |row| ("a"..="bb").contains(&row.home.city.as_str());
        city.is_in(["a", "cc"]) => |row| ["a", "cc"].contains(&row.home.city.as_str());
        city.eq("b") & Person::IMPOSTOR.eq("a") => |row| row.home.city == "b" && row.impostor == "a";
        city.eq("b") | Person::IMPOSTOR.eq("a") => |row| row.home.city == "b" || row.impostor == "a";
        Person::HOME.field(Address::ZIP).is_none() => |row| row.home.zip.is_none();
        Person::HOME.field(Address::ZIP).gt(1) => |row| row.home.zip > Some(1);
        Person::HOME.field(Address::MARKS).contains("a") => |row| row.home.tags.iter().any(|tag| tag == "a");
        Person::HOME.field(Address::GEO).eq(Geo { lat: 1.0, long: 2.0 }) => |row| row.home.geo == Geo { lat: 1.0, long: 2.0 };
        work_city.is_none() => |row| row.work.is_none();
        work_city.is_some() => |row| row.work.is_some();
        work_city.eq("b") => |row| row.work.as_ref().is_some_and(|work| work.city == "b");
        work_city.eq(None) => |row| row.work.is_none();
        work_city.starts_with("a") => |row| row.work.as_ref().is_some_and(|work| work.city.starts_with('a'));
        work_city.lt("b") => |row| row.work.as_ref().map(|work| work.city.as_str()) < Some("b");
        Person::WORK.field(Address::MARKS).contains("b") => |row| row.work.iter().any(|work| work.tags.iter().any(|tag| tag == "b"));
        work_zip.is_none() => |row| row.work.as_ref().and_then(|work| work.zip).is_none();
        work_zip.eq(2) => |row| row.work.as_ref().and_then(|work| work.zip) == Some(2);
        work_zip.le(2) => |row| row.work.as_ref().and_then(|work| work.zip) <= Some(2);
        work_lat.ge(1.0) => |row| row.work.as_ref().map(|work| work.geo.lat) >= Some(1.0);
        exact_long.eq(1.0) => |row| row.work.as_ref().and_then(|work| work.exact.as_ref()).map(|geo| geo.long) == Some(1.0);
        exact_long.is_some() => |row| row.work.as_ref().is_some_and(|work| work.exact.is_some());
        turned.is_in([0.0, 2.0]) => |row| row.work.as_ref().and_then(|work| work.exact.as_ref()).is_some_and(|geo| geo.long != 1.0);
        !turned.is_none() => |row| row.work.as_ref().and_then(|work| work.exact.as_ref()).is_some();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paths_say_what_a_look_at_the_rows_says(mut people in prop::collection::vec(person(), 0..30)) {
        (0..).zip(&mut people).for_each(|(id, person)| person.id = id);
        let app = App::in_memory().unwrap();
        app.people.insert_many(people.iter().cloned()).unwrap();
        for (name, condition, holds) in cases() {
            let expected: Vec<Person> = people.iter().filter(|row| holds(row)).cloned().collect();
            let query = app.people.filter(condition);
            prop_assert_eq!(&query.all().unwrap(), &expected, "{}: {}", name, query.explain());
            prop_assert_eq!(query.count().unwrap(), expected.len());
            prop_assert_eq!(query.watch().unwrap().recv().unwrap().inserted().len(), expected.len());
        }

        people.sort_by(|a, b| {
            let zip = |row: &Person| row.work.as_ref().and_then(|work| work.zip);
            zip(b).cmp(&zip(a)).then_with(|| a.home.city.cmp(&b.home.city)).then(a.id.cmp(&b.id))
        });
        let order = (Person::WORK.field(Address::ZIP).desc(), Person::HOME.field(Address::CITY));
        prop_assert_eq!(app.people.order_by(order).all().unwrap(), people);
    }
}

fn plain(id: u32, city: &str) -> Person {
    let geo = Geo { lat: 0.0, long: 0.0 };
    let home =
        Address { city: city.into(), zip: None, geo, exact: None, tags: Vec::new(), note: () };
    Person { id, home, work: None, pet: Pet { name: "Tom".into() }, impostor: "x".into() }
}

#[test]
fn a_path_is_no_field_that_is_stored_under_the_same_name() {
    let app = App::in_memory().unwrap();
    app.people.insert_many([plain(1, "x"), plain(2, "y")]).unwrap();
    let (path, field) = (Person::HOME.field(Address::CITY), Person::IMPOSTOR);
    assert_eq!((path.name(), field.name()), ("home.city", "home.city"));
    let query = app.people.filter(path.eq("x"));
    assert_eq!(query.explain(), "scan of `person`, filtered");
    assert_eq!(query.count().unwrap(), 1);
    let query = app.people.filter(field.eq("x"));
    assert_eq!(query.explain(), "index (home.city) of `person`, 1 range");
    assert_eq!(query.count().unwrap(), 2);
    // Nor do their live results become one.
    let watches = [path.eq("x"), field.eq("x")].map(|c| app.people.filter(c).watch().unwrap());
    assert_eq!(watches.map(|watch| watch.recv().unwrap().inserted().len()), [1, 2]);
    let holds = [path.contains("y"), field.contains("y")];
    let watches = holds.map(|c| app.people.filter(c).watch().unwrap());
    assert_eq!(watches.map(|watch| watch.recv().unwrap().inserted().len()), [1, 0]);
    let orders = [path.desc(), field.desc()].map(|o| app.people.order_by(o).limit(1));
    assert_eq!(orders.map(|query| query.first().unwrap().unwrap().id), [2, 2]);
    assert_eq!(app.people.order_by(path).explain(), "scan of `person`, sorted by home.city");
}

#[test]
fn a_row_that_lacks_the_struct_has_its_default_on_the_path() {
    let (app, older) = (App::in_memory().unwrap(), old::App::in_memory().unwrap());
    let Person { id, home, work, impostor, .. } = plain(1, "x");
    older.people.insert(&old::Person { id, home, work, impostor }).unwrap();
    app.people.insert(&plain(2, "y")).unwrap();
    exchange(&app, &older);
    let named = |name| app.people.filter(Person::PET.field(Pet::NAME).eq(name)).keys().unwrap();
    assert_eq!((named("Rex"), named("Tom")), (vec![1], vec![2]));
}

#[test]
fn a_function_takes_paths_and_columns_alike() {
    fn long<C>(column: Column<Person, f64, C>) -> Expr<Person> {
        column.gt(1.5)
    }
    let app = App::in_memory().unwrap();
    let mut row = plain(1, "x");
    row.home.geo.long = 2.0;
    app.people.insert(&row).unwrap();
    let path = Person::HOME.field(Address::GEO.field(Geo::LONG));
    assert_eq!(path.name(), "home.geo.lng");
    assert_eq!(app.people.filter(long(path) & long(path.unnamed())).count().unwrap(), 1);
    assert!(Address::CITY.eq("x").matches(&row.home), "of the struct alone, too");
}

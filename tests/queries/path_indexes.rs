//! Indexes over fields of structs inside of rows: the same answers as a look at every row.

use std::collections::BTreeMap;

use heirloom::{ErrorKind, Fields, Query, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::{assert_sound, exchange, place, refused};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase")]
struct Address {
    city: String,
    zip_code: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(
    name = "people",
    index(home.city, name),
    index(work.zip_code, home.city),
    unique(r#box.city)
)]
struct Person {
    #[key]
    id: u32,
    name: String,
    home: Address,
    work: Option<Address>,
    #[serde(rename = "postbox")]
    r#box: Option<Address>,
}

#[derive(Store)]
#[store(name = "people")]
struct App {
    people: Table<Person>,
}

/// The same table before it had indexes.
mod before {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people")]
    pub struct Person {
        #[key]
        pub id: u32,
        pub name: String,
        pub home: Address,
        pub work: Option<Address>,
        #[serde(rename = "postbox")]
        pub r#box: Option<Address>,
    }

    #[derive(Store)]
    #[store(name = "people")]
    pub struct App {
        pub people: Table<Person>,
    }
}

fn address(city: &str, zip_code: Option<u16>) -> Address {
    Address { city: city.to_owned(), zip_code }
}

fn person(id: u32, city: &str, zip: Option<u16>) -> Person {
    let name = format!("name {}", id % 3);
    Person { id, name, home: address(city, zip), work: None, r#box: None }
}

#[test]
fn it_serves_values_ranges_and_orders_of_paths() {
    let app = App::in_memory().unwrap();
    app.people
        .insert_many((0..90).map(|id| person(id, ["Bern", "Basel", "Chur"][id as usize % 3], None)))
        .unwrap();
    let city = Person::HOME.field(Address::CITY);
    let way = |query: Query<Person>| query.explain();
    let people = || app.people.query();
    assert_eq!(
        way(people().filter(city.eq("Bern"))),
        "index (home.city, name) of `people`, 1 range, in the order of keys"
    );
    assert_eq!(
        way(people().filter(city.starts_with("B")).order_by((city.desc(), Person::NAME.desc()))),
        "index (home.city, name) of `people`, 1 range, backwards"
    );
    assert_eq!(
        way(people()
            .filter(Person::WORK.field(Address::ZIP_CODE).gt(3) & city.eq("Bern"))
            .limit(1)),
        "index (home.city, name) of `people`, 1 range, filtered, in the order of keys, at most 1"
    );
    assert_eq!(
        way(people().filter(Person::WORK.field(Address::ZIP_CODE).eq(3) & city.eq("Bern"))),
        "index (work.zipCode, home.city) of `people`, 1 range"
    );
    assert_eq!(people().filter(city.eq("Bern") & Person::NAME.eq("name 0")).count().unwrap(), 30);
    let bern = people().filter(city.eq("Bern")).order_by(Person::NAME);
    let third = bern.clone().limit(3).all().unwrap().pop().unwrap();
    assert_eq!(bern.clone().after(&third).limit(2).keys().unwrap(), [9, 12]);
    let grouped = people().group_by(city).aggregate(heirloom::query::count()).all().unwrap();
    assert_eq!(
        grouped,
        [("Basel".to_owned(), 30), ("Bern".to_owned(), 30), ("Chur".to_owned(), 30)]
    );
    let schema = App::schema();
    let indexes = &schema.tables["people"].indexes;
    assert_eq!(indexes[1].fields, ["work.zipCode", "home.city"]);
}

#[test]
fn a_path_may_be_unique() {
    let app = App::in_memory().unwrap();
    let with =
        |id, city: &str| Person { r#box: Some(address(city, None)), ..person(id, "Ulm", None) };
    app.people.insert(&with(1, "A")).unwrap();
    app.people.insert_many([person(2, "Ulm", None), person(3, "Ulm", None)]).unwrap();
    let error = refused(app.people.insert(&with(4, "A")));
    assert_eq!(error.kind(), ErrorKind::NotUnique);
    assert!(error.to_string().contains("`postbox.city`"), "{error}");
    assert!(!app.people.insert_or_ignore(&with(4, "A")).unwrap());
    let long = "x".repeat(2_000);
    app.people.insert(&with(5, &long)).unwrap();
    assert!(!app.people.insert_or_ignore(&with(6, &long)).unwrap());
    let other = App::in_memory().unwrap();
    other.people.insert(&with(7, "A")).unwrap();
    exchange(&app, &other);
    let conflicts = app.people.conflicts().unwrap();
    assert_eq!(conflicts.len(), 1);
}

#[test]
fn it_is_built_when_it_comes_to_a_table_with_rows() {
    let (_folder, path) = place();
    let old = before::App::open(&path).unwrap();
    old.people
        .insert_many((0..500).map(|id| before::Person {
            id,
            name: "n".into(),
            home: address(&format!("city {}", id % 10), None),
            work: (id % 2 == 0).then(|| address("w", Some((id % 4) as u16))),
            r#box: None,
        }))
        .unwrap();
    drop(old);
    let app = App::open(&path).unwrap();
    app.build_indexes().unwrap();
    let found = app.people.filter(Person::WORK.field(Address::ZIP_CODE).eq(2));
    assert_eq!(
        found.explain(),
        "index (work.zipCode, home.city) of `people`, 1 range, in the order of keys"
    );
    assert_eq!(found.count().unwrap(), 125);
    app.people.update(&2, |person| person.work = None).unwrap();
    assert_eq!(found.count().unwrap(), 124);
    drop((found, app));
    assert_sound::<App>(&path);
}

fn any_address() -> impl Strategy<Value = Address> {
    let city = prop::sample::select(vec!["", "a", "ab", "é", "\0", "日本"]);
    (city, prop::option::of(0..3_u16)).prop_map(|(city, zip)| address(city, zip))
}

fn any_person() -> impl Strategy<Value = Person> {
    let name = prop::sample::select(vec!["x", "y", ""]);
    (0..10_u32, name, any_address(), prop::option::of(any_address())).prop_map(
        |(id, name, home, work)| Person { id, name: name.to_owned(), home, work, r#box: None },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn it_finds_what_a_plain_list_has(
        changes in prop::collection::vec((any_person(), 0..5_u8), 1..16),
        sought in any_address(),
        limit in 0..4_usize,
    ) {
        let (app, other) = (App::in_memory().unwrap(), App::in_memory().unwrap());
        let (city, zip) = (Person::HOME.field(Address::CITY), Person::WORK.field(Address::ZIP_CODE));
        let at_work = Person::WORK.field(Address::CITY);
        let conditions = [
            city.eq(&sought.city),
            city.ge(&sought.city) & Person::NAME.ne("x"),
            zip.eq(sought.zip_code) & city.le(&sought.city),
            zip.is_none() | city.eq(&sought.city),
            !at_work.eq(sought.city.as_str()),
        ];
        let holds = |number: usize, person: &Person| {
            let zip = person.work.as_ref().and_then(|work| work.zip_code);
            match number {
                0 => person.home.city == sought.city,
                1 => person.home.city >= sought.city && person.name != "x",
                2 => zip == sought.zip_code && person.home.city <= sought.city,
                3 => zip.is_none() || person.home.city == sought.city,
                _ => person.work.as_ref().map(|work| &work.city) != Some(&sought.city),
            }
        };
        let order = || (city.asc(), Person::NAME.asc());
        let query = |number: usize| app.people.filter(conditions[number].clone()).order_by(order());
        let watches: Vec<_> = (0..5).map(|number| query(number).limit(4).watch().unwrap()).collect();
        let mut lists: Vec<Vec<Person>> = vec![Vec::new(); 5];
        let mut model: BTreeMap<u32, Person> = BTreeMap::new();
        for (person, how) in changes {
            match how {
                0 => {
                    app.people.remove(&person.id).unwrap();
                    model.remove(&person.id);
                    continue;
                }
                1 => {
                    exchange(&app, &other);
                    other.people.put(&person).unwrap();
                    exchange(&app, &other);
                }
                _ => app.people.put(&person).unwrap(),
            }
            model.insert(person.id, person);
        }
        for number in 0..5 {
            let mut expected: Vec<Person> =
                model.values().filter(|person| holds(number, person)).cloned().collect();
            let ids: Vec<u32> = expected.iter().map(|person| person.id).collect();
            assert_eq!(app.people.filter(conditions[number].clone()).keys().unwrap(), ids);
            expected.sort_by(|a, b| (&a.home.city, &a.name, a.id).cmp(&(&b.home.city, &b.name, b.id)));
            assert_eq!(query(number).all().unwrap(), expected);
            assert_eq!(query(number).count().unwrap(), expected.len());
            if let Some(middle) = expected.get(expected.len() / 2) {
                let after: Vec<Person> =
                    expected.iter().skip(expected.len() / 2 + 1).take(limit).cloned().collect();
                assert_eq!(query(number).after(middle).limit(limit).all().unwrap(), after);
            }
            while let Some(delta) = watches[number].try_recv().unwrap() {
                delta.apply(&mut lists[number]);
            }
            expected.truncate(4);
            assert_eq!(lists[number], expected);
        }
    }
}

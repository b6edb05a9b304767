//! Reading rows of any age: defaults, what other code wrote, and that reading never writes.

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use support::{assert_same_bytes, assert_sound, exchange, give, place, raw_notes, rows};

/// A part of a row, as this year's code has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Town {
    name: String,
    geo: Geo,
    zip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    lat: f64,
    altitude: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    n: u32,
    remark: Option<String>,
}

/// The first version of the app.
mod v1 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Town {
        pub name: String,
        pub geo: Geo,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Geo {
        pub lat: f64,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Item {
        pub n: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
        pub town: Town,
        pub items: Vec<Item>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub home: Option<Town>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }

    pub fn note(id: u32) -> Note {
        let town = Town { name: "Bern".into(), geo: Geo { lat: 46.9 } };
        Note { id, title: format!("note {id}"), town, items: vec![Item { n: 1 }, Item { n: 2 }] }
    }
}

/// One version on: rows have got more fields, at every depth.
mod v2 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
        pub town: Town,
        pub items: Vec<Item>,
        #[evolve(default = "none")]
        pub tag: String,
        #[evolve(default)]
        pub seen: Vec<u32>,
        #[evolve(default = Some(7))]
        pub rank: Option<u8>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub home: Option<Town>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }
}

/// Two versions on.
mod v3 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
        #[evolve(default = "none")]
        pub tag: String,
        #[evolve(default = |title, tag| format!("{title}/{tag}"))]
        pub label: String,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people")]
    pub struct Person {
        #[key]
        pub name: String,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub notes: Table<Note>,
        pub people: Table<Person>,
    }
}

/// Opens the file, reads as `look` does a hundred times, and closes it: no byte may differ.
fn read_only<S: Store>(path: &Path, look: impl Fn(&S)) {
    let before = fs::read(path).unwrap();
    {
        let app = S::open(path).unwrap();
        let summary = app.summary().unwrap();
        for _ in 0..100 {
            look(&app);
        }
        assert_eq!(app.summary().unwrap(), summary, "the document was written to");
        let snapshot = app.snapshot().unwrap();
        drop(snapshot);
        // While it is open, too, nothing has reached the file.
        assert_same_bytes(&before, &fs::read(path).unwrap());
    }
    assert_same_bytes(&before, &fs::read(path).unwrap());
}

#[test]
fn reading_defaults_leaves_the_files_of_three_versions_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] =
        ["first", "second", "third"].map(|name| folder.path().join(format!("{name}.redb")));
    {
        let (a, b, c) = (
            v1::App::open(&first).unwrap(),
            v2::App::open(&second).unwrap(),
            v3::App::open(&third).unwrap(),
        );
        a.notes.insert_many((1..=3).map(v1::note)).unwrap();
        give(&a, &b);
        give(&b, &c);
    }
    for path in [&first, &second, &third] {
        read_only::<v1::App>(path, |app| {
            assert_eq!(app.notes.get(&2).unwrap().unwrap(), v1::note(2));
            assert_eq!(app.notes.iter().unwrap().count(), 3);
        });
        read_only::<v2::App>(path, |app| {
            let note = app.notes.get(&2).unwrap().unwrap();
            assert_eq!((note.tag.as_str(), note.seen.len(), note.rank), ("none", 0, Some(7)));
            assert_eq!(note.town.zip, None);
            assert!(app.notes.iter().unwrap().all(|note| note.unwrap().tag == "none"));
        });
        read_only::<v3::App>(path, |app| {
            assert_eq!(app.notes.get(&2).unwrap().unwrap().label, "note 2/none");
            assert_eq!(app.people.len().unwrap(), 0);
            assert!(app.people.iter().unwrap().next().is_none());
            assert!(app.notes.invalid().unwrap().is_empty());
        });
    }
}

#[test]
fn two_reads_give_independent_values() {
    let app = v2::App::in_memory().unwrap();
    give(&with_notes(1), &app);
    let mut one = app.notes.get(&1).unwrap().unwrap();
    one.seen.push(1);
    one.town.name.push('!');
    let two = app.notes.get(&1).unwrap().unwrap();
    assert_eq!((two.seen.len(), two.town.name.as_str()), (0, "Bern"));
}

fn with_notes(count: u32) -> v1::App {
    let app = v1::App::in_memory().unwrap();
    app.notes.insert_many((1..=count).map(v1::note)).unwrap();
    app
}

#[test]
fn null_is_none_and_only_an_absent_field_takes_its_default() {
    let app = v2::App::in_memory().unwrap();
    give(&with_notes(2), &app);
    let mut note = app.notes.get(&1).unwrap().unwrap();
    assert_eq!(note.rank, Some(7));
    note.rank = None;
    app.notes.put(&note).unwrap();
    assert!(raw_notes(&app)[&1].contains(r#""rank":null"#), "{:?}", raw_notes(&app));
    assert_eq!(app.notes.get(&1).unwrap().unwrap().rank, None);
    // Setting the other fields of a row does not pin its defaults.
    app.notes.update(&2, |note| note.tag = "x".into()).unwrap();
    assert!(!raw_notes(&app)[&2].contains("rank"), "{:?}", raw_notes(&app));
}

#[test]
fn old_code_keeps_what_new_code_wrote_into_its_rows_and_entries() {
    let (old, new) = (v1::App::in_memory().unwrap(), v2::App::in_memory().unwrap());
    give(&with_notes(2), &new);
    let town = Town {
        name: "Thun".into(),
        geo: Geo { lat: 46.7, altitude: Some(560) },
        zip: Some("3600".into()),
    };
    let items = vec![Item { n: 1, remark: Some("first".into()) }];
    for id in [1, 2] {
        let change = |note: &mut v2::Note| {
            note.tag = "kept".into();
            note.seen = vec![4, 5];
            note.town = town.clone();
            note.items = items.clone();
        };
        new.notes.update(&id, change).unwrap().unwrap();
    }
    new.settings.home.set(&Some(town.clone())).unwrap();
    give(&new, &old);

    // By `update` at two depths, and by `put` of a row that was built anew.
    let change = |note: &mut v1::Note| {
        note.title = "edited".into();
        note.town.geo.lat = 1.5;
    };
    old.notes.update(&1, change).unwrap().unwrap();
    let mut rebuilt = old.notes.get(&2).unwrap().unwrap();
    rebuilt.title = "rebuilt".into();
    old.notes.put(&rebuilt).unwrap();
    let mut home = old.settings.home.get().unwrap().unwrap();
    home.geo.lat = 2.5;
    old.settings.home.set(&Some(home)).unwrap();
    give(&old, &new);

    let edited = new.notes.get(&1).unwrap().unwrap();
    assert_eq!((edited.title.as_str(), edited.town.geo.lat), ("edited", 1.5));
    let rebuilt = new.notes.get(&2).unwrap().unwrap();
    assert_eq!(rebuilt.title, "rebuilt");
    for note in [edited, rebuilt] {
        assert_eq!((note.tag.as_str(), note.seen.as_slice()), ("kept", &[4, 5][..]));
        assert_eq!(note.town.geo.altitude, Some(560));
        assert_eq!(note.town.zip.as_deref(), Some("3600"));
        assert_eq!(note.items, items, "an array that was not changed stays whole");
    }
    let home = new.settings.home.get().unwrap().unwrap();
    assert_eq!(home, Town { geo: Geo { lat: 2.5, altitude: Some(560) }, ..town });

    // An array that was changed is replaced, as documented; the rest of the row is not.
    old.notes.update(&1, |note| note.items.push(v1::Item { n: 9 })).unwrap();
    give(&old, &new);
    let note = new.notes.get(&1).unwrap().unwrap();
    assert_eq!(note.items.len(), 2);
    assert_eq!(note.town.geo.altitude, Some(560));
}

/// The app before it lost the table `people` and the group `settings`, and after.
mod tables {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people")]
    pub struct Person {
        #[key]
        pub name: String,
        pub age: u8,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct Full {
        pub notes: Table<v1::Note>,
        pub people: Table<Person>,
        pub settings: Kv<v1::Settings>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct Part {
        pub notes: Table<v1::Note>,
    }

    pub fn person(name: &str, age: u8) -> Person {
        Person { name: name.into(), age }
    }
}

#[test]
fn a_table_that_the_code_does_not_declare_survives_and_stays_current() {
    use tables::{Full, Part, person};

    let (_folder, path) = place();
    let peer = Full::in_memory().unwrap();
    let home = Some(v1::note(1).town);
    {
        let app = Full::open(&path).unwrap();
        app.people.insert_many([person("Ada", 36), person("Bob", 20), person("Cy", 1)]).unwrap();
        app.settings.home.set(&home).unwrap();
        exchange(&app, &peer);
    }
    {
        let app = Part::open(&path).unwrap();
        app.notes.insert(&v1::note(1)).unwrap();
        // What comes meanwhile for the table is kept, although nobody here can read it.
        peer.people.update(&"Ada".into(), |person| person.age = 37).unwrap();
        peer.people.remove(&"Bob".into()).unwrap();
        peer.people.insert(&person("Dot", 5)).unwrap();
        peer.settings.home.reset().unwrap();
        exchange(&app, &peer);
    }
    {
        // And passed on to a third copy that declares it, after a restart.
        let app = Part::open(&path).unwrap();
        app.notes.insert(&v1::note(2)).unwrap();
        let third = Full::in_memory().unwrap();
        give(&app, &third);
        assert_eq!(rows(&third.people), rows(&peer.people));
    }
    let expected = [person("Ada", 37), person("Cy", 1), person("Dot", 5)];
    let app = Full::open(&path).unwrap();
    assert_eq!(rows(&app.people), expected, "without a resync");
    assert_eq!(app.people.get(&"Dot".into()).unwrap(), Some(person("Dot", 5)));
    assert_eq!((app.notes.len().unwrap(), app.settings.home.get().unwrap()), (2, None));
    drop(app);
    assert_sound::<Full>(&path);
    assert_sound::<Part>(&path);
}

/// Two spellings of one schema.
mod spelled {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct One {
        #[key]
        pub id: u32,
        pub title: String,
        pub count: u32,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Two {
        #[serde(rename = "count")]
        pub how_many: u32,
        #[serde(rename = "title")]
        pub r#type: String,
        #[key]
        #[serde(rename = "id")]
        pub number: u32,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct First {
        pub notes: Table<One>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct Second {
        pub notes: Table<Two>,
    }
}

#[test]
fn the_order_and_the_rust_names_of_fields_are_not_stored() {
    use spelled::{First, One, Second};

    let (_folder, path) = place();
    First::open(&path)
        .unwrap()
        .notes
        .insert(&One { id: 1, title: "same".into(), count: 3 })
        .unwrap();
    read_only::<Second>(&path, |app| {
        let row = app.notes.get(&1).unwrap().unwrap();
        assert_eq!((row.number, row.r#type.as_str(), row.how_many), (1, "same", 3));
    });
    // And what the second writes, the first reads.
    Second::open(&path).unwrap().notes.update(&1, |row| row.how_many = 4).unwrap();
    read_only::<First>(&path, |app| assert_eq!(app.notes.get(&1).unwrap().unwrap().count, 4));
}

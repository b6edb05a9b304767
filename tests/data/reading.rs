//! Reading rows of any age: defaults, what other code wrote, and that reading never writes.

use std::fs;
use std::path::Path;

use crate::support::versions::{Item, Town, v1, v2};
use crate::support::{assert_same_bytes, give, place, stored};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two versions on.
mod v3 {
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
        pub settings: Kv<v2::Settings>,
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
            assert_eq!((app.people.len().unwrap(), app.settings.home.get().unwrap()), (0, None));
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
    let raw = || {
        let raw = v2::Raw::in_memory().unwrap();
        give(&app, &raw);
        stored(&raw.notes)
    };
    assert!(raw()["1"].contains(r#""rank":null"#), "{:?}", raw());
    assert_eq!(app.notes.get(&1).unwrap().unwrap().rank, None);
    // Setting the other fields of a row does not pin its defaults.
    app.notes.update(&2, |note| note.tag = "x".into()).unwrap();
    assert!(!raw()["2"].contains("rank"), "{:?}", raw());
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

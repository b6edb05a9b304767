//! Code that does not know all that is stored: it keeps what newer code wrote.

use crate::support::versions::{Geo, Item, Town, v1, v2};
use crate::support::{assert_sound, exchange, give, place, rows};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn with_notes(count: u32) -> v1::App {
    let app = v1::App::in_memory().unwrap();
    app.notes.insert_many((1..=count).map(v1::note)).unwrap();
    app
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
        assert_eq!(note.items, items, "a list that was not changed stays whole");
    }
    let home = new.settings.home.get().unwrap().unwrap();
    assert_eq!(home, Town { geo: Geo { lat: 2.5, altitude: Some(560) }, ..town });

    // A list that was changed keeps the fields of its other elements.
    old.notes.update(&1, |note| note.items.push(v1::Item { n: 9 })).unwrap();
    give(&old, &new);
    let note = new.notes.get(&1).unwrap().unwrap();
    assert_eq!(note.items, [items, vec![Item { n: 9, remark: None }]].concat());
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
        // A row that comes meanwhile for the table is kept, although this code cannot read it.
        peer.people.update("Ada", |person| person.age = 37).unwrap();
        peer.people.remove("Bob").unwrap();
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
    assert_eq!(app.people.get("Dot").unwrap(), Some(person("Dot", 5)));
    assert_eq!((app.notes.len().unwrap(), app.settings.home.get().unwrap()), (2, None));
    drop(app);
    assert_sound::<Full>(&path);
    assert_sound::<Part>(&path);
}

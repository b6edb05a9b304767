//! Tables that merge by field beside other code: another mode in the next epoch, fields of newer code, copies
//! of a file.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::{Contacts, Person, person};
use crate::support::{assert_sound, exchange, give, place, rows};

/// A table that merges whole, then by field, then whole again.
mod versions {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks")]
    pub struct Whole {
        pub id: u32,
        pub title: String,
        pub is_done: bool,
    }

    #[derive(Store)]
    #[store(name = "plan")]
    pub struct V0 {
        pub tasks: Table<Whole>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks", merge = "fields", previous = Whole)]
    pub struct ByField {
        pub id: u32,
        pub title: String,
        pub is_done: bool,
    }

    #[derive(Store)]
    #[store(name = "plan", epoch = 1, previous = V0)]
    pub struct V1 {
        pub tasks: Table<ByField>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks", previous = ByField)]
    pub struct Again {
        pub id: u32,
        pub title: String,
        pub is_done: bool,
    }

    #[derive(Store)]
    #[store(name = "plan", epoch = 2, previous = V1)]
    pub struct V2 {
        pub tasks: Table<Again>,
    }

    /// The mode changed without an epoch.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks", merge = "fields")]
    pub struct Hasty {
        pub id: u32,
        pub title: String,
        pub is_done: bool,
    }

    #[derive(Store)]
    #[store(name = "plan")]
    pub struct V0Hasty {
        pub tasks: Table<Hasty>,
    }
}

use versions::{Again, ByField, V0, V0Hasty, V1, V2, Whole};

#[test]
fn a_table_changes_its_mode_by_an_epoch() {
    let (_folder, path) = place();
    let old = V0::in_memory().unwrap();
    let app = V0::open(&path).unwrap();
    for id in 1..=3 {
        app.tasks.insert(&Whole { id, title: "new".into(), is_done: false }).unwrap();
    }
    exchange(&app, &old);
    drop(app);
    let error = V0Hasty::open(&path).err().expect("the mode is part of the schema");
    assert!(error.to_string().contains("merge"), "{error}");

    let (app, other) = (V1::open(&path).unwrap(), V1::in_memory().unwrap());
    give(&app, &other);
    app.tasks.update(&1, |task| task.title = "by field".into()).unwrap();
    other.tasks.update(&1, |task| task.is_done = true).unwrap();
    exchange(&app, &other);
    let both = ByField { id: 1, title: "by field".into(), is_done: true };
    assert_eq!(app.tasks.get(&1).unwrap(), Some(both.clone()));
    // An edit of a row by old code shows as one of its field, here where nothing else was edited.
    old.tasks.update(&2, |task| task.is_done = true).unwrap();
    give(&old, &app);
    app.tasks.update(&2, |task| task.title = "here".into()).unwrap();
    exchange(&app, &other);
    for store in [&app, &other] {
        let task = ByField { id: 2, title: "here".into(), is_done: true };
        assert_eq!(store.tasks.get(&2).unwrap(), Some(task));
        assert!(store.lost_edits().unwrap().is_empty() && store.quarantine().unwrap().is_empty());
    }
    // Nothing of the older epoch is needed any more.
    app.prune_epochs().unwrap();
    drop(app);
    assert_sound::<V1>(&path);

    let app = V2::open(&path).unwrap();
    let ByField { id, title, is_done } = both;
    assert_eq!(app.tasks.get(&1).unwrap(), Some(Again { id, title, is_done }));
    // A late edit of a field shows in its row.
    other.tasks.update(&3, |task| task.is_done = true).unwrap();
    give(&other, &app);
    let late = Again { id: 3, title: "new".into(), is_done: true };
    assert_eq!(app.tasks.get(&3).unwrap(), Some(late));
    drop(app);
    assert_sound::<V2>(&path);
}

/// Newer code of the same epoch: people have one more field.
mod newer {
    use super::*;
    use crate::fields::Address;
    use std::collections::BTreeSet;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people", merge = "fields")]
    pub struct Person {
        pub id: u32,
        #[index]
        pub name: String,
        pub note: Option<String>,
        #[evolve(default)]
        #[merge(sum)]
        pub visits: i64,
        #[evolve(default)]
        #[merge(union)]
        pub tags: BTreeSet<String>,
        #[evolve(default)]
        #[merge(fields)]
        pub address: Address,
        #[evolve(default)]
        pub phone: String,
    }

    #[derive(Store)]
    #[store(name = "contacts")]
    pub struct Contacts {
        pub people: Table<Person>,
    }
}

#[test]
fn fields_that_only_newer_code_knows_survive_every_write() {
    let (old, new) = (Contacts::in_memory().unwrap(), newer::Contacts::in_memory().unwrap());
    old.people.insert_many((1..=3).map(person)).unwrap();
    exchange(&old, &new);
    for id in 1..=3 {
        new.people.update(&id, |person| person.phone = "12".into()).unwrap();
    }
    // Beside an edit of another field that did not know it, and after it.
    old.people.update(&1, |person| person.name = "old".into()).unwrap();
    exchange(&old, &new);
    old.people.update(&2, |person| person.name = "old".into()).unwrap();
    old.people.put(&Person { name: "old".into(), ..person(3) }).unwrap();
    old.compact_history().unwrap();
    exchange(&old, &new);
    for person in rows(&new.people) {
        assert_eq!((person.name.as_str(), person.phone.as_str()), ("old", "12"), "{}", person.id);
    }
}

#[test]
fn a_copy_or_a_backup_writes_the_fields_of_its_original_again() {
    for round in 0..6 {
        let (_folder, path) = place();
        let (b, c) = (Contacts::in_memory().unwrap(), Contacts::in_memory().unwrap());
        let a = Contacts::open(&path).unwrap();
        a.people.insert(&person(1)).unwrap();
        give(&a, &b);
        give(&a, &c);
        a.people.update(&1, |person| person.name = "mine".into()).unwrap();
        b.people.update(&1, |person| person.name = "other".into()).unwrap();
        b.people.remove(&1).unwrap();
        let copy = path.with_extension("copy");
        if round % 2 == 0 {
            a.backup(&copy).unwrap();
            drop(a);
        } else {
            drop(a);
            std::fs::copy(&path, &copy).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        let a = Contacts::open(&copy).unwrap();
        give(&b, &a);
        assert_eq!(a.people.get(&1).unwrap().unwrap().name, "mine", "{round}");
        exchange(&a, &b);
        exchange(&a, &c);
        for app in [&a, &b, &c] {
            assert_eq!(app.people.get(&1).unwrap().unwrap().name, "mine", "{round}");
        }
        drop(a);
        assert_sound::<Contacts>(&copy);
    }
}

//! Tables that merge by field: edits of different fields both survive.

use std::collections::BTreeSet;

use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::{Heard, assert_sound, exchange, forge, give, place, refused, rows};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    pub city: String,
    pub zip: Option<String>,
}

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
}

#[derive(Store)]
#[store(name = "contacts")]
pub struct Contacts {
    pub people: Table<Person>,
}

pub fn person(id: u32) -> Person {
    Person {
        id,
        name: format!("person {id}"),
        note: Some("new".into()),
        visits: 1,
        tags: ["a", "b"].map(String::from).into(),
        address: Address { city: "Berlin".into(), zip: None },
    }
}

/// Two devices with three people each.
fn pair() -> (Contacts, Contacts) {
    let (a, b) = (Contacts::in_memory().unwrap(), Contacts::in_memory().unwrap());
    a.people.insert_many((1..=3).map(person)).unwrap();
    meet(&a, &b);
    (a, b)
}

fn meet(a: &Contacts, b: &Contacts) {
    exchange(a, b);
    assert_eq!(rows(&a.people), rows(&b.people));
    for app in [a, b] {
        assert_eq!(app.people.len().unwrap(), rows(&app.people).len());
        for person in rows(&app.people) {
            let found = app.people.filter(Person::NAME.eq(person.name.as_str())).all().unwrap();
            assert!(found.contains(&person), "{found:?}");
        }
    }
}

fn of(app: &Contacts, id: u32) -> Person {
    app.people.get(&id).unwrap().unwrap()
}

const PAIRS: usize = 12;

#[test]
fn edits_of_different_fields_both_survive() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        a.people.update(&1, |person| person.name = "Ada".into()).unwrap();
        b.people.update(&1, |person| person.note = None).unwrap();
        b.people.update(&1, |person| person.address.zip = Some("1".into())).unwrap();
        a.people.update(&1, |person| person.address.city = "Bonn".into()).unwrap();
        meet(&a, &b);
        let address = Address { city: "Bonn".into(), zip: Some("1".into()) };
        let expected = Person { name: "Ada".into(), note: None, address, ..person(1) };
        assert_eq!(of(&a, 1), expected);
        for app in [&a, &b] {
            assert!(app.lost_edits().unwrap().is_empty(), "{:?}", app.lost_edits().unwrap());
        }
        // And all of it is there on a third.
        let third = Contacts::in_memory().unwrap();
        third.apply(&a.changes_since(&Summary::default()).unwrap()).unwrap();
        assert_eq!(rows(&third.people), rows(&a.people));
    }
}

#[test]
fn counts_add_up_and_elements_unite() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        for _ in 0..3 {
            a.people.update(&1, |person| person.visits += 2).unwrap();
            b.people.update(&1, |person| person.visits -= 1).unwrap();
        }
        a.people.update(&1, |person| _ = person.tags.insert("c".into())).unwrap();
        b.people
            .update(&1, |person| {
                person.tags.remove("a");
                person.tags.insert("d".into());
            })
            .unwrap();
        meet(&a, &b);
        let tags = ["b", "c", "d"].map(String::from).into();
        assert_eq!(of(&a, 1), Person { visits: 4, tags, ..person(1) });
        // Put back by the one, taken out by the other: who put it did not know, so it stays.
        a.people.update(&1, |person| _ = person.tags.remove("c")).unwrap();
        a.people.update(&1, |person| _ = person.tags.insert("c".into())).unwrap();
        b.people.update(&1, |person| _ = person.tags.remove("c")).unwrap();
        meet(&a, &b);
        assert!(of(&b, 1).tags.contains("c"));
        // A removal that knew it.
        b.people.update(&1, |person| _ = person.tags.remove("c")).unwrap();
        meet(&a, &b);
        assert!(!of(&a, 1).tags.contains("c"));
        // A put replaces what it knew and keeps what it did not.
        a.people.put(&Person { visits: 100, ..person(1) }).unwrap();
        b.people.update(&1, |person| person.visits += 1).unwrap();
        assert_eq!(of(&a, 1).visits, 100);
        meet(&a, &b);
        assert_eq!(of(&a, 1).visits, 101);
        assert!(a.lost_edits().unwrap().is_empty() && b.lost_edits().unwrap().is_empty());
    }
}

#[test]
fn edits_of_one_field_are_told_and_taken_as_edits_of_it() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        let heard = Heard::<(String, String)>::default();
        let to = heard.clone();
        let _subscription = b
            .on_conflict(move |lost| to.note((lost.key().to_owned(), lost.loser().to_owned())))
            .unwrap();
        a.people.update(&1, |person| person.name = "by a".into()).unwrap();
        b.people.update(&1, |person| person.name = "by b".into()).unwrap();
        b.people.update(&1, |person| person.note = None).unwrap();
        meet(&a, &b);
        let winner = of(&a, 1);
        assert_eq!(winner.note, None);
        let lost = b.lost_edits().unwrap();
        let [lost] = lost.as_slice() else { panic!("{lost:?}") };
        assert_eq!(heard.take(), [("1".to_owned(), lost.loser().to_owned())]);
        assert_eq!((lost.table(), lost.key()), ("people", "1"));
        let loser: Person = lost.loser_as().unwrap();
        assert_ne!(loser.name, winner.name);
        assert_eq!(Person { name: winner.name.clone(), ..loser.clone() }, winner);
        // Taken, it writes that field alone.
        a.people.update(&1, |person| person.visits = 7).unwrap();
        lost.take().unwrap();
        meet(&a, &b);
        assert_eq!(of(&a, 1), Person { name: loser.name, visits: 7, ..winner });
        assert!(b.lost_edits().unwrap().is_empty());
    }
}

#[test]
fn an_edit_of_a_field_wins_against_a_removal_that_did_not_know_it() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        a.people.update(&1, |person| person.visits += 4).unwrap();
        b.people.update(&1, |person| person.visits += 1).unwrap();
        b.people.update(&1, |person| person.name = "by b".into()).unwrap();
        b.people.remove(&1).unwrap();
        // Edited by both, then removed by the one.
        a.people.update(&2, |person| person.name = "by a".into()).unwrap();
        b.people.update(&2, |person| person.name = "by b".into()).unwrap();
        b.people.remove(&2).unwrap();
        // Known.
        b.people.remove(&3).unwrap();
        meet(&a, &b);
        let back = of(&a, 1);
        assert_eq!(back.visits, 6);
        assert_eq!(of(&b, 2).name, "by a");
        assert_eq!(b.people.get(&3).unwrap(), None);
        // Removed by one that knows it, it stays removed, and comes without its fields.
        b.people.remove(&1).unwrap();
        meet(&a, &b);
        assert_eq!(a.people.get(&1).unwrap(), None);
        a.people.insert(&person(1)).unwrap();
        meet(&a, &b);
        assert_eq!(of(&b, 1), person(1));
    }
}

#[test]
fn a_row_that_is_inserted_again_counts_from_its_number() {
    for _ in 0..PAIRS {
        let (_folder, path) = place();
        let (a, b) = pair();
        let c = Contacts::open(&path).unwrap();
        a.people.update(&1, |person| person.visits += 5).unwrap();
        b.people.update(&1, |person| person.visits += 3).unwrap();
        meet(&a, &b);
        exchange(&a, &c);
        b.people.remove(&1).unwrap();
        b.people.insert(&Person { visits: 100, ..person(1) }).unwrap();
        assert_eq!(of(&b, 1).visits, 100);
        a.people.update(&1, |person| person.visits += 2).unwrap();
        meet(&a, &b);
        exchange(&a, &c);
        for app in [&a, &b, &c] {
            assert_eq!(of(app, 1).visits, 102);
        }
        // One that knows all that was counted removes the row, and the counts do not bring it back.
        b.people.remove(&1).unwrap();
        meet(&a, &b);
        exchange(&a, &c);
        assert_eq!(a.people.get(&1).unwrap(), None);
        assert_eq!(c.people.len().unwrap(), 2);
        c.people.insert(&person(1)).unwrap();
        exchange(&a, &c);
        a.people.update(&1, |person| person.visits += 1).unwrap();
        meet(&a, &b);
        exchange(&a, &c);
        assert_eq!((of(&b, 1).visits, of(&c, 1).visits), (2, 2));
        // A count from meanwhile does.
        b.people.remove(&1).unwrap();
        a.people.update(&1, |person| person.visits += 1).unwrap();
        meet(&a, &b);
        assert_eq!(of(&b, 1).visits, 3);
        assert!(a.lost_edits().unwrap().is_empty() && b.lost_edits().unwrap().is_empty());
        drop(c);
        assert_sound::<Contacts>(&path);
    }
}

#[test]
fn an_edit_whose_row_was_removed_and_whose_author_is_away_is_listed() {
    let (a, b) = pair();
    let c = Contacts::in_memory().unwrap();
    exchange(&a, &c);
    for id in [1, 2] {
        a.people.update(&id, |person| person.name = "by a".into()).unwrap();
    }
    b.people.remove(&1).unwrap();
    give(&b, &c);
    give(&a, &c);
    b.people.remove(&2).unwrap();
    give(&b, &c);
    assert_eq!(rows(&c.people), [person(3)]);
    let lost = c.lost_edits().unwrap();
    // Of the one that was gone already, nothing but the field is known.
    let told: Vec<_> = lost.iter().map(|lost| (lost.key(), lost.winner())).collect();
    assert_eq!(told, [("1", "null"), ("2", "null")]);
    assert_eq!(lost[0].loser(), r#"{"name":"by a"}"#);
    assert_eq!(refused(lost[0].take()).kind(), ErrorKind::NotFound);
    let loser = Person { name: "by a".into(), ..person(2) };
    assert_eq!(lost[1].loser_as::<Person>().unwrap(), loser);
    // Its author comes back.
    exchange(&a, &c);
    assert_eq!(of(&c, 1).name, "by a");
    assert!(c.lost_edits().unwrap().is_empty(), "{:?}", c.lost_edits().unwrap());
}

#[test]
fn every_way_to_read_and_to_write_sees_the_row_whole() {
    let (_folder, path) = place();
    let app = Contacts::open(&path).unwrap();
    app.people.insert_many((1..=3).map(person)).unwrap();
    let watch = app.people.filter(Person::NAME.starts_with("Ada")).watch().unwrap();
    assert!(watch.recv().unwrap().inserted().is_empty());
    let heard = Heard::<String>::default();
    let to = heard.clone();
    let _observed = app
        .people
        .observe(move |changes| {
            changes
                .iter()
                .for_each(|change| to.note(format!("{} {:?}", change.key(), change.kind())));
        })
        .unwrap();
    let snapshot = app.snapshot().unwrap();
    app.transaction(|tx| {
        tx.update::<Person>(&1, |person| person.name = "Ada".into())?;
        assert_eq!(tx.get::<Person>(&1)?.unwrap().name, "Ada");
        tx.update::<Person>(&1, |person| person.visits = 9)?;
        tx.update::<Person>(&2, |person| person.visits = 9)?;
        tx.remove::<Person>(&2)?;
        tx.update::<Person>(&3, |person| person.note = None)?;
        tx.put(&Person { note: Some("put".into()), ..person(3) })?;
        tx.insert(&person(4))?;
        tx.update::<Person>(&4, |person| person.visits = 2).map(drop)
    })
    .unwrap();
    assert_eq!(heard.take(), ["1 Updated", "2 Removed", "3 Updated", "4 Inserted"]);
    assert_eq!(snapshot.get::<Person>(&1).unwrap(), Some(person(1)));
    let expected = [
        Person { name: "Ada".into(), visits: 9, ..person(1) },
        Person { note: Some("put".into()), ..person(3) },
        Person { visits: 2, ..person(4) },
    ];
    assert_eq!(rows(&app.people), expected);
    assert_eq!(watch.recv().unwrap().inserted()[0].row().name, "Ada");
    assert_eq!(app.people.filter(Person::VISITS.gt(1)).update_all(|p| p.visits += 1).unwrap(), 2);
    assert_eq!(app.people.filter(Person::VISITS.gt(0)).sum(Person::VISITS).unwrap(), 10 + 1 + 3);
    drop((app, watch, snapshot, _observed));
    let app = Contacts::open(&path).unwrap();
    assert_eq!(of(&app, 1).visits, 10);
    app.backup(path.with_extension("copy")).unwrap();
    drop(app);
    assert_sound::<Contacts>(&path);
    assert_sound::<Contacts>(&path.with_extension("copy"));
}

#[test]
fn a_rebuild_takes_the_fields_into_the_rows() {
    let (_folder, path) = place();
    let app = Contacts::open(&path).unwrap();
    app.people.insert_many((1..=3).map(person)).unwrap();
    for id in 1..=3 {
        app.people.update(&id, |person| person.visits += i64::from(id)).unwrap();
        app.people.update(&id, |person| person.name.push('!')).unwrap();
    }
    let before = rows(&app.people);
    app.compact_history().unwrap();
    assert_eq!(rows(&app.people), before);
    let other = Contacts::in_memory().unwrap();
    meet(&app, &other);
    app.people.update(&1, |person| person.visits += 1).unwrap();
    other.people.update(&1, |person| person.visits += 1).unwrap();
    meet(&app, &other);
    assert_eq!(of(&app, 1).visits, before[0].visits + 2);
    drop(app);
    assert_sound::<Contacts>(&path);
}

#[test]
fn a_late_edit_of_a_field_lies_beside_what_was_written_after_a_rebuild() {
    for order in 0..2 {
        let (a, b) = pair();
        // Folded by the rebuild.
        a.people.update(&1, |person| person.visits += 10).unwrap();
        meet(&a, &b);
        a.compact_history().unwrap();
        b.people.update(&1, |person| person.name = "by b".into()).unwrap();
        b.people.update(&1, |person| person.visits += 1).unwrap();
        b.people.update(&2, |person| person.name = "by b".into()).unwrap();
        a.people.update(&1, |person| person.note = None).unwrap();
        a.people.update(&1, |person| person.visits += 2).unwrap();
        a.people.remove(&2).unwrap();
        if order == 0 {
            give(&b, &a);
            // Written where the late edit shows.
            a.people.update(&1, |person| person.visits += 100).unwrap();
            a.people.update(&1, |person| _ = person.tags.insert("z".into())).unwrap();
        }
        meet(&a, &b);
        if order == 1 {
            b.people.update(&1, |person| person.visits += 100).unwrap();
            a.people.update(&1, |person| _ = person.tags.insert("z".into())).unwrap();
            meet(&a, &b);
        }
        let tags = ["a", "b", "z"].map(String::from).into();
        let expected = Person {
            name: "by b".into(),
            note: None,
            visits: 1 + 10 + 1 + 2 + 100,
            tags,
            ..person(1)
        };
        assert_eq!(of(&a, 1), expected, "{order}");
        assert_eq!(of(&b, 2).name, "by b");
        // And again.
        b.compact_history().unwrap();
        meet(&a, &b);
        assert_eq!(of(&a, 1), expected, "{order}");
        assert!(a.quarantine().unwrap().is_empty() && b.quarantine().unwrap().is_empty());
    }
}

#[test]
fn a_late_edit_of_a_field_waits_where_the_same_field_was_edited() {
    for case in 0..8 {
        let (order, is_rebuilt, is_accepted) = (case % 2, case & 2 == 0, case & 4 == 0);
        let (a, b) = pair();
        a.compact_history().unwrap();
        b.people.update(&1, |person| person.name = "by b".into()).unwrap();
        b.people.update(&1, |person| person.visits += 5).unwrap();
        let edit = || a.people.update(&1, |person| person.name = "by a".into()).unwrap();
        if order == 0 {
            edit();
        }
        meet(&a, &b);
        if order == 1 {
            // Of who has seen the late edit.
            assert_eq!(of(&a, 1).name, "by b");
            edit();
            meet(&a, &b);
        }
        a.people.update(&1, |person| person.note = None).unwrap();
        meet(&a, &b);
        for app in [&a, &b] {
            let row = of(app, 1);
            assert_eq!((row.name.as_str(), row.note, row.visits), ("by a", None, 6), "{order}");
            let kept = app.quarantine().unwrap();
            assert_eq!(kept.len(), 1 - order, "{order}: {kept:?}");
            assert!(kept.iter().all(|kept| kept.theirs().contains("by b")), "{kept:?}");
        }
        if is_rebuilt {
            a.compact_history().unwrap();
            meet(&a, &b);
            assert_eq!(b.quarantine().unwrap().len(), 1 - order, "{order}");
        }
        for kept in b.quarantine().unwrap() {
            if is_accepted { kept.accept().unwrap() } else { kept.dismiss().unwrap() }
        }
        meet(&a, &b);
        for app in [&a, &b] {
            let row = of(app, 1);
            let name = if order == 0 && is_accepted { "by b" } else { "by a" };
            assert_eq!((row.name.as_str(), row.visits), (name, 6), "{order}");
            assert!(app.quarantine().unwrap().is_empty(), "{order} {is_rebuilt} {is_accepted}");
        }
    }
}

#[test]
fn edits_of_fields_of_a_row_that_is_only_late_both_stand() {
    let (a, b) = (Contacts::in_memory().unwrap(), Contacts::in_memory().unwrap());
    a.people.insert(&person(1)).unwrap();
    // A document that never had the row.
    b.compact_history().unwrap();
    meet(&a, &b);
    a.people.update(&1, |person| person.name = "by a".into()).unwrap();
    b.people.update(&1, |person| person.note = None).unwrap();
    meet(&a, &b);
    for app in [&a, &b] {
        let row = of(app, 1);
        assert_eq!((row.name.as_str(), row.note), ("by a", None));
        assert!(app.lost_edits().unwrap().is_empty());
        assert!(app.quarantine().unwrap().is_empty());
    }
}

/// The next epoch: a field has another name.
pub mod v1 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people", merge = "fields", previous = super::Person, removes(address))]
    pub struct Person {
        pub id: u32,
        #[index]
        #[evolve(renamed_from = "name")]
        pub full_name: String,
        pub note: Option<String>,
        #[merge(sum)]
        pub visits: i64,
        #[merge(union)]
        pub tags: BTreeSet<String>,
    }

    #[derive(Store)]
    #[store(name = "contacts", epoch = 1, previous = super::Contacts)]
    pub struct Contacts {
        pub people: Table<Person>,
    }
}

#[test]
fn a_late_edit_of_a_field_is_carried_across_an_epoch_as_one() {
    for order in 0..2 {
        let (_folder, path) = place();
        let (a, b) = (Contacts::open(&path).unwrap(), Contacts::in_memory().unwrap());
        a.people.insert_many((1..=3).map(person)).unwrap();
        a.people.update(&1, |person| person.visits += 10).unwrap();
        exchange(&a, &b);
        drop(a);
        let a = v1::Contacts::open(&path).unwrap();
        assert_eq!(a.people.get(&1).unwrap().unwrap().visits, 11);
        b.people.update(&1, |person| person.name = "by b".into()).unwrap();
        b.people.update(&1, |person| person.visits += 1).unwrap();
        b.people.update(&2, |person| person.note = None).unwrap();
        let edit = || {
            a.people.update(&1, |person| person.note = Some("by a".into())).unwrap();
            a.people.update(&1, |person| person.visits += 2).unwrap();
            a.people.update(&2, |person| person.full_name = "by a".into()).unwrap();
        };
        if order == 0 {
            edit();
        }
        give(&b, &a);
        if order == 1 {
            edit();
        }
        let one = a.people.get(&1).unwrap().unwrap();
        assert_eq!((one.full_name.as_str(), one.visits), ("by b", 14), "{order}");
        assert_eq!(one.note.as_deref(), Some("by a"));
        let two = a.people.get(&2).unwrap().unwrap();
        assert_eq!((two.full_name.as_str(), two.note), ("by a", None), "{order}");
        let found = a.people.filter(v1::Person::FULL_NAME.eq("by b")).all().unwrap();
        assert_eq!(found, std::slice::from_ref(&one));
        // A copy that hears of all of it later sees the same.
        let c = v1::Contacts::in_memory().unwrap();
        exchange(&a, &c);
        assert_eq!(rows(&c.people), rows(&a.people), "{order}");
        drop(a);
        assert_sound::<v1::Contacts>(&path);
        assert_eq!(v1::Contacts::open(&path).unwrap().people.get(&1).unwrap(), Some(one));
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(merge = "fields")]
struct Page {
    id: u32,
    title: String,
    done: bool,
    #[updated]
    changed_at: i64,
}

#[derive(Store)]
struct Pages {
    pages: Table<Page>,
}

#[test]
fn the_time_of_a_change_makes_no_late_edit_wait() {
    let (a, b) = (Pages::in_memory().unwrap(), Pages::in_memory().unwrap());
    a.pages.insert(&Page { id: 1, title: "one".into(), done: false, changed_at: 0 }).unwrap();
    exchange(&a, &b);
    a.compact_history().unwrap();
    a.pages.update(&1, |page| page.title = "by a".into()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(5));
    b.pages.update(&1, |page| page.done = true).unwrap();
    exchange(&a, &b);
    exchange(&b, &a);
    for app in [&a, &b] {
        let page = app.pages.get(&1).unwrap().unwrap();
        assert_eq!((page.title.as_str(), page.done), ("by a", true));
        assert!(app.quarantine().unwrap().is_empty());
    }
}

#[test]
fn the_time_of_a_change_is_not_a_lost_edit() {
    for _ in 0..PAIRS {
        let (a, b) = (Pages::in_memory().unwrap(), Pages::in_memory().unwrap());
        let page = Page { id: 1, title: "one".into(), done: false, changed_at: 0 };
        a.pages.insert(&page).unwrap();
        exchange(&a, &b);
        a.pages.update(&1, |page| page.title = "two".into()).unwrap();
        b.pages.update(&1, |page| page.done = true).unwrap();
        exchange(&a, &b);
        let page = a.pages.get(&1).unwrap().unwrap();
        assert_eq!((page.title.as_str(), page.done), ("two", true));
        assert_eq!(b.pages.get(&1).unwrap(), Some(page));
        assert!(a.lost_edits().unwrap().is_empty() && b.lost_edits().unwrap().is_empty());
    }
}

#[test]
fn cells_that_no_heirloom_writes_harm_nothing() {
    let (_folder, path) = place();
    let app = Contacts::open(&path).unwrap();
    app.people.insert_many((1..=3).map(person)).unwrap();
    let text = forge::Value::Text;
    let cells = [
        ("1\u{1}name", text("\"by another program\"")),
        ("1\u{1}note", text("\"x\",\"id\":7")),
        ("1\u{1}visits\u{2}7", text("many")),
        ("1\u{1}visits\u{2}8", text("9223372036854775807")),
        ("1\u{1}tags\u{3}\"c\"", forge::Value::Null),
        ("1\u{1}tags\u{3}[", text("true")),
        ("1\u{1}address\u{1}zip\u{1}deep", text("1")),
        ("1\u{1}unknown", text("[1,2]")),
        ("2", text("\"no path\"")),
        ("\u{1}", text("1")),
        ("9\u{1}name", text("\"of no row\"")),
        ("3\u{1}name", text("7")),
    ];
    let update = forge::update(7, 0, "cells:people", &cells);
    app.apply(&Changes::from_bytes(&forge::framed("contacts", "0", &update)).unwrap()).unwrap();
    let tags = ["a", "b", "c"].map(String::from).into();
    let expected =
        Person { name: "by another program".into(), visits: i64::MAX, tags, ..person(1) };
    assert_eq!(of(&app, 1), expected);
    assert_eq!(of(&app, 2), person(2));
    // A value of another type is an invalid row, which is named and can be put right.
    let invalid = app.people.invalid().unwrap();
    assert_eq!(invalid.iter().map(|row| row.key().to_owned()).collect::<Vec<_>>(), ["3"]);
    app.people.put(&person(3)).unwrap();
    // Fields that this code does not know are kept by its edits.
    app.people.update(&1, |person| person.name = "mine".into()).unwrap();
    let other = Contacts::in_memory().unwrap();
    meet(&app, &other);
    assert_eq!(of(&other, 1), Person { name: "mine".into(), ..expected });
    assert_eq!(of(&other, 3), person(3));
    app.people.remove(&1).unwrap();
    meet(&app, &other);
    drop(app);
    assert_sound::<Contacts>(&path);
}

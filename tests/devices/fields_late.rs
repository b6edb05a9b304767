//! Rows of a table that merges by field, written whole or removed, that meet over a rebuild.

use super::fields::{Contacts, Person, person, v1};
use crate::support::{exchange, give};

fn device() -> Contacts {
    Contacts::in_memory().unwrap()
}

/// A device that has built its history anew before it had a row.
fn rebuilt() -> Contacts {
    let app = device();
    app.compact_history().unwrap();
    app
}

fn visits(app: &Contacts) -> i64 {
    app.people.get(&1).unwrap().unwrap().visits
}

#[test]
fn what_was_counted_of_a_removed_row_is_counted_once_if_a_late_row_shows() {
    let (a, b) = (rebuilt(), device());
    a.people.insert(&person(1)).unwrap();
    a.people.update(&1, |person| person.visits += 10).unwrap();
    a.people.remove(&1).unwrap();
    b.people.insert(&person(1)).unwrap();
    give(&b, &a);
    let shown = visits(&a);
    a.people.update(&1, |person| person.visits += 100).unwrap();
    assert_eq!(visits(&a), shown + 100);
    exchange(&a, &b);
    assert_eq!((visits(&a), visits(&b)), (shown + 100, shown + 100));
}

#[test]
fn a_removal_in_an_older_document_takes_a_row_with_counts_away() {
    for is_copy in [false, true] {
        let (a, b) = (device(), device());
        if !is_copy {
            b.compact_history().unwrap();
        }
        a.people.insert(&person(1)).unwrap();
        a.people.update(&1, |person| person.visits += 10).unwrap();
        give(&a, &b);
        if is_copy {
            b.compact_history().unwrap();
        }
        assert_eq!(visits(&b), 11);
        a.people.remove(&1).unwrap();
        exchange(&a, &b);
        for app in [&a, &b] {
            assert_eq!(app.people.get(&1).unwrap(), None, "{is_copy}");
            assert!(app.quarantine().unwrap().is_empty());
        }
    }
}

#[test]
fn a_removal_in_an_older_epoch_takes_a_row_with_counts_away() {
    let (a, b) = (device(), v1::Contacts::in_memory().unwrap());
    a.people.insert(&person(1)).unwrap();
    a.people.update(&1, |person| person.visits += 10).unwrap();
    give(&a, &b);
    assert_eq!(b.people.get(&1).unwrap().unwrap().visits, 11);
    a.people.remove(&1).unwrap();
    give(&a, &b);
    assert_eq!(b.people.get(&1).unwrap(), None);
    assert!(b.quarantine().unwrap().is_empty());
}

#[test]
fn a_count_that_a_removal_in_an_older_document_did_not_know_keeps_the_row() {
    let (a, b, c) = (device(), device(), device());
    a.people.insert(&person(1)).unwrap();
    exchange(&a, &c);
    c.people.update(&1, |person| person.visits += 10).unwrap();
    give(&c, &b);
    b.compact_history().unwrap();
    a.people.remove(&1).unwrap();
    exchange(&a, &b);
    assert_eq!((visits(&a), visits(&b)), (11, 11));
}

#[test]
fn a_row_that_loses_in_an_older_document_to_one_after_another_is_listed() {
    for _ in 0..12 {
        let (a, b, c) = (device(), device(), device());
        let named = |name: &str| Person { name: name.into(), ..person(1) };
        a.people.insert(&named("a")).unwrap();
        a.people.update(&1, |person| person.visits += 10).unwrap();
        a.compact_history().unwrap();
        b.people.insert(&named("b")).unwrap();
        b.people.remove(&1).unwrap();
        c.people.insert(&named("c")).unwrap();
        give(&b, &a);
        give(&c, &a);
        let shown = a.people.get(&1).unwrap().unwrap();
        let lost = a.lost_edits().unwrap();
        let quarantine = a.quarantine().unwrap();
        let is_told = lost.iter().any(|lost| lost.loser().contains(r#""name":"a""#))
            || quarantine.iter().any(|kept| kept.theirs().contains(r#""name":"a""#));
        assert!(shown.name == "a" || is_told, "{shown:?} shows, {lost:?} {quarantine:?}");
    }
}

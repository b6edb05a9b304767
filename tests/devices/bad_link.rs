//! The helpers for tests of apps: the same course for the same seed, and nothing is lost in the end.

use std::path::Path;

use crate::support::{Notebook, content, note, place};
use heirloom::ErrorKind;
use heirloom::testing::{Link, open_copy, pair};

/// A course of edits that meet, over a bad connection: what both have before and after its end.
fn course(seed: u64, loss: f64) -> (String, String, String) {
    let (a, b) = pair::<Notebook>(seed).unwrap();
    let mut link = Link::new(&a, &b, seed).loses(loss);
    for round in 0..30 {
        a.notes.put(&note(round % 5, &format!("a {round}"))).unwrap();
        b.notes.put(&note(round % 7, &format!("b {round}"))).unwrap();
        if round % 4 == 0 {
            a.notes.remove(&(round % 3)).unwrap();
        }
        link.step().unwrap();
    }
    let (of_a, of_b) = (format!("{:?}", content(&a)), format!("{:?}", content(&b)));
    link.finish().unwrap();
    assert_eq!(content(&a), content(&b), "seed {seed}, loss {loss}");
    assert_eq!(a.summary().unwrap(), b.summary().unwrap());
    (of_a, of_b, format!("{:?}", content(&a)))
}

#[test]
fn a_seed_has_one_course_and_both_end_with_the_same() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let loss = seed as f64 / 8.0;
        let first = course(seed, loss);
        assert_eq!(first, course(seed, loss), "seed {seed}");
        ends.insert(first);
    }
    assert!(ends.len() > 4, "{} different courses", ends.len());
}

#[test]
fn a_link_that_loses_all_brings_nothing_before_its_end() {
    let (a, b) = pair::<Notebook>(3).unwrap();
    a.notes.insert(&note(1, "milk")).unwrap();
    let mut link = Link::new(&a, &b, 3).loses(1.0);
    for _ in 0..20 {
        link.step().unwrap();
    }
    assert_eq!(b.notes.len().unwrap(), 0);
    link.finish().unwrap();
    assert_eq!(b.notes.len().unwrap(), 1);
}

#[test]
fn a_copy_of_a_file_is_opened_and_removed_and_the_file_stays() {
    let (_folder, path) = place();
    Notebook::open(&path).unwrap().notes.insert(&note(1, "milk")).unwrap();
    let before = std::fs::read(&path).unwrap();
    let copy = open_copy::<Notebook>(&path).unwrap();
    copy.notes.insert(&note(2, "tea")).unwrap();
    assert_eq!(copy.notes.len().unwrap(), 2);
    let at = copy.path().to_owned();
    drop(copy);
    assert!(!at.exists());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let absent = open_copy::<Notebook>(Path::new("absent.redb")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::Storage);
    assert!(absent.to_string().contains("absent.redb"), "{absent}");
}

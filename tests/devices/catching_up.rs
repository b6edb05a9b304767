//! The changes for a copy cost what it lacks, not all that was ever written or removed.

use std::sync::atomic::Ordering;

use heirloom::__private::StorageOp;
use heirloom::sync::Summary;

use crate::support::{Notebook, counting, note, place};

/// A notebook with notes of which every second one was removed, and a copy of it that holds the same.
fn two(notes: u32) -> (Notebook, Notebook) {
    let (one, two) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    one.notes.insert_many((0..notes).map(|id| note(id, "note"))).unwrap();
    let removed = (0..notes).step_by(2);
    one.transaction(|tx| {
        removed.into_iter().try_for_each(|id| tx.remove::<crate::support::Note>(&id).map(drop))
    })
    .unwrap();
    exchange(&one, &two);
    two.settings.nickname.set(&Some("two".into())).unwrap();
    exchange(&one, &two);
    (one, two)
}

fn send(from: &Notebook, to: &Notebook) -> usize {
    let changes = from.changes_since(&to.summary().unwrap()).unwrap();
    to.apply(&changes).unwrap();
    changes.to_bytes().len()
}

fn exchange(one: &Notebook, two: &Notebook) -> usize {
    send(one, two) + send(two, one)
}

#[test]
fn a_removal_is_sent_without_those_that_are_known() {
    let (one, two) = two(4_000);
    one.notes.remove(&1).unwrap();
    let sent = send(&one, &two);
    assert!(sent < 300, "{sent} bytes for one removal beside 2,000 known ones");
    assert!(!two.notes.contains(&1).unwrap());
    assert!(one.changes_since(&two.summary().unwrap()).unwrap().is_empty());
}

#[test]
fn copies_that_both_went_on_are_sent_what_is_new() {
    let (one, two) = two(4_000);
    // So many that no state of one of them was ever a state of the other since.
    for id in (1..101_u32).step_by(2) {
        one.notes.remove(&id).unwrap();
        two.notes.remove(&(id + 1_000)).unwrap();
    }
    let sent = exchange(&one, &two);
    assert!(sent < 3_000, "{sent} bytes for a hundred removals beside 2,000 known ones");
    for app in [&one, &two] {
        assert_eq!(app.notes.len().unwrap(), 1_900);
    }
    assert!(one.changes_since(&two.summary().unwrap()).unwrap().is_empty());
    assert!(two.changes_since(&one.summary().unwrap()).unwrap().is_empty());
}

#[test]
fn a_copy_that_was_away_for_longer_than_the_journal_goes_gets_all_removals() {
    let (one, two) = two(4_000);
    for round in 0..2_200_u32 {
        one.notes.update(&1, |note| note.stars = i64::from(round)).unwrap();
    }
    one.notes.remove(&3).unwrap();
    send(&one, &two);
    assert_eq!(two.notes.get(&1).unwrap(), one.notes.get(&1).unwrap());
    assert!(!two.notes.contains(&3).unwrap());
    assert!(one.changes_since(&two.summary().unwrap()).unwrap().is_empty());
}

#[test]
fn a_longer_journal_spares_removals_to_who_was_away_for_longer() {
    let sent = |journal: u64| {
        let one = Notebook::builder().journal_commits(journal).in_memory().unwrap();
        let two = Notebook::in_memory().unwrap();
        one.notes.insert_many((0..4_000).map(|id| note(id, "note"))).unwrap();
        one.transaction(|tx| {
            (0..4_000)
                .step_by(2)
                .try_for_each(|id| tx.remove::<crate::support::Note>(&id).map(drop))
        })
        .unwrap();
        exchange(&one, &two);
        for round in 0..2_200_u32 {
            one.settings.size.set(&round).unwrap();
        }
        one.notes.remove(&3).unwrap();
        let bytes = send(&one, &two);
        assert!(!two.notes.contains(&3).unwrap());
        assert_eq!(two.settings.size.get().unwrap(), 2_199);
        bytes
    };
    let (short, usual, long) = (sent(1), sent(1_024), sent(10_000));
    assert!(long < 500, "{long} bytes");
    assert!(usual > 5 * long && short > 5 * long, "{short}, {usual}, {long} bytes");
}

/// How many pieces of two files are written, and how many bytes are sent, until one has a row of the other, beside
/// scattered removals that both know: each tenth of `notes`.
fn cost_of_one_row(notes: u32) -> (u64, usize) {
    let (hook, written) = counting(StorageOp::Write);
    let (_folder, path) = place();
    let one = Notebook::in_memory().unwrap();
    let two = Notebook::builder().storage_hook(hook).open(&path).unwrap();
    one.notes.insert_many((0..notes).map(|id| note(id, "note"))).unwrap();
    exchange(&one, &two);
    let removed: Vec<u32> = (0..notes).step_by(10).collect();
    for part in removed.chunks(100) {
        one.transaction(|tx| {
            part.iter().try_for_each(|id| tx.remove::<crate::support::Note>(id).map(drop))
        })
        .unwrap();
    }
    exchange(&one, &two);
    one.notes.insert(&note(notes, "new")).unwrap();
    let before = written.load(Ordering::Relaxed);
    let summary = two.summary().unwrap().to_bytes();
    let changes = one.changes_since(&Summary::from_bytes(&summary).unwrap()).unwrap();
    let bytes = summary.len() + changes.to_bytes().len();
    assert_eq!(two.apply(&changes).unwrap().rows(), 1);
    assert_eq!(two.notes.get(&notes).unwrap(), Some(note(notes, "new")));
    (written.load(Ordering::Relaxed) - before, bytes)
}

#[test]
fn one_row_costs_the_same_beside_any_number_of_scattered_removals() {
    let (few, few_bytes) = cost_of_one_row(300);
    let (many, many_bytes) = cost_of_one_row(30_000);
    // The trees of the file are a little higher.
    assert!(
        many <= few + 6,
        "{few} pieces of the file are written beside 30 removals, {many} beside 3,000"
    );
    assert!(few_bytes < 1_000 && many_bytes < 1_000, "{few_bytes} and {many_bytes} bytes are sent");
}

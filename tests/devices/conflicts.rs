//! Edits that meet: an edit wins against a removal that did not know it, and every loss is reported.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{Heard, Note, Notebook, assert_sound, content, give, note, place, refused};
use heirloom::ErrorKind;
use heirloom::sync::LostEdit;

/// How often a pair is tried, so that each device is the one whose edit wins in some.
const PAIRS: usize = 24;

fn pair() -> (Notebook, Notebook) {
    let (a, b) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    a.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
    meet(&a, &b);
    (a, b)
}

/// Exchanges until neither lacks anything: what is written again is new to the other.
fn meet(a: &Notebook, b: &Notebook) {
    for _ in 0..6 {
        give(a, b);
        give(b, a);
        if a.changes_since(&b.summary().unwrap()).unwrap().is_empty() {
            break;
        }
    }
    assert_eq!(content(a), content(b));
}

/// Key, winner and loser.
type Told = (String, String, String);

fn told(lost: &LostEdit) -> Told {
    (lost.key().to_owned(), lost.winner().to_owned(), lost.loser().to_owned())
}

#[test]
fn the_author_and_the_device_that_merged_first_are_told_of_an_edit_that_lost_once() {
    let mut losers = BTreeSet::new();
    for _ in 0..PAIRS {
        let (a, b) = pair();
        let heard = [Heard::<Told>::default(), Heard::<Told>::default()];
        let _subscriptions = [(&a, &heard[0]), (&b, &heard[1])].map(|(app, heard)| {
            let heard = heard.clone();
            app.on_conflict(move |lost| heard.note(told(lost))).unwrap()
        });
        a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
        b.notes.update(&1, |note| note.stars = 5).unwrap();
        meet(&a, &b);
        let winner = a.notes.get(&1).unwrap().unwrap();
        let lists = [a.lost_edits().unwrap(), b.lost_edits().unwrap()];
        // `b` merged first. If its edit lost, it gave the edit on without its content.
        let a_lost = a.status().unwrap().device() < b.status().unwrap().device();
        assert_eq!((lists[0].len(), lists[1].len()), (usize::from(a_lost), 1), "{lists:?}");
        for (heard, list) in heard.iter().zip(&lists) {
            assert_eq!(heard.take(), list.iter().map(told).collect::<Vec<_>>());
            let Some(lost) = list.first() else { continue };
            assert_eq!((lost.table(), lost.key(), lost.is_entry()), ("notes", "1", false));
            let loser = lost.loser_as::<Note>().unwrap();
            assert_ne!(loser, winner);
            assert!(loser.title == "by a" || loser.stars == 5, "{loser:?}");
            assert_ne!(Some(lost.device()), lost.winner_device());
            losers.insert(loser.title);
        }
        // Nothing more of it, however often the same arrives.
        give(&a, &b);
        b.apply(&a.changes_since(&heirloom::sync::Summary::default()).unwrap()).unwrap();
        assert_eq!(b.lost_edits().unwrap().len(), 1);
    }
    assert_eq!(losers.len(), 2, "each order of device ids");
}

#[test]
fn a_loss_is_noticed_at_the_time_of_the_stores_own_clock() {
    let now = UNIX_EPOCH + Duration::from_secs(5);
    let a = Notebook::builder().clock(move || now).in_memory().unwrap();
    a.notes.insert(&note(1, "one")).unwrap();
    let b = Notebook::in_memory().unwrap();
    meet(&a, &b);
    // Of edits of both, `a` merges first and so notices the one that lost.
    a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
    b.notes.update(&1, |note| note.title = "by b".into()).unwrap();
    give(&b, &a);
    let lost = a.lost_edits().unwrap();
    assert_eq!(lost.iter().map(LostEdit::noticed_at).collect::<Vec<_>>(), [now]);
}

#[test]
fn what_was_not_lost_is_not_reported() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        // Equal contents.
        a.notes.update(&1, |note| note.stars = 9).unwrap();
        b.notes.update(&1, |note| note.stars = 9).unwrap();
        // One after the other.
        a.notes.update(&2, |note| note.stars = 1).unwrap();
        meet(&a, &b);
        b.notes.update(&2, |note| note.stars = 2).unwrap();
        b.notes.update(&2, |note| note.stars = 3).unwrap();
        meet(&a, &b);
        a.notes.remove(&2).unwrap();
        meet(&a, &b);
        for app in [&a, &b] {
            assert!(app.lost_edits().unwrap().is_empty(), "{:?}", app.lost_edits().unwrap());
        }
    }
}

#[test]
fn an_edit_wins_against_an_edit_and_a_removal_that_did_not_know_it() {
    for _ in 0..PAIRS {
        let (a, b) = pair();
        a.notes.update(&1, |note| note.title = "kept".into()).unwrap();
        a.settings.size.set(&70).unwrap();
        b.notes.update(&1, |note| note.stars = 5).unwrap();
        b.notes.remove(&1).unwrap();
        b.settings.size.set(&80).unwrap();
        b.settings.size.reset().unwrap();
        meet(&a, &b);
        for app in [&a, &b] {
            assert_eq!(app.notes.get(&1).unwrap(), Some(note(1, "kept")));
            assert_eq!(app.settings.size.get().unwrap(), 70);
            assert!(app.lost_edits().unwrap().is_empty(), "it was written again");
        }
        // A removal that knows it holds.
        b.notes.remove(&1).unwrap();
        meet(&a, &b);
        assert_eq!(a.notes.get(&1).unwrap(), None);
    }
}

#[test]
fn what_a_removal_displaced_is_listed_until_its_author_writes_it_again() {
    let mut listed = 0;
    for _ in 0..PAIRS {
        let (a, b) = pair();
        a.notes.update(&1, |note| note.title = "kept".into()).unwrap();
        b.notes.update(&1, |note| note.stars = 5).unwrap();
        b.notes.remove(&1).unwrap();
        give(&a, &b);
        let lost = b.lost_edits().unwrap();
        if b.notes.get(&1).unwrap().is_none() {
            listed += 1;
            assert_eq!(lost.len(), 1);
            assert_eq!((lost[0].winner(), lost[0].winner_device()), ("null", None));
            assert_eq!(lost[0].winner_as::<Note>().unwrap(), None);
            assert_eq!(lost[0].loser_as::<Note>().unwrap(), note(1, "kept"));
            if listed % 2 == 0 {
                // Should the author never come back, this device can bring it back.
                lost[0].take().unwrap();
                assert_eq!(b.notes.get(&1).unwrap(), Some(note(1, "kept")));
            }
        }
        meet(&a, &b);
        assert_eq!(a.notes.get(&1).unwrap(), Some(note(1, "kept")));
        assert!(b.lost_edits().unwrap().is_empty());
    }
    assert!(listed > 0, "the edit never lost");
}

#[test]
fn a_lost_edit_is_taken_or_dismissed_once() {
    let (a, b) = pair();
    a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
    b.notes.update(&1, |note| note.title = "by b".into()).unwrap();
    a.settings.theme.set("dark").unwrap();
    b.settings.theme.set("dim").unwrap();
    meet(&b, &a);
    let lost = a.lost_edits().unwrap();
    assert_eq!(lost.len(), 2);
    let (row, entry) = if lost[0].is_entry() { (&lost[1], &lost[0]) } else { (&lost[0], &lost[1]) };
    assert_eq!((entry.table(), entry.key()), ("settings", "theme"));
    assert_eq!(refused(entry.loser_as::<Note>()).kind(), ErrorKind::InvalidRow);
    assert_eq!(refused(entry.winner_as::<Note>()).kind(), ErrorKind::InvalidRow);
    assert_eq!((row.key_of::<Note>(), entry.key_of::<Note>()), (Some(1), None));
    assert_eq!(row.winner_as::<Note>().unwrap(), a.notes.get(&1).unwrap());
    let theme = &a.settings.theme;
    let mut themes = [entry.loser_of(theme).unwrap(), theme.get().unwrap()];
    themes.sort();
    assert_eq!(themes, ["dark", "dim"]);
    assert_eq!(refused(row.loser_of(theme)).kind(), ErrorKind::InvalidRow);

    let loser = row.loser_as::<Note>().unwrap();
    row.take().unwrap();
    assert_eq!(a.notes.get(&1).unwrap(), Some(loser.clone()));
    entry.dismiss().unwrap();
    assert!(a.lost_edits().unwrap().is_empty());
    for error in [refused(row.take()), refused(row.dismiss()), refused(entry.dismiss())] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    meet(&a, &b);
    assert_eq!(b.notes.get(&1).unwrap(), Some(loser));
    // The list is each device's own. What was taken stands, so that it is not lost there either.
    assert!(b.lost_edits().unwrap().iter().all(LostEdit::is_entry));
}

#[test]
fn own_edits_and_the_list_survive_restarts_and_copies_of_the_file() {
    for round in 0..PAIRS {
        let (_folder, path) = place();
        let open = || Notebook::open(&path).unwrap();
        let (b, c) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
        let a = open();
        a.notes.insert(&note(1, "one")).unwrap();
        give(&a, &b);
        give(&a, &c);
        a.notes.update(&1, |note| note.title = "mine".into()).unwrap();
        b.notes.update(&1, |note| note.title = "other".into()).unwrap();
        give(&b, &a);
        let is_lost = !a.lost_edits().unwrap().is_empty();
        drop(a);
        assert_sound::<Notebook>(&path);
        if round % 2 == 0 {
            // A copy writes under an id of its own, and goes on for the original.
            let copy = path.with_extension("copy");
            std::fs::copy(&path, &copy).unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::copy(&copy, &path).unwrap();
        } else if round % 3 == 0 {
            // A backup, too.
            let copy = path.with_extension("backup");
            open().backup(&copy).unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::rename(&copy, &path).unwrap();
        }
        let a = open();
        assert_eq!(!a.lost_edits().unwrap().is_empty(), is_lost);
        // It removes what it knows, which is not the edit of the device whose file was closed.
        give(&b, &c);
        c.notes.remove(&1).unwrap();
        give(&c, &a);
        assert_eq!(a.notes.get(&1).unwrap(), Some(note(1, "mine")), "round {round}");
        meet(&a, &b);
        meet(&a, &c);
    }
}

#[test]
fn of_more_lost_edits_than_the_bound_the_newest_are_kept() {
    let a = Notebook::builder().max_lost_edits(20).in_memory().unwrap();
    let b = Notebook::in_memory().unwrap();
    for round in 0..10u32 {
        let ids = round * 10..round * 10 + 10;
        a.notes.insert_many(ids.clone().map(|id| note(id, "a"))).unwrap();
        b.notes.insert_many(ids.map(|id| note(id, "b"))).unwrap();
        // `a` merges first, so that it is told whichever wins.
        meet(&b, &a);
    }
    let kept = a.lost_edits().unwrap();
    assert!((10..=20).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|lost| lost.key().parse::<u32>().unwrap() >= 70), "{kept:?}");
}

#[test]
fn a_callback_may_decide_at_once() {
    let (a, b) = pair();
    let heard = Heard::<Result<(), ErrorKind>>::default();
    let note_decision = heard.clone();
    let _subscription = a
        .on_conflict(move |lost| note_decision.note(lost.dismiss().map_err(|error| error.kind())))
        .unwrap();
    a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
    b.notes.update(&1, |note| note.title = "by b".into()).unwrap();
    meet(&b, &a);
    assert_eq!(heard.take(), [Ok(())]);
    assert!(a.lost_edits().unwrap().is_empty());
}

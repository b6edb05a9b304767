//! A history that takes more than its limit is rebuilt by itself.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Notebook, assert_sound, content, converge, give, note, place};
use heirloom::Durability;

const LIMIT: u64 = 20_000;

fn open(path: &Path) -> Notebook {
    Notebook::builder()
        .durability(Durability::Eventual)
        .history_limit(LIMIT)
        .journal_commits(16)
        .on_progress(|progress| assert!(!progress.to_string().contains("problem"), "{progress}"))
        .open(path)
        .unwrap()
}

fn write_over(app: &Notebook, rounds: i64) {
    for round in 0..rounds {
        for id in 0..10 {
            app.notes.update(&id, |note| note.stars = round).unwrap().unwrap();
        }
    }
}

/// Waits for the work in the background.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn history_bytes(app: &Notebook) -> u64 {
    app.status().unwrap().history().document_bytes()
}

#[test]
fn what_takes_more_than_the_limit_is_rebuilt_and_given_up() {
    let (_folder, path) = place();
    let app = open(&path);
    app.notes.insert_many((0..10).map(|id| note(id, "note"))).unwrap();
    write_over(&app, 1_200);
    until("it is not rebuilt", || history_bytes(&app) <= LIMIT);
    assert!(app.status().unwrap().generation() >= 1);
    assert_eq!(app.notes.get(&3).unwrap().unwrap().stars, 1_199);
    until("the generation before is kept", || app.prune_epochs().unwrap().gone().count() == 0);
    app.compact().unwrap();
    drop(app);
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 300_000, "{bytes} bytes");
    assert_sound::<Notebook>(&path);
}

#[test]
fn rows_that_take_more_than_the_limit_are_no_history() {
    let app = Notebook::builder().history_limit(LIMIT).in_memory().unwrap();
    app.notes.insert_many((0..6_000).map(|id| note(id, "note"))).unwrap();
    assert!(history_bytes(&app) > LIMIT);
    write_over(&app, 20);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(app.status().unwrap().generation(), 0);
}

#[test]
fn devices_that_rebuild_by_themselves_lose_no_edit() {
    let (_folder, path) = place();
    let (_other_folder, other_path) = place();
    let (app, other) = (open(&path), open(&other_path));
    app.notes.insert_many((0..40).map(|id| note(id, "note"))).unwrap();
    converge(&app, &other);
    for round in 0..6 {
        // Both go on alone, one of them far enough to rebuild, and each edits rows that the other does not.
        write_over(if round % 2 == 0 { &app } else { &other }, 800);
        for id in 10..20 {
            app.notes.update(&id, |note| note.title = format!("app {round}")).unwrap().unwrap();
        }
        for id in 20..30 {
            other.notes.update(&id, |note| note.title = format!("other {round}")).unwrap().unwrap();
        }
        if round == 3 {
            write_over(&app, 800);
        }
        until("it is not rebuilt", || {
            history_bytes(if round % 2 == 0 { &app } else { &other }) <= LIMIT
        });
        // The document that is rebuilt meanwhile has to be exchanged as well.
        until("they do not come to the same", || {
            give(&app, &other);
            give(&other, &app);
            content(&app) == content(&other)
                && app.changes_since(&other.summary().unwrap()).unwrap().is_empty()
                && other.changes_since(&app.summary().unwrap()).unwrap().is_empty()
        });
        for id in 10..30 {
            let expected = if id < 20 { format!("app {round}") } else { format!("other {round}") };
            assert_eq!(app.notes.get(&id).unwrap().unwrap().title, expected, "round {round}, {id}");
        }
        // Rows that both have written over end with the same content.
        let kept = app.quarantine().unwrap();
        assert!(kept.is_empty(), "round {round}: {kept:?}");
    }
    assert!(app.status().unwrap().generation() >= 3);
    drop((app, other));
    assert_sound::<Notebook>(&path);
    assert_sound::<Notebook>(&other_path);
}

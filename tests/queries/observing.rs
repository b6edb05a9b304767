//! Observers: told once a commit, after it, and free to do as they like.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};

use crate::support::{Heard, Note, Notebook, converge, give, note, place, refused};
use heirloom::watch::TableChanges;
use heirloom::watch::{ChangeKind, Origin, Subscription};
use heirloom::{Error, Store};

use ChangeKind::{Inserted, Removed, Updated};

type Said = (Origin, Vec<(u32, ChangeKind)>);

fn said(changes: &TableChanges<Note>) -> Said {
    let mut keys: Vec<_> = changes.iter().map(|change| (*change.key(), change.kind())).collect();
    keys.sort_by_key(|(key, _)| *key);
    (changes.origin(), keys)
}

fn listen(app: &Notebook) -> (Heard<Said>, Subscription) {
    let heard = Heard::default();
    let noted = heard.clone();
    let subscription = app.notes.observe(move |changes| noted.note(said(changes))).unwrap();
    (heard, subscription)
}

#[test]
fn one_commit_is_one_notification_that_names_every_changed_key() {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert_many([note(1, "one"), note(2, "two"), note(3, "three")]).unwrap();
    let (heard, _subscription) = listen(&app);
    app.transaction(|tx| {
        tx.insert_many::<Note, _>([note(4, "four"), note(5, "passing")])?;
        tx.update::<Note>(&1, |note| note.stars = 1)?;
        tx.update::<Note>(&1, |note| note.stars = 2)?;
        tx.remove::<Note>(&2)?;
        tx.remove::<Note>(&5)?;
        tx.update::<Note>(&3, |_| ())?;
        tx.set(&app.settings.size, &3)?;
        assert!(heard.take().is_empty(), "told before the commit");
        Ok(())
    })
    .unwrap();
    let expected = vec![(1, Updated), (2, Removed), (4, Inserted)];
    assert_eq!(heard.take(), [(Origin::Local, expected)]);

    // Nothing is said of what did not happen, or happened elsewhere.
    refused(app.transaction(|tx| {
        tx.insert(&note(9, "nine"))?;
        Err::<(), _>(Error::custom("no"))
    }));
    app.settings.size.set(&4).unwrap();
    app.notes.update(&1, |_| ()).unwrap();
    app.notes.remove(&77).unwrap();
    assert_eq!(heard.take(), []);

    // Each commit has its own.
    app.notes.insert_many([note(6, "six"), note(7, "seven")]).unwrap();
    app.notes.put(&note(6, "again")).unwrap();
    let expected =
        [(Origin::Local, vec![(6, Inserted), (7, Inserted)]), (Origin::Local, vec![(6, Updated)])];
    assert_eq!(heard.take(), expected);
}

#[test]
fn changes_of_another_device_are_told_as_remote_and_only_once() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    {
        let app = Notebook::open(&path).unwrap();
        app.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
        converge(&app, &peer);
    }
    // After a restart, when nothing has been written yet.
    let app = Notebook::open(&path).unwrap();
    let (heard, _subscription) = listen(&app);
    let told = app.notes.clone();
    let read = Heard::default();
    let noted = read.clone();
    let _reads = app
        .notes
        .observe(move |changes| {
            for change in changes {
                noted.note(told.get(change.key()).unwrap().map(|note| note.title));
            }
        })
        .unwrap();
    peer.notes.put(&note(1, "theirs")).unwrap();
    peer.notes.remove(&2).unwrap();
    peer.notes.insert(&note(3, "three")).unwrap();
    give(&peer, &app);
    let expected = vec![(1, Updated), (2, Removed), (3, Inserted)];
    assert_eq!(heard.take(), [(Origin::Remote, expected)]);
    let mut read = read.take();
    read.sort();
    assert_eq!(read, [None, Some("theirs".into()), Some("three".into())], "read after the commit");
    let again = peer.changes_since(&<_>::default()).unwrap();
    assert!(app.apply(&again).unwrap().is_empty());
    assert_eq!(heard.take(), []);
}

#[test]
fn a_callback_may_read_write_subscribe_and_unsubscribe() {
    let app = Arc::new(Notebook::in_memory().unwrap());
    let own: Arc<OnceLock<Mutex<Option<Subscription>>>> = Arc::default();
    let calls = Heard::default();
    let (inside, slot, noted) = (app.clone(), own.clone(), calls.clone());
    let added = Arc::new(Mutex::new(Vec::new()));
    let kept = added.clone();
    let subscription = app
        .notes
        .observe(move |changes| {
            noted.note(said(changes).1);
            assert!(inside.notes.contains(&1).unwrap());
            if !inside.notes.contains(&2).unwrap() {
                inside.notes.insert(&note(2, "by the callback")).unwrap();
                kept.lock().unwrap().push(inside.notes.observe(|_| ()).unwrap());
            } else {
                drop(slot.get().unwrap().lock().unwrap().take());
            }
        })
        .unwrap();
    own.set(Mutex::new(Some(subscription))).unwrap();
    app.notes.insert(&note(1, "by the app")).unwrap();
    // Its own write is told to it after it has returned; then it has unsubscribed.
    assert_eq!(calls.take(), [vec![(1, Inserted)], vec![(2, Inserted)]]);
    app.notes.insert(&note(3, "after")).unwrap();
    assert_eq!(calls.take(), Vec::<Vec<_>>::new());
    assert_eq!((app.notes.len().unwrap(), added.lock().unwrap().len()), (3, 1));
}

#[test]
fn a_callback_that_panics_harms_nobody_else() {
    let app = Notebook::in_memory().unwrap();
    let (before, _first) = listen(&app);
    let _second = app.notes.observe(|_| panic!("in a callback")).unwrap();
    let (after, _third) = listen(&app);
    let _fourth = app.settings.size.observe(|_| panic!("in another")).unwrap();
    for id in 1..=3 {
        app.notes.insert(&note(id, "x")).unwrap();
        app.settings.size.set(&id).unwrap();
        let expected = [(Origin::Local, vec![(id, Inserted)])];
        assert_eq!((before.take(), after.take()), (expected.to_vec(), expected.to_vec()));
    }
    assert_eq!(app.notes.len().unwrap(), 3);
}

#[test]
fn a_dropped_subscription_is_told_nothing_more_and_a_later_one_nothing_earlier() {
    let app = Notebook::in_memory().unwrap();
    let (heard, subscription) = listen(&app);
    app.notes.insert(&note(1, "one")).unwrap();
    drop(subscription);
    app.notes.insert(&note(2, "two")).unwrap();
    let (later, _subscription) = listen(&app);
    app.notes.insert(&note(3, "three")).unwrap();
    assert_eq!(heard.take(), [(Origin::Local, vec![(1, Inserted)])]);
    assert_eq!(later.take(), [(Origin::Local, vec![(3, Inserted)])]);
}

#[test]
fn a_subscription_does_not_keep_the_file_open() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    let (_heard, _subscription) = listen(&app);
    let _size = app.settings.size.observe(drop).unwrap();
    drop(app);
    Notebook::open(&path).unwrap().notes.insert(&note(1, "reopened")).unwrap();
}

#[test]
fn commits_are_told_in_their_order_by_whichever_thread() {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert(&note(0, "counter")).unwrap();
    let (sender, told) = channel();
    let table = app.notes.clone();
    let _subscription = app
        .notes
        .observe(move |_| sender.send(table.get(&0).unwrap().unwrap().stars).unwrap())
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    app.notes.update(&0, |note| note.stars += 1).unwrap();
                }
            });
        }
    });
    // A delivery in one thread may still be running when the last write in another returns.
    let seen: Vec<i64> = (0..100).map(|_| told.recv().unwrap()).collect();
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&100));
}

/// The titles of a changed row, before and after.
type Titles = (u32, Option<String>, Option<String>);

#[test]
fn changes_carry_the_row_before_and_after_whatever_is_committed_in_the_meantime() {
    let (app, other) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    app.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
    converge(&app, &other);
    let heard = Heard::<Vec<Titles>>::default();
    let noted = heard.clone();
    let again = app.notes.clone();
    let _subscription = app.notes.observe(move |changes| {
        if changes.iter().any(|change| *change.key() == 1) {
            // A later commit does not show.
            again.put(&note(3, "between")).unwrap();
            again.remove(&1).unwrap();
        }
        let title = |note: heirloom::Result<Option<Note>>| note.unwrap().map(|note| note.title);
        let titles = changes.iter().map(|c| (*c.key(), title(c.before()), title(c.after())));
        let mut titles: Vec<Titles> = titles.collect();
        titles.sort();
        noted.note(titles);
    });
    let text = |text: &str| Some(text.to_owned());
    app.transaction(|tx| {
        tx.put(&note(1, "first"))?;
        tx.put(&note(1, "uno"))?;
        tx.remove::<Note>(&2)?;
        tx.insert(&note(4, "four"))
    })
    .unwrap();
    let first =
        vec![(1, text("one"), text("uno")), (2, text("two"), None), (4, None, text("four"))];
    let heard_first = heard.take();
    assert_eq!(heard_first[0], first);

    // Of a merge as well, and nothing is read that is not asked for.
    other.notes.put(&note(5, "five")).unwrap();
    let before = app.handle().touched().0;
    give(&other, &app);
    let merged = heard.take();
    let expected = |title: &Titles| merged.iter().flatten().any(|found| found == title);
    assert!(expected(&(5, None, text("five"))), "{merged:?}");
    assert!(app.handle().touched().0 > before);

    let quiet = Notebook::in_memory().unwrap();
    let (_heard, _subscription) = listen(&quiet);
    quiet.notes.put(&note(1, "one")).unwrap();
    quiet.notes.put(&note(1, "uno")).unwrap();
    assert_eq!(quiet.handle().touched().0, 0);
}

//! Writing: all or nothing, seen by its own transaction, refused with a reason.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{self, Notebook, assert_sound, content, note, place, refused, rows};
use heirloom::{Error, ErrorKind};

fn notebook() -> Notebook {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
    app
}

#[test]
fn a_transaction_reads_its_own_writes_and_nobody_else_does() {
    let app = notebook();
    app.transaction(|tx| {
        tx.insert(&note(3, "three"))?;
        tx.update::<support::Note>(&1, |note| note.stars = 5)?;
        assert!(tx.remove::<support::Note>(&2)?);
        tx.set(&app.settings.theme, "dark")?;

        assert_eq!(tx.get::<support::Note>(&1)?.unwrap().stars, 5);
        assert!(tx.contains::<support::Note>(&3)? && !tx.contains::<support::Note>(&2)?);
        assert_eq!(tx.get::<support::Note>(&2)?, None);
        assert_eq!(tx.len::<support::Note>()?, 2);
        let ids: Vec<u32> = tx.iter::<support::Note>()?.map(|note| note.unwrap().id).collect();
        assert_eq!(ids, [1, 3]);
        assert_eq!(tx.entry(&app.settings.theme)?, "dark");
        assert_eq!(tx.group::<support::Settings>()?.theme, "dark");

        // Outside, what is committed still stands.
        assert_eq!(app.notes.get(&1)?.unwrap().stars, 0);
        assert_eq!((app.notes.len()?, app.settings.theme.get()?), (2, "light".to_owned()));
        Ok(())
    })
    .unwrap();
    assert_eq!(app.notes.get(&1).unwrap().unwrap().stars, 5);
    assert_eq!(rows(&app.notes).len(), 2);
}

#[test]
fn set_remove_set_and_remove_set_remove_leave_the_last_state() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
    app.transaction(|tx| {
        tx.insert(&note(7, "first"))?;
        assert!(tx.remove::<support::Note>(&7)?);
        tx.insert(&note(7, "again"))?;

        assert!(tx.remove::<support::Note>(&1)?);
        tx.insert(&note(1, "back"))?;
        assert!(tx.remove::<support::Note>(&1)?);
        assert!(!tx.remove::<support::Note>(&1)?);

        tx.set(&app.settings.size, &1)?;
        tx.reset(&app.settings.size)?;
        tx.set(&app.settings.size, &2)
    })
    .unwrap();
    let expected = [note(2, "two"), note(7, "again")];
    assert_eq!(rows(&app.notes), expected);
    assert_eq!(app.settings.size.get().unwrap(), 2);
    drop(app);
    assert_sound::<Notebook>(&path);
    assert_eq!(rows(&Notebook::open(&path).unwrap().notes), expected);
}

#[test]
fn an_error_or_a_panic_in_the_closure_leaves_nothing_behind() {
    let app = notebook();
    let (before, summary) = (content(&app), app.summary().unwrap());
    let error = refused(app.transaction(|tx| {
        tx.insert(&note(3, "three"))?;
        tx.remove::<support::Note>(&1)?;
        tx.set(&app.settings.size, &99)?;
        Err::<(), _>(Error::custom("no"))
    }));
    assert_eq!((error.kind(), error.to_string().contains("no")), (ErrorKind::Custom, true));
    assert_eq!((content(&app), app.summary().unwrap()), (before.clone(), summary.clone()));

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        app.transaction(|tx| {
            tx.insert(&note(3, "three"))?;
            panic!("in the closure");
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        })
    }));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        app.notes.update(&1, |note| {
            note.title = "lost".into();
            panic!("in the update");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!((content(&app), app.summary().unwrap()), (before, summary));
    // And the store goes on, in this thread and in another.
    app.notes.insert(&note(3, "three")).unwrap();
    std::thread::scope(|scope| scope.spawn(|| app.notes.insert(&note(4, "four")).unwrap()).join())
        .unwrap();
    assert_eq!(app.notes.len().unwrap(), 4);
}

#[test]
fn one_bad_row_stops_a_whole_insert_many() {
    let app = notebook();
    let error = refused(app.notes.insert_many([note(3, "new"), note(1, "there"), note(4, "new")]));
    assert_eq!((error.kind(), error.key()), (ErrorKind::AlreadyExists, Some("1")));
    assert_eq!((error.table(), error.store()), (Some("notes"), Some("notebook")));
    assert_eq!(app.notes.len().unwrap(), 2);
    let twice = refused(app.notes.insert_many([note(5, "a"), note(5, "b")]));
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    assert_eq!(app.notes.insert_many(Vec::<support::Note>::new()).unwrap(), 0);
    assert_eq!(app.notes.insert_many([note(5, "a"), note(6, "b")]).unwrap(), 2);
}

#[test]
fn insert_put_update_and_remove_say_what_they_found() {
    let app = notebook();
    let error = refused(app.notes.insert(&note(1, "other")));
    assert_eq!((error.kind(), error.key()), (ErrorKind::AlreadyExists, Some("1")));
    assert!(error.to_string().contains("put"), "{error}");
    assert_eq!(app.notes.get(&1).unwrap().unwrap().title, "one");

    app.notes.put(&note(1, "other")).unwrap();
    app.notes.put(&note(9, "nine")).unwrap();
    assert_eq!(app.notes.get(&1).unwrap(), Some(note(1, "other")));
    assert_eq!(app.notes.get(&9).unwrap(), Some(note(9, "nine")));

    let updated = app.notes.update(&1, |note| note.stars += 2).unwrap().unwrap();
    assert_eq!((updated.stars, app.notes.get(&1).unwrap()), (2, Some(updated.clone())));
    assert_eq!(app.notes.update(&77, |_| panic!("there is no such row")).unwrap(), None);

    let error = refused(app.notes.update(&1, |note| note.id = 8));
    assert_eq!((error.kind(), error.field()), (ErrorKind::KeyChanged, Some("id")));
    assert_eq!((error.expected(), error.found()), (Some("1"), Some("8")));
    assert_eq!(app.notes.get(&1).unwrap(), Some(updated));
    assert!(!app.notes.contains(&8).unwrap());

    assert!(app.notes.remove(&1).unwrap());
    assert!(!app.notes.remove(&1).unwrap());
    assert_eq!(app.notes.get(&1).unwrap(), None);
}

#[test]
fn a_write_that_changes_nothing_makes_no_commit() {
    let app = notebook();
    let summary = app.summary().unwrap();
    assert!(app.notes.update(&1, |note| note.stars = 0).unwrap().is_some());
    assert!(!app.notes.remove(&99).unwrap());
    app.settings.size.reset().unwrap();
    app.transaction(|tx| {
        tx.insert(&note(5, "passing"))?;
        tx.remove::<support::Note>(&5).map(drop)
    })
    .unwrap();
    assert_eq!(app.summary().unwrap(), summary);
}

#[test]
fn a_write_beside_the_transaction_is_refused_and_what_goes_through_it_is_kept() {
    let app = notebook();
    let other = notebook();
    app.transaction(|tx| {
        for outcome in [
            app.notes.insert(&note(3, "beside")),
            app.notes.remove(&1).map(drop),
            app.settings.size.set(&1),
            app.transaction(|_| Ok(())),
            app.apply(&other.changes_since(&<_>::default())?).map(drop),
        ] {
            let error = refused(outcome);
            assert_eq!(error.kind(), ErrorKind::NestedTransaction);
            assert!(error.to_string().contains("tx.insert"), "{error}");
        }
        // A call that only reads answers as of the last commit.
        assert!(!app.changes_since(&<_>::default())?.is_empty());
        app.summary()?;
        app.status()?;
        tx.insert(&note(4, "through"))?;
        // Another store is another matter.
        other.notes.insert(&note(4, "other"))
    })
    .unwrap();
    assert_eq!(rows(&app.notes).iter().map(|note| note.id).collect::<Vec<_>>(), [1, 2, 4]);
    app.notes.insert(&note(3, "after")).unwrap();
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let app = notebook();
    app.settings.size.set(&1).unwrap();
    let snapshot = app.snapshot().unwrap();
    let mut started = app.notes.iter().unwrap();
    started.next().unwrap().unwrap();
    app.notes.update(&1, |note| note.stars = 5).unwrap();
    app.notes.remove(&2).unwrap();
    app.notes.insert(&note(3, "three")).unwrap();
    app.settings.size.set(&2).unwrap();

    let titles = snapshot.iter::<support::Note>().unwrap().map(|note| note.unwrap().title);
    assert_eq!(titles.collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(snapshot.get::<support::Note>(&1).unwrap().unwrap().stars, 0);
    assert!(snapshot.contains::<support::Note>(&2).unwrap());
    assert_eq!(snapshot.len::<support::Note>().unwrap(), 2);
    assert_eq!(snapshot.entry(&app.settings.size).unwrap(), 1);
    assert_eq!(snapshot.group::<support::Settings>().unwrap().size, 1);
    assert_eq!(started.next().unwrap().unwrap().title, "two", "an iterator is a snapshot, too");
    assert_eq!(app.snapshot().unwrap().len::<support::Note>().unwrap(), 2);
    // It outlives the store it was taken of.
    drop(app);
    assert_eq!(snapshot.len::<support::Note>().unwrap(), 2);
}

#[test]
fn the_entry_of_one_open_store_is_refused_in_the_transaction_of_another() {
    let (a, b) = (notebook(), notebook());
    let error = refused(a.transaction(|tx| tx.set(&b.settings.size, &3)));
    assert_eq!(error.kind(), ErrorKind::WrongStore);
    assert_eq!(
        refused(a.snapshot().unwrap().entry(&b.settings.size)).kind(),
        ErrorKind::WrongStore
    );
    assert_eq!((a.settings.size.get().unwrap(), b.settings.size.get().unwrap()), (12, 12));
}

#[test]
fn a_seed_is_part_of_the_first_commit_and_runs_only_then() {
    let (_folder, path) = place();
    let seeded = |title: &'static str| {
        Notebook::builder().on_create(move |tx| tx.insert(&note(1, title))).open(&path)
    };
    let failed = Notebook::builder()
        .on_create(|tx| {
            tx.insert(&note(1, "half"))?;
            Err(Error::custom("no"))
        })
        .open(&path);
    assert_eq!(refused(failed).kind(), ErrorKind::Custom);
    assert!(!path.exists(), "a store that could not be made leaves no file");
    drop(seeded("first").unwrap());
    assert_eq!(rows(&seeded("second").unwrap().notes), [note(1, "first")]);
}

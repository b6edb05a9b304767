//! The versions of its schema that a store has had: recorded once, told, and left alone by reading.

use std::fs;
use std::path::Path;

use crate::apps::{self, first, second, third};
use crate::support::{
    Heard, assert_same_bytes, assert_sound, exchange, file, give, give_rows, place, refused,
};
use heirloom::schema::{History, Version};
use heirloom::{ErrorKind, Store, inspect};

fn fingerprint<S: Store>() -> String {
    S::schema().fingerprint()
}

fn fingerprints<'v>(versions: impl IntoIterator<Item = &'v Version>) -> Vec<String> {
    versions.into_iter().map(|version| version.fingerprint().to_owned()).collect()
}

/// Reads the versions in a file, without the types of an app.
fn recorded(path: &Path) -> Vec<String> {
    fingerprints(&inspect::open(path).unwrap().versions().unwrap())
}

#[test]
fn a_new_store_records_the_version_of_its_code() {
    let (_folder, path) = place();
    drop(first::App::open(&path).unwrap());
    assert_eq!(recorded(&path), [fingerprint::<first::App>()]);
    let app = first::App::open(&path).unwrap();
    let status = app.status().unwrap();
    let version = status.version();
    assert_eq!(version.schema(), &first::App::schema());
    assert_eq!(
        (version.epoch(), version.number(), version.parent(), version.date()),
        (0, None, None, None)
    );
    assert_eq!((status.epoch(), status.newer_version(), status.newer_epoch()), (0, None, None));
    assert_eq!(status.versions(), std::slice::from_ref(version));
    assert!(status.device().is_some());
    drop(app);
    assert_sound::<first::App>(&path);
}

#[test]
fn two_devices_record_the_same_for_one_version() {
    let (a, b) = (first::App::in_memory().unwrap(), first::App::in_memory().unwrap());
    let before = a.status().unwrap().versions().to_vec();
    assert_eq!(before, b.status().unwrap().versions());
    exchange(&a, &b);
    assert_eq!(before, a.status().unwrap().versions());
    assert_eq!(before, b.status().unwrap().versions());
    assert_ne!(a.status().unwrap().device(), b.status().unwrap().device());
}

#[test]
fn a_version_is_recorded_with_the_first_write_and_never_again() {
    let (_folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    for step in 0..3 {
        let app = second::App::open(&path).unwrap();
        // Reading records nothing, and knows of the version that it would be.
        let status = app.status().unwrap();
        assert_eq!(status.version().fingerprint(), fingerprint::<second::App>());
        assert_eq!(status.version().parent(), Some(&*fingerprint::<first::App>()));
        assert_eq!(status.versions().len(), if step < 1 { 1 } else { 2 });
        if step == 0 {
            app.songs.put(&second::song(2)).unwrap();
            assert_eq!(app.status().unwrap().versions().len(), 2);
        }
    }
    let (head, entries) = (file::items(&path, "head"), recorded(&path));
    assert_eq!(file::commits(&path, "head"), 2, "one commit a version");
    assert_eq!(entries, [fingerprint::<first::App>(), fingerprint::<second::App>()]);
    for round in 0..1000 {
        match round % 3 {
            0 => second::App::open(&path).unwrap().songs.put(&second::song(round)).unwrap(),
            1 => first::App::open(&path).unwrap().songs.put(&first::song(round)).unwrap(),
            _ => drop(first::App::open(&path).unwrap().status().unwrap()),
        }
    }
    assert!(file::items(&path, "head") == head, "the head document has grown");
    assert_eq!(recorded(&path), entries);
    assert_sound::<second::App>(&path);
}

#[test]
fn reading_with_newer_and_with_older_code_changes_no_byte() {
    let (folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    let newer = folder.path().join("newer.redb");
    second::App::open(&newer).unwrap().songs.insert(&second::song(1)).unwrap();
    for (path, len) in [(&path, 1), (&newer, 1)] {
        let before = fs::read(path).unwrap();
        for _ in 0..50 {
            let app = second::App::open(path).unwrap();
            assert_eq!(app.songs.get(&1).unwrap().unwrap().stars, None);
            assert_eq!(app.status().unwrap().versions().len(), len);
            drop(app);
            let app = first::App::open(path).unwrap();
            assert_eq!(app.songs.get(&1).unwrap().unwrap(), first::song(1));
            drop(app.on_newer_schema(|_| ()).unwrap());
            app.summary().unwrap();
            drop(app);
            assert!(first::App::check(path).unwrap().is_ok());
            let file = inspect::open(path).unwrap();
            assert_eq!(
                (file.store(), file.format(), file.versions().unwrap().len()),
                ("player", 2, len)
            );
        }
        assert_same_bytes(&before, &fs::read(path).unwrap());
    }
}

#[test]
fn old_code_goes_on_in_a_store_of_newer_code_and_can_tell() {
    let (_folder, path) = place();
    let song = second::Song { stars: Some(5), ..second::song(1) };
    second::App::open(&path).unwrap().songs.insert(&song).unwrap();
    // Code that no store has seen yet, too, is told to be the older one by what it lacks.
    for round in 0..2 {
        let app = first::App::open(&path).unwrap();
        let status = app.status().unwrap();
        let newer = status.newer_version().unwrap();
        assert_eq!(newer.fingerprint(), fingerprint::<second::App>());
        assert!(newer.schema().tables["songs"].fields.contains_key("stars"));
        assert_eq!(status.versions().len(), 1 + round);
        assert_eq!(status.newer_epoch(), None);
        app.songs.update(&1, |song| song.title = format!("edit {round}")).unwrap();
        assert_eq!(app.status().unwrap().newer_version(), Some(newer));
    }
    let app = second::App::open(&path).unwrap();
    let song = app.songs.get(&1).unwrap().unwrap();
    assert_eq!((song.title.as_str(), song.stars), ("edit 1", Some(5)));
    let status = app.status().unwrap();
    assert_eq!(status.newer_version(), None);
    assert_eq!(
        fingerprints(status.versions()),
        [fingerprint::<first::App>(), fingerprint::<second::App>()]
    );
}

#[test]
fn strict_code_refuses_a_store_of_newer_code_and_leaves_it_alone() {
    let (_folder, path) = place();
    second::App::open(&path).unwrap().songs.insert(&second::song(1)).unwrap();
    let refuse = || {
        let before = fs::read(&path).unwrap();
        let error = refused(first::App::builder().refuse_newer_schema(true).open(&path));
        assert_eq!(error.kind(), ErrorKind::NewerSchema);
        assert_eq!((error.store(), error.file()), (Some("player"), Some(&*path)));
        let text = error.to_string();
        assert!(
            text.contains(&fingerprint::<second::App>()) && text.contains("update the app"),
            "{text}"
        );
        assert_same_bytes(&before, &fs::read(&path).unwrap());
    };
    refuse();
    // Even where the file notes that this code may be used with it.
    first::App::open(&path).unwrap().songs.insert(&first::song(2)).unwrap();
    refuse();
    // The newer code is not refused, nor one that is newer still.
    for _ in 0..2 {
        second::App::builder()
            .refuse_newer_schema(true)
            .open(&path)
            .unwrap()
            .songs
            .put(&second::song(3))
            .unwrap();
    }
    let app = third::App::builder().refuse_newer_schema(true).open(&path).unwrap();
    assert_eq!(app.songs.len().unwrap(), 3);
}

#[test]
fn strict_code_takes_in_nothing_of_newer_code() {
    let app = first::App::builder().refuse_newer_schema(true).in_memory().unwrap();
    app.songs.insert(&first::song(1)).unwrap();
    let (same, newer) = (first::App::in_memory().unwrap(), second::App::in_memory().unwrap());
    newer.songs.insert(&second::song(2)).unwrap();
    same.songs.insert(&first::song(3)).unwrap();
    give(&same, &app);
    let before = app.summary().unwrap();
    let changes = newer.changes_since(&before).unwrap();
    for _ in 0..2 {
        let error = refused(app.apply(&changes));
        assert_eq!((error.kind(), error.store()), (ErrorKind::NewerSchema, Some("player")));
        assert_eq!((app.summary().unwrap(), app.songs.len().unwrap()), (before.clone(), 2));
        assert_eq!(app.status().unwrap().newer_version(), None);
    }
    app.songs.update(&1, |song| song.title.push('!')).unwrap();
    give(&same, &app);
    // A device that gives to newer code is not concerned.
    give(&app, &newer);
    assert_eq!(newer.songs.len().unwrap(), 3);
}

#[test]
fn a_newer_version_is_told_once_when_a_merge_brings_it() {
    let (_folder, path) = place();
    let app = first::App::open(&path).unwrap();
    let (seen, dropped) = (Heard::default(), Heard::default());
    let (log, never) = (seen.clone(), dropped.clone());
    let _panics = app.on_newer_schema(|_| panic!("of a callback, on purpose")).unwrap();
    let _sub =
        app.on_newer_schema(move |version| log.note(version.fingerprint().to_owned())).unwrap();
    drop(app.on_newer_schema(move |version| never.note(version.clone())).unwrap());

    // Neither what this code writes, nor what code of the same version does.
    app.songs.insert(&first::song(1)).unwrap();
    let same = first::App::in_memory().unwrap();
    exchange(&app, &same);
    assert!(seen.take().is_empty());

    let newer = second::App::in_memory().unwrap();
    newer.songs.insert(&second::song(2)).unwrap();
    give(&newer, &app);
    assert_eq!(seen.take(), [fingerprint::<second::App>()]);
    // From another device, and again from the first.
    let another = second::App::in_memory().unwrap();
    another.songs.insert(&second::song(3)).unwrap();
    give(&another, &app);
    newer.songs.insert(&second::song(4)).unwrap();
    exchange(&newer, &app);
    assert!(seen.take().is_empty());

    // Two at once.
    let newest = third::App::in_memory().unwrap();
    give(&second::App::in_memory().unwrap(), &newest);
    newest.songs.insert(&third::song(5)).unwrap();
    give(&newest, &app);
    assert_eq!(seen.take(), [fingerprint::<third::App>()]);
    assert_eq!(
        app.status().unwrap().newer_version().unwrap().fingerprint(),
        fingerprint::<third::App>()
    );
    assert!(dropped.take().is_empty());
    drop(app);

    // The version from the start is told by the status alone.
    let app = first::App::open(&path).unwrap();
    let log = seen.clone();
    let _again =
        app.on_newer_schema(move |version| log.note(version.fingerprint().to_owned())).unwrap();
    newest.songs.insert(&third::song(6)).unwrap();
    give(&newest, &app);
    assert!(seen.take().is_empty());
    assert!(app.status().unwrap().newer_version().is_some());
    drop(app);
    assert_sound::<first::App>(&path);
}

#[test]
fn a_callback_may_read_write_and_unsubscribe() {
    use std::sync::{Arc, Mutex};

    let app = Arc::new(first::App::in_memory().unwrap());
    let (seen, slot) = (Heard::default(), Arc::new(Mutex::new(None)));
    let (log, held, store) = (seen.clone(), slot.clone(), Arc::downgrade(&app));
    let sub = app
        .on_newer_schema(move |version| {
            let app = store.upgrade().unwrap();
            log.note(app.status().unwrap().newer_version() == Some(version));
            app.songs.put(&first::song(99)).unwrap();
            held.lock().unwrap().take();
        })
        .unwrap();
    *slot.lock().unwrap() = Some(sub);
    give(&second::App::in_memory().unwrap(), &*app);
    assert!(app.songs.contains(&99).unwrap());
    let newest = third::App::in_memory().unwrap();
    give(&newest, &*app);
    assert_eq!(seen.take(), [true], "it ended after the first call");
}

#[test]
fn versions_of_three_devices_are_in_the_order_of_their_age_on_all() {
    let (a, b, c) = (
        third::App::in_memory().unwrap(),
        first::App::in_memory().unwrap(),
        second::App::in_memory().unwrap(),
    );
    a.songs.insert(&third::Song { genre: "folk".into(), ..third::song(1) }).unwrap();
    b.songs.insert(&first::song(2)).unwrap();
    c.songs.insert(&second::Song { stars: Some(4), ..second::song(3) }).unwrap();
    for _ in 0..2 {
        exchange(&a, &b);
        exchange(&b, &c);
        exchange(&c, &a);
        b.songs.update(&1, |song| song.title.push('b')).unwrap().unwrap();
        b.songs.update(&3, |song| song.title.push('b')).unwrap().unwrap();
        c.songs.update(&1, |song| song.title.push('c')).unwrap().unwrap();
    }
    exchange(&a, &b);
    exchange(&b, &c);
    exchange(&c, &a);
    let all =
        [fingerprint::<first::App>(), fingerprint::<second::App>(), fingerprint::<third::App>()];
    for status in [a.status(), b.status(), c.status()] {
        assert_eq!(fingerprints(status.unwrap().versions()), all);
    }
    let newest = |status: heirloom::Result<heirloom::inspect::Status>| {
        status.unwrap().newer_version().map(|version| version.fingerprint().to_owned())
    };
    assert_eq!(newest(a.status()), None);
    assert_eq!(
        (newest(b.status()).as_ref(), newest(c.status()).as_ref()),
        (Some(&all[2]), Some(&all[2]))
    );
    let song = a.songs.get(&1).unwrap().unwrap();
    assert_eq!(
        (song.genre.as_str(), song.title.contains('b') || song.title.contains('c')),
        ("folk", true)
    );
    assert_eq!(a.songs.get(&3).unwrap().unwrap().stars, Some(4));
}

#[test]
fn code_with_a_history_records_all_versions_it_knows() {
    use apps::{recorded_first, recorded_third};

    let (_folder, path) = place();
    drop(recorded_first::App::open(&path).unwrap());
    recorded_third::App::open(&path).unwrap().songs.insert(&recorded_third::song(1)).unwrap();
    let text = include_str!("../fixtures/history/third.json");
    let history = History::parse(text).unwrap();
    let kept = inspect::open(&path).unwrap().versions().unwrap();
    assert_eq!(kept, history.versions());
    assert_eq!(kept[2].to_string(), "version 3, recorded on 2027-01-07");
    assert_eq!(inspect::open(&path).unwrap().schema().unwrap().as_ref(), Some(kept[2].schema()));
    assert_eq!(file::commits(&path, "head"), 2);

    // Neither of them is newer to code that knows them.
    let app = recorded_third::App::open(&path).unwrap();
    let status = app.status().unwrap();
    assert_eq!((status.version().number(), status.newer_version()), (Some(3), None));
    drop(app);
    let app = recorded_first::App::open(&path).unwrap();
    let status = app.status().unwrap();
    assert_eq!(status.version().number(), Some(1));
    assert_eq!(status.newer_version().and_then(Version::number), Some(3));
    drop(app);
    assert_sound::<recorded_third::App>(&path);
}

#[test]
fn code_that_adopts_a_history_goes_on_with_what_was_recorded_without() {
    use apps::recorded_second;

    let (_folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    let app = recorded_second::App::open(&path).unwrap();
    app.songs.put(&recorded_second::song(2)).unwrap();
    let status = app.status().unwrap();
    assert_eq!(
        fingerprints(status.versions()),
        [fingerprint::<first::App>(), fingerprint::<second::App>()]
    );
    assert_eq!(status.version().parent(), Some(&*fingerprint::<first::App>()));
    assert_eq!(status.newer_version(), None);
}

#[test]
fn what_inspect_is_given_is_a_store_or_an_error_that_says_why_not() {
    let (folder, path) = place();
    let kind = |path: &Path| {
        let error = refused(inspect::open(path));
        assert_eq!(error.file(), Some(path));
        error.kind()
    };
    assert_eq!(kind(&path), ErrorKind::Storage);
    assert!(!path.exists());
    assert_eq!(kind(folder.path()), ErrorKind::Storage);
    fs::write(&path, b"").unwrap();
    assert_eq!(kind(&path), ErrorKind::Corrupt);
    fs::write(&path, [7; 5000]).unwrap();
    assert_eq!(kind(&path), ErrorKind::Corrupt);
    fs::remove_file(&path).unwrap();
    file::of_another_program(&path);
    assert_eq!(kind(&path), ErrorKind::WrongStore);
    fs::remove_file(&path).unwrap();
    drop(first::App::open(&path).unwrap());
    let inspector = inspect::open(&path).unwrap();
    assert_eq!(refused(first::App::open(&path)).kind(), ErrorKind::Locked);
    drop(inspector);
    // A file that was written before versions were recorded has none.
    file::forget_versions(&path);
    let inspector = inspect::open(&path).unwrap();
    assert_eq!((inspector.versions().unwrap().len(), inspector.schema().unwrap()), (0, None));
    drop(inspector);
    file::set_meta(&path, "format", &99u64.to_le_bytes());
    assert_eq!(kind(&path), ErrorKind::NewerFormat);
}

#[test]
fn a_file_from_before_versions_were_recorded_gets_them_with_its_next_write() {
    let (_folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    file::forget_versions(&path);
    let before = fs::read(&path).unwrap();
    {
        let app = second::App::open(&path).unwrap();
        let status = app.status().unwrap();
        assert!(status.versions().is_empty() && status.newer_version().is_none());
        assert_eq!(status.version().parent(), None);
    }
    assert_same_bytes(&before, &fs::read(&path).unwrap());
    second::App::open(&path).unwrap().songs.insert(&second::song(2)).unwrap();
    assert_eq!(recorded(&path), [fingerprint::<second::App>()]);
    assert_sound::<second::App>(&path);
}

#[test]
fn a_store_that_is_only_merged_into_records_what_the_others_had() {
    let (_folder, path) = place();
    drop(first::App::open(&path).unwrap());
    file::forget_versions(&path);
    {
        let app = first::App::open(&path).unwrap();
        give(&second::App::in_memory().unwrap(), &app);
        // Rows of code that records nothing come as ever.
        let old = first::App::in_memory().unwrap();
        old.songs.insert(&first::song(7)).unwrap();
        give_rows(&old, &app);
    }
    assert_eq!(recorded(&path), [fingerprint::<second::App>()]);
    let app = first::App::open(&path).unwrap();
    assert!(app.status().unwrap().newer_version().is_some());
    app.songs.update(&7, |song| song.title.push('!')).unwrap().unwrap();
    drop(app);
    assert_eq!(recorded(&path), [fingerprint::<first::App>(), fingerprint::<second::App>()]);
}

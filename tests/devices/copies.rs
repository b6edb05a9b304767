//! Files that are copied, moved and restored: each copy writes as a device of its own.

use std::fs;
use std::path::Path;

use crate::support::{
    Notebook, assert_sound, content, converge, forge, give, note, place, refused,
};
use heirloom::ErrorKind;
use tempfile::TempDir;
use yrs::updates::decoder::Decode;
use yrs::{Doc, Map, ReadTxn, Transact, Update};

/// As many writes on either side: two devices under one id would use the same clocks for
/// different rows, and never notice.
fn edit(app: &Notebook, first: u32, by: &str) {
    for id in first..first + 5 {
        app.notes.insert(&note(id, by)).unwrap();
    }
    app.notes.put(&note(1, by)).unwrap();
    app.settings.nickname.set(&Some(by.to_owned())).unwrap();
}

fn original(path: &Path) {
    let app = Notebook::open(path).unwrap();
    app.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
}

/// Edits both files, lets them meet, and checks that no edit is lost.
fn edit_apart_and_meet(one: &Path, two: &Path) {
    let (a, b) = (Notebook::open(one).unwrap(), Notebook::open(two).unwrap());
    let before = a.notes.len().unwrap();
    edit(&a, 100, "a");
    edit(&b, 200, "b");
    // A third that hears of both, in the one order or the other.
    for sources in [[&a, &b], [&b, &a]] {
        let third = Notebook::in_memory().unwrap();
        for source in sources {
            give(source, &third);
        }
        for id in 0..5 {
            assert_eq!(third.notes.get(&(100 + id)).unwrap(), Some(note(100 + id, "a")));
            assert_eq!(third.notes.get(&(200 + id)).unwrap(), Some(note(200 + id, "b")));
        }
    }
    converge(&a, &b);
    assert_eq!(a.notes.len().unwrap(), before + 10);
    // And on, after they have met and restarted.
    drop((a, b));
    let (a, b) = (Notebook::open(one).unwrap(), Notebook::open(two).unwrap());
    edit(&a, 300, "a");
    edit(&b, 400, "b");
    converge(&b, &a);
    assert_eq!(a.notes.len().unwrap(), before + 20);
    drop((a, b));
    assert_sound::<Notebook>(one);
    assert_sound::<Notebook>(two);
}

#[test]
fn a_copied_file_and_its_original_are_two_devices() {
    let (folder, path) = place();
    let copy = folder.path().join("copy.redb");
    original(&path);
    fs::copy(&path, &copy).unwrap();
    edit_apart_and_meet(&path, &copy);
}

#[test]
fn a_copy_put_in_the_place_of_its_original_is_another_device() {
    let (folder, path) = place();
    let (copy, moved) = (folder.path().join("copy.redb"), folder.path().join("moved.redb"));
    original(&path);
    fs::copy(&path, &copy).unwrap();
    fs::rename(&path, &moved).unwrap();
    fs::rename(&copy, &path).unwrap();
    edit_apart_and_meet(&path, &moved);
}

#[test]
fn a_backup_is_complete_and_another_device() {
    let (folder, path) = place();
    let (backup, second) = (folder.path().join("backup.redb"), folder.path().join("second.redb"));
    original(&path);
    {
        let app = Notebook::open(&path).unwrap();
        app.settings.size.set(&7).unwrap();
        // While it is open, and without a pause between.
        app.backup(&backup).unwrap();
        app.backup(&second).unwrap();
        let error = refused(app.backup(&backup));
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(error.file(), Some(backup.as_path()));
        assert_eq!(refused(app.backup(&path)).kind(), ErrorKind::AlreadyExists);
        let error = refused(app.backup(folder.path().join("no/such/folder.redb")));
        assert_eq!(error.kind(), ErrorKind::Storage);
        app.notes.insert(&note(50, "later")).unwrap();
        let copy = Notebook::open(&second).unwrap();
        assert_eq!((copy.notes.len().unwrap(), copy.settings.size.get().unwrap()), (2, 7));
    }
    assert_sound::<Notebook>(&backup);
    edit_apart_and_meet(&backup, &second);
    let copy = Notebook::open(&backup).unwrap();
    converge(&copy, &Notebook::open(&path).unwrap());
    assert!(copy.notes.contains(&50).unwrap());
}

/// A device that others have heard of, put back to what it was before they did.
fn restored(back: fn(&Path, &Path), make: fn(&Path, &Path)) -> (TempDir, Notebook, Notebook) {
    let (folder, path) = place();
    let kept = folder.path().join("kept.redb");
    original(&path);
    let peer = Notebook::in_memory().unwrap();
    converge(&Notebook::open(&path).unwrap(), &peer);
    make(&path, &kept);
    {
        let app = Notebook::open(&path).unwrap();
        edit(&app, 100, "lost");
        give(&app, &peer);
    }
    back(&kept, &path);
    let app = Notebook::open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 2);
    (folder, app, peer)
}

fn by_backup(path: &Path, kept: &Path) {
    Notebook::open(path).unwrap().backup(kept).unwrap();
}

fn by_copy(path: &Path, kept: &Path) {
    fs::copy(path, kept).unwrap();
}

/// Over the bytes of the original, which keeps its inode.
fn over(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// As a new file under the old name, which many file systems give the inode of the file that was removed.
fn removed_first(from: &Path, to: &Path) {
    fs::remove_file(to).unwrap();
    fs::copy(from, to).unwrap();
}

/// As a new file under the old name.
fn renamed(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn a_backup_copied_back_over_the_original_reuses_no_clock() {
    for back in [over, renamed] {
        let (_folder, app, peer) = restored(back, by_backup);
        edit(&app, 200, "after");
        converge(&app, &peer);
        assert_eq!(app.notes.len().unwrap(), 2 + 5 + 5);
        assert_eq!(peer.notes.get(&200).unwrap(), Some(note(200, "after")));
    }
    let (_folder, app, peer) = restored(renamed, by_copy);
    edit(&app, 200, "after");
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 2 + 5 + 5);
}

#[test]
fn a_plain_copy_restored_in_place_that_merges_first_reuses_no_clock() {
    let (_folder, app, peer) = restored(over, by_copy);
    give(&peer, &app);
    edit(&app, 200, "after");
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 2 + 5 + 5);
    assert_eq!(content(&app).0.len(), 12);
}

#[test]
fn a_restored_copy_that_gets_only_the_newer_of_its_lost_writes_reuses_no_clock() {
    get_only_the_newer(false);
    get_only_the_newer(true);
}

fn get_only_the_newer(restarts: bool) {
    let (folder, path) = place();
    let kept = folder.path().join("kept.redb");
    original(&path);
    fs::copy(&path, &kept).unwrap();
    let (older, newer) = {
        let app = Notebook::open(&path).unwrap();
        let before = app.summary().unwrap();
        app.notes.insert(&note(100, "older")).unwrap();
        let between = app.summary().unwrap();
        app.settings.size.set(&100).unwrap();
        let newer = app.changes_since(&between).unwrap();
        (app.changes_since(&before).unwrap(), newer)
    };
    over(&kept, &path);
    let mut app = Notebook::open(&path).unwrap();
    app.apply(&newer).unwrap();
    if restarts {
        // The facts that it has learned of itself must not be forgotten.
        drop(app);
        app = Notebook::open(&path).unwrap();
    }
    app.notes.insert(&note(200, "after")).unwrap();
    app.apply(&older).unwrap();
    app.notes.insert(&note(201, "after")).unwrap();
    assert_eq!(app.notes.len().unwrap(), 2 + 3);
    converge(&app, &Notebook::in_memory().unwrap());
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn a_plain_copy_restored_in_place_that_writes_first_reuses_no_clock() {
    let (_folder, app, peer) = restored(over, by_copy);
    edit(&app, 200, "after");
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 2 + 5 + 5);
}

#[test]
fn a_copy_made_anew_where_the_original_was_removed_reuses_no_clock() {
    for make in [by_copy, by_backup] {
        let (_folder, app, peer) = restored(removed_first, make);
        edit(&app, 200, "after");
        converge(&app, &peer);
        assert_eq!(app.notes.len().unwrap(), 2 + 5 + 5);
    }
}

#[test]
fn a_plain_copy_restored_in_place_twice_reuses_no_clock() {
    let (folder, path) = place();
    let kept = folder.path().join("kept.redb");
    original(&path);
    let peer = Notebook::in_memory().unwrap();
    converge(&Notebook::open(&path).unwrap(), &peer);
    by_copy(&path, &kept);
    for round in [100, 110] {
        let app = Notebook::open(&path).unwrap();
        edit(&app, round, "lost");
        give(&app, &peer);
        drop(app);
        over(&kept, &path);
    }
    let app = Notebook::open(&path).unwrap();
    edit(&app, 200, "after");
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 2 + 5 * 3);
}

/// An update of another client that writes over the fourth item of a device, which it does not hold.
fn over_fourth_item(device: u64) -> Vec<u8> {
    let json = |title| format!(r#"{{"id":7,"title":"{title}","stars":0}}"#);
    let lost = json("lost");
    let lost = ["4", "5", "6", "7"].map(|key| (key, forge::Value::Text(&lost)));
    let doc = Doc::with_client_id(7);
    let notes = doc.get_or_insert_map("table:notes");
    let lost = Update::decode_v1(&forge::update(device, 0, "table:notes", &lost)).unwrap();
    doc.transact_mut().apply_update(lost).unwrap();
    let known = doc.transact().state_vector();
    notes.insert(&mut doc.transact_mut(), "7", json("over it"));
    doc.transact().encode_state_as_update_v1(&known)
}

#[test]
fn a_device_that_hears_only_of_what_follows_on_its_lost_writes_reuses_no_clock() {
    let (app, peer) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    app.notes.insert(&note(1, "one")).unwrap();
    converge(&app, &peer);
    let device = app.status().unwrap().device().unwrap();
    let applied = app.apply(&forge::changes(&over_fourth_item(device))).unwrap();
    assert!(applied.is_pending());
    assert_ne!(app.status().unwrap().device(), Some(device));
    for id in 10..20 {
        app.notes.insert(&note(id, "after")).unwrap();
    }
    // A waiting update is given once, and nothing is left to give.
    converge(&app, &peer);
    assert_eq!(peer.notes.len().unwrap(), 11);
}

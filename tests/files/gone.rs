//! Files that were removed or replaced while they are open, what a process leaves behind that ended too
//! early, and a disk that refuses to make durable what did not wait for it.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use crate::support::{Notebook, Page, Pages, assert_sound, content, give, note, place, refused};
use heirloom::__private::StorageHook;
use heirloom::sync::Summary;
use heirloom::{Durability, ErrorKind};

#[cfg(unix)]
#[test]
fn writes_after_the_file_was_removed_or_replaced_are_refused() {
    for durability in [Durability::Immediate, Durability::Eventual] {
        for is_replaced in [false, true] {
            let (folder, path) = place();
            let other = folder.path().join("other.redb");
            Notebook::open(&other).unwrap().notes.insert(&note(9, "other")).unwrap();
            let app = Notebook::builder().durability(durability).open(&path).unwrap();
            app.notes.insert(&note(1, "before")).unwrap();
            app.changes_since(&Summary::default()).unwrap();
            if is_replaced {
                fs::rename(&other, &path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            let error = refused(app.notes.insert(&note(2, "after")));
            assert_eq!((error.kind(), error.file()), (ErrorKind::Storage, Some(path.as_path())));
            // The rows that are there can still be read and saved.
            assert_eq!(app.notes.len().unwrap(), 1);
            let backup = folder.path().join("backup.redb");
            app.backup(&backup).unwrap();
            drop(app);
            assert_eq!(path.exists(), is_replaced);
            if is_replaced {
                assert_eq!(Notebook::open(&path).unwrap().notes.len().unwrap(), 1);
                assert_sound::<Notebook>(&path);
            }
            assert_eq!(Notebook::open(&backup).unwrap().notes.len().unwrap(), 1);
        }
    }
}

#[test]
fn temporary_files_that_were_left_behind_go() {
    let (folder, path) = place();
    let temporary = |name: &str, age: u64| {
        let path = folder.path().join(name);
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        (path, file)
    };
    let (old, _) = temporary(".heirloom-abc.new", 3600);
    let (young, _) = temporary(".heirloom-def.new", 0);
    let (used, file) = temporary(".heirloom-ghi.new", 3600);
    let (foreign, _) = temporary("notes.new", 3600);
    file.lock().unwrap();
    drop(Notebook::open(&path).unwrap());
    let is_there = [&old, &young, &used, &foreign, &path].map(|path| path.exists());
    assert_eq!(is_there, [false, true, true, true, true]);
}

/// A disk that refuses everything while it is full.
fn disk() -> (Arc<AtomicBool>, StorageHook) {
    let is_full = Arc::new(AtomicBool::new(false));
    let asked = is_full.clone();
    let hook: StorageHook = Arc::new(move |_| match asked.load(SeqCst) {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    });
    (is_full, hook)
}

fn sixty_notes(path: &Path) {
    let app = Notebook::open(path).unwrap();
    app.notes.insert_many((0..60).map(|id| note(id, "durable"))).unwrap();
}

/// Lets one flush fail, goes on, and finds everything after a restart.
fn refuse_one_flush(path: &Path, app: Notebook, is_full: &AtomicBool) {
    is_full.store(true, SeqCst);
    let _ = app.notes.put(&note(1000, "refused, or kept"));
    assert_eq!(refused(app.changes_since(&Summary::default())).kind(), ErrorKind::Storage);
    is_full.store(false, SeqCst);
    app.notes.put(&note(1001, "with room again")).unwrap();
    app.changes_since(&Summary::default()).unwrap();
    let before = content(&app);
    assert_eq!(before.0.len(), 62);
    drop(app);
    assert_sound::<Notebook>(path);
    assert_eq!(content(&Notebook::open(path).unwrap()), before);
}

#[test]
fn one_refused_flush_after_the_creation_of_a_store_loses_nothing() {
    let (_folder, path) = place();
    let (is_full, hook) = disk();
    let builder = Notebook::builder().durability(Durability::Eventual).storage_hook(hook);
    let app = builder.open(&path).unwrap();
    app.notes.insert_many((0..60).map(|id| note(id, "eventual"))).unwrap();
    refuse_one_flush(&path, app, &is_full);
}

#[test]
fn one_refused_flush_after_a_rebuild_loses_nothing() {
    let (_folder, path) = place();
    sixty_notes(&path);
    let (is_full, hook) = disk();
    let builder = Notebook::builder().durability(Durability::Eventual).storage_hook(hook);
    let app = builder.open(&path).unwrap();
    app.compact_history().unwrap();
    refuse_one_flush(&path, app, &is_full);
}

#[test]
fn one_refused_flush_after_an_adoption_loses_nothing() {
    let (_folder, path) = place();
    sixty_notes(&path);
    let other = Notebook::in_memory().unwrap();
    give(&Notebook::open(&path).unwrap(), &other);
    other.compact_history().unwrap();
    let (is_full, hook) = disk();
    let builder = Notebook::builder().durability(Durability::Eventual).storage_hook(hook);
    let app = builder.open(&path).unwrap();
    give(&other, &app);
    assert_eq!(app.status().unwrap().generation(), 1);
    refuse_one_flush(&path, app, &is_full);
}

#[test]
fn one_refused_flush_after_a_migration_loses_nothing() {
    let (_folder, path) = place();
    sixty_notes(&path);
    let (is_full, hook) = disk();
    let builder = Pages::builder().durability(Durability::Eventual).storage_hook(hook);
    let app = builder.open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 60);
    is_full.store(true, SeqCst);
    let _ = app.notes.put(&Page { id: 1000, text: "refused, or kept".to_owned() });
    assert_eq!(refused(app.changes_since(&Summary::default())).kind(), ErrorKind::Storage);
    is_full.store(false, SeqCst);
    app.notes.put(&Page { id: 1001, text: "with room again".to_owned() }).unwrap();
    app.changes_since(&Summary::default()).unwrap();
    assert_eq!(app.notes.len().unwrap(), 62);
    drop(app);
    assert_sound::<Pages>(&path);
    assert_eq!(Pages::open(&path).unwrap().notes.len().unwrap(), 62);
}

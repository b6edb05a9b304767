//! A disk that refuses: the commit fails, and nothing else has happened.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use crate::support::history::{after, commits_in, transaction};
use crate::support::{self, Notebook, assert_sound, content, note, place, refused, rows};
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::{Durability, ErrorKind};

/// Fails storage operation `from` and, unless it `recovers`, all after it.
struct Disk {
    count: AtomicU64,
    from: AtomicU64,
    recovers: bool,
    has_room: AtomicBool,
    /// Whether what failed first was that written bytes be made durable.
    at_sync: AtomicBool,
}

impl Disk {
    fn new(recovers: bool) -> Arc<Self> {
        let (count, from) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let (has_room, at_sync) = (AtomicBool::new(true), AtomicBool::new(false));
        Arc::new(Self { count, from, recovers, has_room, at_sync })
    }

    fn hook(self: &Arc<Self>) -> StorageHook {
        let disk = self.clone();
        Arc::new(move |op| {
            if std::env::var("OPS").is_ok() {
                eprintln!("op {op:?}");
            }
            if disk.count.fetch_add(1, SeqCst) + 1 == disk.from.load(SeqCst) {
                disk.has_room.store(false, SeqCst);
                disk.at_sync.store(op == StorageOp::Sync, SeqCst);
            }
            let refused = if disk.recovers {
                !disk.has_room.swap(true, SeqCst)
            } else {
                !disk.has_room.load(SeqCst)
            };
            if refused { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    /// Lets the `nth` operation from now on fail.
    fn fail(&self, nth: u64) {
        self.from.store(self.count.load(SeqCst) + nth, SeqCst);
    }

    fn make_room(&self) {
        self.from.store(u64::MAX, SeqCst);
        self.has_room.store(true, SeqCst);
    }
}

/// The rows that may be read after a write has failed.
#[derive(Clone, Copy)]
enum Failed {
    /// Nothing of it, whichever operation it was.
    IsGone,
    /// If all was written and only the sync failed, all of it or nothing.
    AtSyncMayBeThere,
}

/// Makes a store on `disk`, fails the `nth` operation of a write, and says whether it was reached.
fn refuse_at(
    disk: &Arc<Disk>,
    nth: u64,
    durability: Durability,
    reopen: bool,
    failed_write: Failed,
) -> bool {
    let (_folder, path) = place();
    let open = || {
        Notebook::builder().durability(durability).storage_hook(disk.hook()).open(&path).unwrap()
    };
    let mut app = open();
    transaction(&app, 0).unwrap();
    transaction(&app, 1).unwrap();
    if reopen {
        // The first write of a session is another: the document is loaded, the file marked open.
        drop(app);
        app = open();
    }
    let (before, summary) = (content(&app), app.summary().unwrap());
    let snapshot = app.snapshot().unwrap();
    disk.fail(nth);
    let outcome = transaction(&app, 2);
    let failed = outcome.is_err();
    if let Err(error) = outcome {
        assert_eq!(error.kind(), ErrorKind::Storage, "operation {nth}: {error}");
        assert_eq!(error.file(), Some(path.as_path()));
        assert!(error.to_string().contains("make room"), "{error}");
        let whole = matches!(failed_write, Failed::AtSyncMayBeThere)
            && disk.at_sync.load(SeqCst)
            && content(&app) == after(3);
        assert!(whole || content(&app) == before, "operation {nth}: it failed, and can be read");
        assert_eq!(snapshot.len::<support::Note>().unwrap(), before.0.len());
        let known = if whole { after(3) } else { before };
        if !disk.recovers {
            // On a full disk everything can still be read, and nothing written.
            let refused = refused(app.notes.insert(&note(999, "no room")));
            assert_eq!(refused.kind(), ErrorKind::Storage);
            assert!(content(&app) == known, "operation {nth}");
        }
        disk.make_room();
        let is_as_before = app.summary().unwrap() == summary;
        assert_eq!(is_as_before, !whole, "operation {nth}: document and rows do not agree");
        if !whole {
            transaction(&app, 2).unwrap();
        }
    }
    disk.make_room();
    assert!(content(&app) == after(3), "operation {nth}");
    transaction(&app, 3).unwrap();
    // A snapshot keeps the file open.
    drop((snapshot, app));
    assert_sound::<Notebook>(&path);
    assert_eq!(commits_in(&path), 4);
    failed
}

#[test]
fn a_disk_that_refuses_any_operation_fails_the_commit_and_nothing_else() {
    for recovers in [true, false] {
        for reopen in [true, false] {
            let disk = Disk::new(recovers);
            let reached = (1..).take_while(|nth| {
                refuse_at(&disk, *nth, Durability::Immediate, reopen, Failed::IsGone)
            });
            assert!(reached.count() > 2);
        }
    }
}

#[test]
fn a_commit_that_does_not_wait_for_the_disk_fails_no_worse() {
    for recovers in [true, false] {
        let disk = Disk::new(recovers);
        // Here the flush in the background may be what fails, and is tried again.
        for nth in 1..8 {
            refuse_at(&disk, nth, Durability::Eventual, false, Failed::AtSyncMayBeThere);
        }
    }
}

#[test]
fn what_a_full_disk_refuses_later_is_kept_until_there_is_room() {
    for nth in 1..8 {
        let (_folder, path) = place();
        let disk = Disk::new(false);
        let open = || {
            let builder = Notebook::builder().durability(Durability::Eventual);
            builder.storage_hook(disk.hook()).open(&path).unwrap()
        };
        let app = open();
        transaction(&app, 0).unwrap();
        disk.fail(nth);
        for number in 1..6 {
            transaction(&app, number).unwrap();
            // Changes that are given to others are durable, and so this tries to flush.
            let flushed = app.changes_since(&heirloom::sync::Summary::default());
            if let Err(error) = flushed {
                assert_eq!(error.kind(), ErrorKind::Storage, "operation {nth}");
            }
            assert!(content(&app) == after(number + 1), "operation {nth}, commit {number}");
        }
        disk.make_room();
        app.changes_since(&heirloom::sync::Summary::default()).unwrap();
        drop(app);
        assert!(content(&open()) == after(6), "operation {nth}");
        assert_sound::<Notebook>(&path);
    }
}

#[test]
fn a_store_that_cannot_be_made_leaves_no_file() {
    for nth in 1.. {
        let (folder, path) = place();
        let disk = Disk::new(false);
        disk.fail(nth);
        let made = Notebook::builder().storage_hook(disk.hook()).open(&path);
        if made.is_ok() {
            assert!(nth > 3);
            break;
        }
        assert_eq!(refused(made).kind(), ErrorKind::Storage, "operation {nth}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "operation {nth}");
        assert!(rows(&Notebook::open(&path).unwrap().notes).is_empty());
    }
}

#[test]
fn a_merge_that_the_disk_refuses_can_be_repeated() {
    let peer = Notebook::in_memory().unwrap();
    (0..3).for_each(|number| transaction(&peer, number).unwrap());
    for nth in 1.. {
        let (_folder, path) = place();
        let disk = Disk::new(false);
        let app = Notebook::builder().storage_hook(disk.hook()).open(&path).unwrap();
        app.notes.insert(&note(50, "own")).unwrap();
        let changes = peer.changes_since(&app.summary().unwrap()).unwrap();
        disk.fail(nth);
        let outcome = app.apply(&changes);
        disk.make_room();
        let failed = outcome.is_err();
        if failed {
            assert_eq!(refused(outcome).kind(), ErrorKind::Storage);
            assert_eq!(rows(&app.notes), [note(50, "own")], "operation {nth}");
            app.apply(&changes).unwrap();
        }
        support::exchange(&app, &peer);
        assert!(content(&app) == content(&peer));
        peer.notes.remove(&50).unwrap();
        drop(app);
        assert_sound::<Notebook>(&path);
        if !failed {
            break;
        }
    }
}

//! A file that has become too long is shortened in place.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::support::{
    Note, Notebook, assert_same_bytes, assert_sound, child, content, give, note, place, refused,
};
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::{Durability, ErrorKind};

/// Rows that together fill many pages.
const ROWS: u32 = 3_000;

fn long_note(id: u32) -> Note {
    note(id, &format!("{id} {}", "long ".repeat(60)))
}

/// Fills a store, and removes all but every hundredth row.
fn fill_and_empty(app: &Notebook) {
    app.notes.insert_many((0..ROWS).map(long_note)).unwrap();
    app.transaction(|tx| {
        (0..ROWS).filter(|id| id % 100 != 0).try_for_each(|id| tx.remove::<Note>(&id).map(drop))
    })
    .unwrap();
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_file_gets_as_short_as_its_content_allows() {
    for durability in [Durability::Immediate, Durability::Eventual] {
        let (_folder, path) = place();
        let app = Notebook::builder().durability(durability).open(&path).unwrap();
        fill_and_empty(&app);
        let summary = app.summary().unwrap();
        let before = (content(&app), len(&path));
        let freed = app.compact().unwrap();
        assert!(freed > 500_000, "{freed} bytes");
        if durability == Durability::Immediate {
            assert_eq!(len(&path) + freed, before.1);
        }
        assert_eq!(content(&app), before.0);
        assert_eq!(app.summary().unwrap(), summary, "the content does not change");
        app.notes.insert(&note(7, "after")).unwrap();
        app.notes.update(&100, |note| note.title.push('!')).unwrap().unwrap();
        assert!(app.compact().unwrap() < freed / 4);
        let known = content(&app);
        drop(app);
        // Compared with `freed`: under `Eventual` the length before may be that of an earlier flush.
        assert!(len(&path) < freed, "{} left, {freed} freed", len(&path));
        assert_eq!(content(&Notebook::open(&path).unwrap()), known);
        assert_sound::<Notebook>(&path);
    }
}

#[test]
fn a_store_in_memory_is_compacted_too() {
    let app = Notebook::in_memory().unwrap();
    fill_and_empty(&app);
    let known = content(&app);
    assert!(app.compact().unwrap() > 500_000);
    assert_eq!(content(&app), known);
}

#[test]
fn it_is_refused_while_a_reader_needs_the_file_as_it_is() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    fill_and_empty(&app);
    let in_use = |what: &str| {
        let before = content(&app);
        let Err(error) = app.compact() else { panic!("{what} does not hold it back") };
        assert_eq!(error.kind(), ErrorKind::InUse, "{what}: {error}");
        assert!(error.to_string().contains("one reader"), "{what}: {error}");
        assert_eq!(content(&app), before, "{what}");
    };

    // Of the newest state, and of an older one.
    let snapshot = app.snapshot().unwrap();
    in_use("a snapshot");
    app.notes.insert(&note(1, "new")).unwrap();
    in_use("an old snapshot");
    assert_eq!(snapshot.len::<Note>().unwrap(), 30);
    drop(snapshot);

    let mut rows = app.notes.iter().unwrap();
    rows.next().unwrap().unwrap();
    in_use("an iterator");
    drop(rows);

    // An observer is told of a commit with what it left.
    let (handle, shared) = (Arc::new(std::sync::OnceLock::<Arc<Notebook>>::new()), Arc::new(app));
    let app = shared.clone();
    handle.set(shared).ok().unwrap();
    let (sender, told) = channel();
    let observing = app.notes.observe(move |_| {
        sender.send(handle.get().unwrap().compact().map_err(|error| error.kind())).unwrap();
    });
    app.notes.insert(&note(2, "new")).unwrap();
    assert_eq!(told.recv().unwrap(), Err(ErrorKind::InUse));
    drop(observing);

    let error = refused(app.transaction(|_| app.compact()));
    assert_eq!(error.kind(), ErrorKind::NestedTransaction);
    assert!(app.compact().unwrap() > 500_000);
    drop(app);

    let before = fs::read(&path).unwrap();
    let reading = Notebook::builder().read_only(true).open(&path).unwrap();
    assert_eq!(refused(reading.compact()).kind(), ErrorKind::ReadOnly);
    drop(reading);
    assert_same_bytes(&before, &fs::read(&path).unwrap());
}

#[test]
fn an_old_snapshot_is_told_by_the_status() {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert(&note(1, "a")).unwrap();
    let (first, other) = (app.snapshot().unwrap(), app.snapshot().unwrap());
    let status = app.status().unwrap();
    assert_eq!((status.old_snapshots(), status.oldest_snapshot()), (0, None), "nothing is held");
    for id in 2..5 {
        app.notes.insert(&note(id, "b")).unwrap();
    }
    let later = app.snapshot().unwrap();
    thread::sleep(Duration::from_millis(20));
    app.notes.insert(&note(5, "c")).unwrap();
    // Both snapshots of one state hold the same.
    let status = app.status().unwrap();
    assert_eq!(status.old_snapshots(), 2);
    assert!(status.oldest_snapshot().unwrap() >= Duration::from_millis(20));
    drop((first, other));
    assert_eq!(app.status().unwrap().old_snapshots(), 1);
    drop(later);
    let status = app.status().unwrap();
    assert_eq!((status.old_snapshots(), status.oldest_snapshot()), (0, None));
}

#[test]
fn watches_of_all_kinds_go_on() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    fill_and_empty(&app);
    let (sender, told) = channel();
    let _observing = app.notes.observe(move |changes| {
        let _ = sender.send(changes.iter().map(|change| *change.key()).collect::<Vec<_>>());
    });
    let rows = app.notes.query().watch().unwrap();
    let sum = app.notes.query().aggregate(Note::STARS.sum()).watch().unwrap();
    assert_eq!(rows.recv().unwrap().inserted().len(), 30);
    let before = sum.recv().unwrap();
    // The sum keeps the state of the last commit, that of a commit elsewhere included.
    app.settings.size.set(&9).unwrap();
    assert!(app.compact().unwrap() > 500_000);
    app.notes.update(&100, |note| note.stars += 5).unwrap().unwrap();
    assert_eq!(told.recv().unwrap(), [100]);
    assert_eq!(rows.recv().unwrap().updated().len(), 1);
    assert_eq!(sum.recv().unwrap(), before + 5);
    app.compact().unwrap();
    app.notes.update(&100, |note| note.stars -= 1).unwrap().unwrap();
    assert_eq!(sum.recv().unwrap(), before + 4);
}

#[test]
fn readers_and_writers_of_other_threads_wait_and_see_the_same() {
    let (_folder, path) = place();
    let app = Arc::new(Notebook::open(&path).unwrap());
    fill_and_empty(&app);
    let done = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while done.load(SeqCst) == 0 {
                    assert_eq!(app.notes.get(&100).unwrap(), Some(long_note(100)));
                    assert!(app.notes.len().unwrap() >= 30);
                }
            });
        }
        scope.spawn(|| {
            for id in ROWS.. {
                app.notes.insert(&note(id, "beside")).unwrap();
                if done.load(SeqCst) > 0 {
                    break;
                }
            }
        });
        let freed: u64 = (0..5).filter_map(|_| app.compact().ok()).sum();
        done.store(1, SeqCst);
        assert!(freed > 500_000, "{freed} bytes");
    });
    drop(app);
    assert_sound::<Notebook>(&path);
}

fn hook(at: u64, what: fn(StorageOp) -> std::io::Result<()>) -> (StorageHook, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(u64::MAX / 2));
    let counted = count.clone();
    let hook = move |op| if counted.fetch_add(1, SeqCst) == at { what(op) } else { Ok(()) };
    (Arc::new(hook), count)
}

#[test]
fn a_kill_at_any_storage_operation_leaves_a_whole_file() {
    if let Some(role) = child::role() {
        let (kill_at, path) = role.split_once(' ').unwrap();
        let (hook, count) = hook(kill_at.parse().unwrap(), |_| std::process::abort());
        let app = Notebook::builder().storage_hook(hook).open(path).unwrap();
        count.store(0, SeqCst);
        app.compact().unwrap();
        println!("said: finished {}", count.load(SeqCst));
        return;
    }
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    fill_and_empty(&app);
    let known = content(&app);
    drop(app);
    let run = |kill_at: u64| {
        let copy = path.with_extension("copy");
        fs::copy(&path, &copy).unwrap();
        let name = concat!(module_path!(), "::a_kill_at_any_storage_operation_leaves_a_whole_file");
        let output = child::run(name, &format!("{kill_at} {}", copy.display()));
        let said = child::said(&output);
        assert_eq!(said.is_empty(), !output.status.success(), "{output:?}");
        assert_sound::<Notebook>(&copy);
        let app = Notebook::open(&copy).unwrap();
        assert_eq!(content(&app), known, "killed at {kill_at}");
        app.notes.insert(&note(1, "after")).unwrap();
        app.compact().unwrap();
        drop(app);
        assert!(len(&copy) < len(&path) / 2, "killed at {kill_at}");
        said.first().map(|said| said.trim_start_matches("finished ").parse::<u64>().unwrap())
    };
    let operations = run(u64::MAX / 4).unwrap();
    assert!(operations > 20, "{operations} storage operations");
    // A prime, so that all kinds of operations come.
    for kill_at in (0..operations).step_by(1.max(operations as usize / 40) | 1) {
        assert_eq!(run(kill_at), None, "{kill_at} of {operations}");
    }
}

#[test]
fn a_disk_that_refuses_any_operation_changes_no_row() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    fill_and_empty(&app);
    let known = content(&app);
    drop(app);
    let mut refusals = 0;
    for at in (0..).step_by(5) {
        let copy = path.with_extension("copy");
        fs::copy(&path, &copy).unwrap();
        let (hook, count) = hook(at, |_| Err(std::io::ErrorKind::StorageFull.into()));
        let app = Notebook::builder().storage_hook(hook).open(&copy).unwrap();
        count.store(0, SeqCst);
        let outcome = app.compact();
        count.store(u64::MAX / 2, SeqCst);
        assert_eq!(content(&app), known, "operation {at}");
        app.notes.insert(&note(1, "after")).unwrap();
        let peer = Notebook::in_memory().unwrap();
        give(&app, &peer);
        assert_eq!(content(&peer), content(&app), "operation {at}");
        drop(app);
        assert_sound::<Notebook>(&copy);
        let Err(error) = outcome else { break };
        assert_eq!(error.kind(), ErrorKind::Storage, "operation {at}: {error}");
        refusals += 1;
    }
    assert!(refusals > 5, "{refusals} operations");
}

/// A page of the file, each in its own way damaged.
fn damaged(bytes: &[u8], page: usize) -> Vec<Vec<u8>> {
    const PAGE: usize = 4096;
    let range = page * PAGE..(page + 1) * PAGE;
    let with = |damage: &dyn Fn(&mut [u8])| {
        let mut bytes = bytes.to_vec();
        damage(&mut bytes[range.clone()]);
        bytes
    };
    let mut all = vec![with(&|page| page.fill(0)), with(&|page| page[9] ^= 1)];
    if bytes[range.start] == 2 {
        // A branch that names itself as each of its children.
        let header_pages = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
        let number = (page - 1 - header_pages) as u64;
        all.push(with(&|page| {
            let children = usize::from(u16::from_le_bytes([page[2], page[3]])) + 1;
            let numbers = &mut page[8 + 16 * children..][..8 * children];
            numbers.chunks_mut(8).for_each(|child| child.copy_from_slice(&number.to_le_bytes()));
        }));
    }
    all
}

#[test]
fn a_damaged_file_is_refused_and_stays_as_it_is() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many((0..ROWS / 4).map(long_note)).unwrap();
    drop(app);
    let whole = fs::read(&path).unwrap();
    let (mut refusals, mut branches) = (0, 0);
    for page in (2..whole.len() / 4096).filter(|page| page % 5 == 0 || whole[page * 4096] == 2) {
        for bytes in damaged(&whole, page) {
            fs::write(&path, &bytes).unwrap();
            let rows = |app: &Notebook| {
                let rows =
                    app.notes.iter().map(|rows| rows.map(|row| row.ok()).collect::<Vec<_>>());
                rows.map_err(|error| error.kind())
            };
            let Ok(app) = Notebook::open(&path) else { continue };
            let before = rows(&app);
            if let Err(error) = app.compact() {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "page {page}: {error}");
                refusals += 1;
                branches += usize::from(whole[page * 4096] == 2);
                assert_eq!(rows(&app), before, "page {page}");
                drop(app);
                let app =
                    Notebook::open(&path).unwrap_or_else(|error| panic!("page {page}: {error}"));
                assert_eq!(rows(&app), before, "page {page}, opened again");
            }
        }
    }
    assert!(refusals > 20 && branches > 3, "{refusals} refusals, {branches} of branches");
}

//! A disk that refuses a commit ends nothing that is being read, in whichever thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use crate::support::random::Random;
use crate::support::{Note, Notebook, assert_sound, note, place};
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::{Durability, ErrorKind, Snapshot};

const ROWS: u32 = 50;

/// Refuses one operation that changes the file, and all after it until there is room again.
#[derive(Default)]
struct Disk {
    left: AtomicU64,
    is_full: AtomicBool,
}

impl Disk {
    fn hook(self: &Arc<Self>) -> StorageHook {
        let disk = self.clone();
        Arc::new(move |op| {
            let is_last =
                || disk.left.try_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1);
            if op != StorageOp::Read && is_last() {
                disk.is_full.store(true, SeqCst);
            }
            match op != StorageOp::Read && disk.is_full.load(SeqCst) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        })
    }

    fn fill_after(&self, operations: u64) {
        self.left.store(operations, SeqCst);
    }

    fn make_room(&self) {
        self.left.store(0, SeqCst);
        self.is_full.store(false, SeqCst);
    }
}

/// So small a part of the file is kept in memory that readers need the file.
fn open(path: &std::path::Path, disk: &Arc<Disk>, durability: Durability) -> Notebook {
    let builder = Notebook::builder().cache_size(64 << 10).durability(durability);
    builder.storage_hook(disk.hook()).open(path).unwrap()
}

/// Writes over every row, so that the commit replaces every page.
fn write(app: &Notebook, generation: i64) -> heirloom::Result<()> {
    app.transaction(|tx| {
        for id in 0..ROWS {
            tx.put(&Note { stars: generation, ..note(id, &"text ".repeat(800)) })?;
        }
        Ok(())
    })
}

/// Changes that are given to others are durable, and so this waits for the disk.
fn flush(app: &Notebook) -> heirloom::Result<()> {
    app.changes_since(&app.summary()?).map(drop)
}

/// The generation of all rows, which were written together.
fn generation(rows: impl Iterator<Item = heirloom::Result<Note>>) -> i64 {
    let stars: Vec<_> = rows.map(|row| row.unwrap().stars).collect();
    assert_eq!(stars.len(), ROWS as usize);
    assert!(stars.windows(2).all(|pair| pair[0] == pair[1]), "rows of two commits");
    stars[0]
}

#[test]
fn a_snapshot_of_before_refused_commits_stays_as_it_is() {
    let (_folder, path) = place();
    let disk = Arc::new(Disk::default());
    let app = open(&path, &disk, Durability::Immediate);
    let mut snapshots = Vec::new();
    for number in 0..12 {
        write(&app, number).unwrap();
        snapshots.push((app.snapshot().unwrap(), number));
        disk.fill_after(1 + number as u64);
        write(&app, 100).unwrap_err();
        disk.make_room();
        // The room of earlier commits is used again, which is in the file alone.
        (0..4).for_each(|_| write(&app, number).unwrap());
        for (snapshot, then) in &snapshots {
            assert_eq!(seen_by(snapshot), *then);
        }
        if number % 4 == 3 {
            snapshots.remove(0);
        }
    }
    drop((snapshots, app));
    assert_sound::<Notebook>(&path);
}

fn seen_by(snapshot: &Snapshot<Notebook>) -> i64 {
    generation(snapshot.iter::<Note>().unwrap())
}

fn read_beside_refused_commits(durability: Durability) {
    let (_folder, path) = place();
    let disk = Arc::new(Disk::default());
    let app = open(&path, &disk, durability);
    write(&app, 0).unwrap();
    flush(&app).unwrap();
    let is_done = AtomicBool::new(false);
    let (mut random, mut refused) = (Random::new(7), 0);
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (app, is_done) = (&app, &is_done);
            scope.spawn(move || {
                let (mut random, mut last) = (Random::new(seed), 0);
                while !is_done.load(SeqCst) {
                    let now = generation(app.notes.iter().unwrap());
                    // What was not durable yet may be undone.
                    assert!(
                        now >= last || durability == Durability::Eventual,
                        "{now} after {last}"
                    );
                    last = now;
                    let id = random.below(ROWS as usize) as u32;
                    assert!(app.notes.get(&id).unwrap().is_some());
                    assert_eq!(app.notes.filter(Note::STARS.ge(0)).count().unwrap(), ROWS as usize);
                }
            });
        }
        let mut known = 0;
        for number in 1..25_i64 {
            let (mut half_read, before) = (app.notes.iter().unwrap(), known);
            assert!(half_read.by_ref().take(10).all(|row| row.unwrap().stars == before));
            disk.fill_after(1 + random.below(60) as u64);
            let outcome = write(&app, number).and_then(|()| flush(&app));
            disk.make_room();
            match outcome {
                Ok(()) => known = number,
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
                    assert!(error.to_string().contains("make room"), "{error}");
                    known = generation(app.notes.iter().unwrap());
                }
            }
            assert!(half_read.all(|row| row.unwrap().stars == before));
        }
        is_done.store(true, SeqCst);
    });
    assert!(refused > 5, "{refused} commits were refused");
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn a_refused_commit_ends_nothing_that_is_being_read() {
    read_beside_refused_commits(Durability::Immediate);
}

#[test]
fn a_refused_flush_ends_nothing_that_is_being_read() {
    read_beside_refused_commits(Durability::Eventual);
}

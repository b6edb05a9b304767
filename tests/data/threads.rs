//! Many threads on one store: readers never wait, and never see half of anything.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::support::{Note, Notebook, Settings, assert_sound, converge, give, note, place};
use heirloom::query::Rows;
use heirloom::sync::{Applied, Changes, Summary};
use heirloom::watch::Subscription;
use heirloom::{Entry, Error, Id, Kv, Snapshot, Table};

const ACCOUNTS: u32 = 8;
const TOTAL: i64 = 800;

fn assert_shareable<T: Send + Sync>() {}
fn assert_sendable<T: Send>() {}

#[test]
fn handles_may_be_shared_between_threads() {
    assert_shareable::<Notebook>();
    assert_shareable::<Table<Note>>();
    assert_shareable::<Kv<Settings>>();
    assert_shareable::<Entry<Settings, u32>>();
    assert_shareable::<Snapshot<Notebook>>();
    assert_shareable::<Error>();
    assert_shareable::<(Summary, Changes, Applied, Id<Memo>)>();
    assert_sendable::<Rows<Note>>();
    assert_shareable::<Subscription>();
}

#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
#[table(name = "memo")]
struct Memo {
    id: Id<Memo>,
}

fn accounts(app: &Notebook) {
    let rows = (0..ACCOUNTS).map(|id| Note { stars: TOTAL / i64::from(ACCOUNTS), ..note(id, "a") });
    app.notes.insert_many(rows).unwrap();
}

fn transfer(app: &Notebook, step: u32) {
    let (from, to) = (step % ACCOUNTS, (step * 3 + 1) % ACCOUNTS);
    let amount = i64::from(step % 13);
    app.transaction(|tx| {
        tx.update::<Note>(&from, |note| note.stars -= amount)?;
        tx.update::<Note>(&to, |note| note.stars += amount)?;
        tx.set(&app.settings.size, &step)
    })
    .unwrap();
}

#[test]
fn readers_see_whole_commits_while_one_writes_and_one_merges() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    accounts(&app);
    let (done, reads, start) = (AtomicBool::new(false), AtomicUsize::new(0), Barrier::new(10));
    std::thread::scope(|scope| {
        for reader in 0..8 {
            let (app, done, reads, start) = (&app, &done, &reads, &start);
            scope.spawn(move || {
                start.wait();
                let mut last = 0;
                while !done.load(Relaxed) {
                    match reader % 4 {
                        0 => {
                            let sum: i64 = app.notes.iter().unwrap().map(balance).sum();
                            assert_eq!(sum, TOTAL, "an iterator mixes two commits");
                        }
                        1 => {
                            let snapshot = app.snapshot().unwrap();
                            let get = |id| snapshot.get::<Note>(&id).unwrap().unwrap().stars;
                            let sum: i64 = (0..ACCOUNTS).map(get).sum();
                            std::thread::yield_now();
                            let again: i64 = snapshot.iter().unwrap().map(balance).sum();
                            assert_eq!((sum, again), (TOTAL, TOTAL), "a snapshot changed");
                        }
                        2 => {
                            let step = app.settings.size.get().unwrap();
                            assert!(step >= last, "a commit was undone");
                            last = if step == 12 { last } else { step };
                        }
                        _ => {
                            assert!(app.notes.get(&3).unwrap().is_some());
                            assert!(app.notes.len().unwrap() >= ACCOUNTS as usize);
                        }
                    }
                    reads.fetch_add(1, Relaxed);
                }
            });
        }
        let merging = scope.spawn(|| {
            start.wait();
            // A peer that writes rows of its own, and exchanges with the store that is written to.
            let peer = Notebook::in_memory().unwrap();
            for id in 0..60 {
                peer.notes.insert(&note(1000 + id, "of the peer")).unwrap();
                give(&peer, &app);
                give(&app, &peer);
            }
            peer
        });
        let writing = scope.spawn(|| {
            start.wait();
            (13..250).for_each(|step| transfer(&app, step));
        });
        let outcome = (writing.join(), merging.join());
        done.store(true, Relaxed);
        outcome.0.unwrap();
        converge(&app, &outcome.1.unwrap());
    });
    assert!(reads.load(Relaxed) > 100, "the readers were kept waiting");
    assert_eq!(app.notes.len().unwrap(), ACCOUNTS as usize + 60);
    drop(app);
    assert_sound::<Notebook>(&path);
}

/// Rows of the peer have no balance.
fn balance(note: heirloom::Result<Note>) -> i64 {
    note.unwrap().stars
}

#[test]
fn a_reader_does_not_wait_for_a_transaction_that_takes_long() {
    let app = Notebook::in_memory().unwrap();
    accounts(&app);
    app.transaction(|tx| {
        tx.remove::<Note>(&1)?;
        // Another thread reads and comes back while this one has the writer's lock.
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| app.notes.iter().unwrap().map(balance).sum::<i64>()).join().unwrap()
        });
        assert_eq!(seen, TOTAL);
        Ok(())
    })
    .unwrap();
}

#[test]
fn writers_of_many_threads_lose_no_update() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(0, "counter")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..30).for_each(|_| drop(app.notes.update(&0, |note| note.stars += 1).unwrap()));
            });
        }
    });
    assert_eq!(app.notes.get(&0).unwrap().unwrap().stars, 120);
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn two_stores_that_exchange_with_each_other_at_once_do_not_wait_for_ever() {
    let (a, b) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    std::thread::scope(|scope| {
        for (own, other, first) in [(&a, &b, 0), (&b, &a, 1000)] {
            scope.spawn(move || {
                for id in first..first + 40 {
                    own.notes.insert(&note(id, "x")).unwrap();
                    give(own, other);
                }
            });
        }
    });
    converge(&a, &b);
    assert_eq!(a.notes.len().unwrap(), 80);
}

//! The log does not grow for ever: it is renewed, and nothing is lost by that.

use std::path::Path;

use crate::support::file::{LOG, SNAPSHOT, records};
use crate::support::{
    self, Notebook, Settings, assert_sound, content, converge, give, note, place, rows,
};
use heirloom::{Durability, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below this a log is not worth rewriting; the store's own limit, which the file format states.
const SMALL_BYTES: usize = 1 << 20;

fn bytes(records: &[(u64, Vec<u8>)]) -> usize {
    records.iter().map(|(_, record)| record.len()).sum()
}

/// Text that does not compress, of its own for each seed.
fn noise(seed: u32, len: usize) -> String {
    let mut state = u64::from(seed) + 1;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        char::from(b'0' + (state >> 40) as u8 % 64)
    });
    letters.take(len).collect()
}

/// The log of a closed file is at most about as large as what it adds to, or small.
#[track_caller]
fn assert_bounded(path: &Path, written_bytes: usize) {
    let (log, snapshot) = (records(path, LOG), records(path, SNAPSHOT));
    assert_eq!(snapshot.len(), 1, "one snapshot stands for all that came before it");
    let covered = snapshot[0].0;
    assert!(log.iter().all(|(sequence, _)| *sequence > covered), "the snapshot covers them");
    // Beside the limit it may hold what was written while a renewal ran.
    let limit = 3 * bytes(&snapshot).max(SMALL_BYTES);
    assert!(bytes(&log) <= limit, "{} bytes of log, {limit} allowed", bytes(&log));
    assert!(bytes(&log) + bytes(&snapshot) < written_bytes / 2, "nothing was shed");
}

#[test]
fn thousands_of_overwrites_leave_a_bounded_log_and_one_snapshot() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    let mut written_bytes = 0;
    let expected = {
        let app = Notebook::builder().durability(Durability::Eventual).open(&path).unwrap();
        for round in 0..4000u32 {
            // Many small commits, and now and then the store rests so that upkeep can happen.
            let text = noise(round, 2000);
            written_bytes += text.len();
            app.notes.put(&note(round % 10, &text)).unwrap();
        }
        converge(&app, &peer);
        content(&app)
    };
    assert_bounded(&path, written_bytes);
    assert_sound::<Notebook>(&path);
    let app = Notebook::open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 10);
    assert!(content(&app) == expected, "the rows differ after a restart");
    // The document, too, is whole: writes and exchanges go on from it.
    app.notes.put(&note(3, "on")).unwrap();
    peer.notes.put(&note(4, "on")).unwrap();
    converge(&app, &peer);
    let fresh = Notebook::in_memory().unwrap();
    converge(&app, &fresh);
}

#[test]
fn renewals_go_on_over_restarts() {
    let (_folder, path) = place();
    let mut last_covered = 0;
    let mut written_bytes = 0;
    for session in 0..4u32 {
        let app = Notebook::builder().durability(Durability::Eventual).open(&path).unwrap();
        for round in 0..800 {
            let text = noise(session * 1000 + round, 3000);
            written_bytes += text.len();
            app.notes.put(&note(round % 7, &text)).unwrap();
        }
        let before = content(&app);
        drop(app);
        let covered = records(&path, SNAPSHOT)[0].0;
        assert!(covered > last_covered, "session {session} renewed nothing");
        last_covered = covered;
        assert!(content(&Notebook::open(&path).unwrap()) == before, "session {session}");
    }
    assert_bounded(&path, written_bytes);
    assert_sound::<Notebook>(&path);
}

#[test]
fn a_small_store_is_never_rewritten() {
    let (_folder, path) = place();
    {
        let app = Notebook::open(&path).unwrap();
        (0..200)
            .for_each(|round| app.notes.put(&note(round % 5, &format!("small {round}"))).unwrap());
    }
    let log = records(&path, LOG);
    assert_eq!((log.len(), records(&path, SNAPSHOT).len()), (200, 0));
    let sequences: Vec<u64> = log.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(sequences, (1..=200).collect::<Vec<_>>());
}

#[test]
fn one_large_import_is_not_written_twice() {
    let (_folder, path) = place();
    Notebook::open(&path)
        .unwrap()
        .notes
        .insert_many((0..100).map(|id| note(id, &noise(id, 30_000))))
        .unwrap();
    assert_eq!((records(&path, LOG).len(), records(&path, SNAPSHOT).len()), (1, 0));
}

/// What goes on from the notes in the next epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = support::Note, removes(stars))]
struct Page {
    #[key]
    id: u32,
    #[evolve(renamed_from = "title")]
    text: String,
}

#[derive(Store)]
#[store(name = "notebook", epoch = 1, previous = Notebook)]
struct Pages {
    notes: Table<Page>,
    #[expect(dead_code, reason = "the epoch before has it")]
    settings: Kv<Settings>,
}

fn texts(pages: &Pages) -> Vec<String> {
    rows(&pages.notes).into_iter().map(|page| page.text).collect()
}

#[test]
fn what_older_code_goes_on_writing_leaves_a_bounded_log_too() {
    let (_folder, path) = place();
    let old = Notebook::in_memory().unwrap();
    let mut written_bytes = 0;
    {
        let new = Pages::builder().durability(Durability::Eventual).open(&path).unwrap();
        for round in 0..400u32 {
            let text = noise(round, 8000);
            written_bytes += text.len();
            old.notes.put(&note(round % 10, &text)).unwrap();
            give(&old, &new);
        }
    }
    assert_bounded(&path, written_bytes);
    assert_sound::<Pages>(&path);
    // What it was renewed to is whole: it is read, carried from and passed on as before.
    let new = Pages::open(&path).unwrap();
    let titles = |old: &Notebook| -> Vec<String> {
        rows(&old.notes).into_iter().map(|note| note.title).collect()
    };
    assert_eq!(texts(&new), titles(&old));
    old.notes.put(&note(3, "on")).unwrap();
    give(&old, &new);
    assert_eq!(texts(&new)[3], "on");
    let other = Notebook::in_memory().unwrap();
    other.notes.put(&note(99, "its own")).unwrap();
    give(&new, &other);
    assert_eq!(titles(&other)[..10], titles(&old));
}

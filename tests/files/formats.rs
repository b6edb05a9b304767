//! Files of every format there has been go on being read (scenario 21).
//!
//! `tests/fixtures/format-N.redb` was written by the heirloom of that format and is never written
//! again. Where it is missing, the test of the current format makes it and asks to commit it.

use std::path::{Path, PathBuf};

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The structs as they were when the file was written.
pub mod first {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "recordings")]
    pub struct Recording {
        pub id: Id<Recording>,
        pub title: String,
        pub length: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "counters")]
    pub struct Counter {
        #[key]
        pub number: i32,
        pub text: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub language: Option<String>,
        pub later: Option<u8>,
    }

    #[derive(Store)]
    #[store(name = "fixture")]
    pub struct Fixture {
        pub recordings: Table<Recording>,
        pub counters: Table<Counter>,
        pub settings: Kv<Settings>,
    }
}

/// The structs of today: a stricter field makes one row invalid, a new one has a default.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "recordings")]
struct Recording {
    id: Id<Recording>,
    title: String,
    // The same to JSON Schema, which knows nothing of what decoding asks for besides.
    #[schemars(with = "String")]
    length: Length,
    #[evolve(default = |title| title.len())]
    letters: usize,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Length {
    #[serde(rename = "short")]
    Short,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "counters")]
struct Counter {
    #[key]
    number: i32,
    text: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    language: Option<String>,
}

#[derive(Store)]
#[store(name = "fixture")]
struct Fixture {
    recordings: Table<Recording>,
    counters: Table<Counter>,
    settings: Kv<Settings>,
}

pub fn id<T>(number: u128) -> Id<T> {
    Id::from_uuid(Uuid::from_u128(number))
}

/// Text that does not compress, so that the log outgrows its snapshot soon.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    };
    (0..60_000).map(|_| next()).collect()
}

fn make(path: &Path) {
    let app = first::Fixture::open(path).unwrap();
    for (number, length) in [(1, "short"), (2, "short"), (3, "about an hour")] {
        let title = format!("Recording {number}");
        let row = first::Recording { id: id(number), title, length: length.into() };
        app.recordings.insert(&row).unwrap();
    }
    app.recordings.remove(&id(2)).unwrap();
    app.settings.language.set(&Some("fr".into())).unwrap();
    app.settings.later.set(&Some(9)).unwrap();
    for round in 0..40 {
        let row = first::Counter { number: -1, text: noise(round) };
        app.counters.put(&row).unwrap();
    }
    drop(app);
    // Rows written after the snapshot stand in the log, and part of them came from elsewhere.
    let app = first::Fixture::open(path).unwrap();
    app.counters.put(&first::Counter { number: -1, text: "settled".into() }).unwrap();
    let peer = first::Fixture::in_memory().unwrap();
    peer.counters.insert(&first::Counter { number: 7, text: "of a peer".into() }).unwrap();
    app.apply(&peer.changes_since(&app.summary().unwrap()).unwrap()).unwrap();
    // And one change waits for an earlier one.
    let before = peer.summary().unwrap();
    peer.counters.insert(&first::Counter { number: 8, text: "never arrives".into() }).unwrap();
    let missed = peer.summary().unwrap();
    assert_ne!(before, missed);
    peer.counters.insert(&first::Counter { number: 9, text: "waits".into() }).unwrap();
    let early = peer.changes_since(&missed).unwrap();
    assert!(app.apply(&early).unwrap().is_pending());
}

#[track_caller]
fn check(original: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    std::fs::copy(original, &path).unwrap();

    let report = Fixture::check(&path).unwrap();
    assert!(report.is_ok(), "{report}");
    let app = Fixture::open(&path).unwrap();
    let one = app.recordings.get(&id(1)).unwrap().unwrap();
    assert_eq!((one.title.as_str(), one.letters), ("Recording 1", 11));
    assert!(!app.recordings.contains(&id(2)).unwrap());
    let invalid = app.recordings.invalid().unwrap();
    assert_eq!(invalid.len(), 1);
    assert_eq!(invalid[0].field(), Some("length"));
    let counters: Vec<_> = app.counters.iter().unwrap().map(Result::unwrap).collect();
    assert_eq!(
        counters.iter().map(|row| (row.number, row.text.as_str())).collect::<Vec<_>>(),
        [(-1, "settled"), (7, "of a peer")]
    );
    assert_eq!(app.settings.language.get().unwrap().as_deref(), Some("fr"));

    // It is written to as any file, and merges: what waits travels along.
    app.recordings.update(&id(1), |row| row.title.push('!')).unwrap();
    let copy = Fixture::in_memory().unwrap();
    assert!(
        copy.apply(&app.changes_since(&copy.summary().unwrap()).unwrap()).unwrap().is_pending()
    );
    assert_eq!(copy.recordings.get(&id(1)).unwrap().unwrap().title, "Recording 1!");
    drop(app);
    let old = first::Fixture::open(&path).unwrap();
    assert_eq!(old.settings.later.get().unwrap(), Some(9));
    assert_eq!(old.recordings.len().unwrap(), 2);
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/format-{name}.redb"))
}

#[test]
fn a_file_of_format_1_is_read_written_and_merged() {
    let path = fixture("1");
    assert!(path.exists(), "{} is missing", path.display());
    check(&path);
}

#[test]
fn a_file_of_format_2_is_read_written_and_merged() {
    let path = fixture("2");
    assert!(path.exists(), "{} is missing", path.display());
    check(&path);
}

#[test]
fn a_file_of_the_current_format_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.redb");
    make(&path);
    check(&path);
    let kept = fixture("2");
    if !kept.exists() {
        std::fs::copy(&path, &kept).unwrap();
        panic!("{} was made; commit it", kept.display());
    }
}

//! The common parts of several test files: a small store, and ways to compare copies of it.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod child;
pub mod file;
pub mod forge;
pub mod history;
pub mod loose;
pub mod random;
pub mod versions;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heirloom::__private::{StorageHook, StorageOp};
use heirloom::sync::{Applied, Changes, Summary};
use heirloom::{Key, Kv, Row, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use loose::Loose;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    #[key]
    pub id: u32,
    pub title: String,
    #[evolve(default)]
    pub stars: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
    #[evolve(default = 12)]
    pub size: u32,
    pub nickname: Option<String>,
}

#[derive(Store)]
#[store(name = "notebook")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub settings: Kv<Settings>,
}

/// The successor of the notes in the next epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = Note, removes(stars))]
pub struct Page {
    #[key]
    pub id: u32,
    #[evolve(renamed_from = "title")]
    pub text: String,
}

/// The notebook in its next epoch.
#[derive(Store)]
#[store(name = "notebook", epoch = 1, previous = Notebook)]
pub struct Pages {
    pub notes: Table<Page>,
    pub settings: Kv<Settings>,
}

#[derive(Store)]
#[store(name = "notebook")]
pub struct RawNotebook {
    pub notes: Table<Loose<Note>>,
}

pub fn note(id: u32, title: &str) -> Note {
    Note { id, title: title.to_owned(), stars: 0 }
}

/// A folder that goes when the test ends, and a path in it where nothing is yet.
pub fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notebook.redb");
    (folder, path)
}

/// A hook that counts the operations of one kind, and its count.
pub fn counting(of: StorageOp) -> (StorageHook, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let hook: StorageHook = Arc::new(move |op| {
        if op == of {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    (hook, count)
}

/// Everything in a notebook, to compare copies by.
pub fn content(store: &Notebook) -> (Vec<Note>, Settings) {
    (rows(&store.notes), store.settings.get().unwrap())
}

pub fn rows<R: Row>(table: &Table<R>) -> Vec<R> {
    table.iter().unwrap().collect::<heirloom::Result<_>>().unwrap()
}

/// The stored text of the notes of a notebook.
pub fn raw_notes(store: &Notebook) -> BTreeMap<String, String> {
    let raw = RawNotebook::in_memory().unwrap();
    give(store, &raw);
    stored(&raw.notes)
}

/// The rows of a table as they are stored, by key.
pub fn stored<R: Row, K: Key>(table: &Table<Loose<R, K>>) -> BTreeMap<String, String> {
    let rows = table.invalid().unwrap();
    rows.iter().map(|row| (row.key().to_owned(), row.json().to_owned())).collect()
}

/// Gives `to` what it lacks of `from`, as bytes, the way a transport would.
pub fn give<A: Store, B: Store>(from: &A, to: &B) -> Applied {
    let request = to.summary().unwrap().to_bytes();
    let answer = from.changes_since(&Summary::from_bytes(&request).unwrap()).unwrap().to_bytes();
    to.apply(&Changes::from_bytes(&answer).unwrap()).unwrap()
}

/// Gives `to` what it lacks of `from`, apart from the recorded versions of the schema: as code does
/// that records none.
pub fn give_rows<A: Store, B: Store>(from: &A, to: &B) -> Applied {
    let changes = from.changes_since(&to.summary().unwrap()).unwrap().to_bytes();
    to.apply(&Changes::from_bytes(&forge::without(&changes, "head")).unwrap()).unwrap()
}

/// Both give each other what they lack; afterwards neither lacks anything. What one of them writes again,
/// the other lacks for one more round.
#[track_caller]
pub fn exchange<A: Store, B: Store>(a: &A, b: &B) {
    give(a, b);
    for _ in 0..4 {
        give(b, a);
        if a.changes_since(&b.summary().unwrap()).unwrap().is_empty() {
            break;
        }
        give(a, b);
    }
    assert!(a.changes_since(&b.summary().unwrap()).unwrap().is_empty(), "b lacks something of a");
    assert!(b.changes_since(&a.summary().unwrap()).unwrap().is_empty(), "a lacks something of b");
}

/// Exchanges and compares.
#[track_caller]
pub fn converge(a: &Notebook, b: &Notebook) {
    exchange(a, b);
    assert_eq!(content(a), content(b), "the copies differ after an exchange");
}

/// The document and the read model of a closed file say the same, and nothing is damaged.
#[track_caller]
pub fn assert_sound<S: Store>(path: &Path) {
    let report = S::check(path).unwrap();
    assert!(report.is_ok(), "{report}");
}

/// The error of a result that must not be `Ok`.
#[track_caller]
pub fn refused<T>(outcome: heirloom::Result<T>) -> heirloom::Error {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error,
    }
}

/// Compares without printing two values of a megabyte.
#[track_caller]
pub fn assert_same_bytes(before: &[u8], after: &[u8]) {
    let differs = before.iter().zip(after).position(|(a, b)| a != b);
    assert_eq!(
        (before.len(), differs),
        (after.len(), None),
        "the length, and the first difference"
    );
}

/// Collects what observers are told.
#[derive(Debug, Clone)]
pub struct Heard<T>(std::sync::Arc<std::sync::Mutex<Vec<T>>>);

impl<T> Default for Heard<T> {
    fn default() -> Self {
        Self(std::sync::Arc::default())
    }
}

impl<T: Clone + Debug> Heard<T> {
    pub fn note(&self, what: T) {
        self.0.lock().unwrap().push(what);
    }

    /// Returns the values heard since the last call.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

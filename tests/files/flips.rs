//! Files with a flipped bit or a wiped page: no wrong row, no row that is silently missing, no panic, and
//! no harm to a peer.
//!
//! Some cases in every run; `DAMAGE=5000` takes minutes and tries so many.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::place;
use heirloom::__private::IdSource;
use heirloom::sync::{Changes, Summary};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "books")]
struct Book {
    #[key]
    id: u32,
    #[index]
    shelf: u32,
    title: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "en")]
    language: String,
    #[evolve(default = 0)]
    size: u32,
}

#[derive(Store)]
#[store(name = "library")]
struct Library {
    books: Table<Book>,
    settings: Kv<Settings>,
}

const SHELVES: u32 = 7;

fn book(id: u32, version: u32) -> Book {
    let title = format!("{id}.{version} {}", "word ".repeat(id as usize % 30));
    Book { id, shelf: (id + version) % SHELVES, title }
}

/// The books of a library, by id.
type Books = BTreeMap<u32, Book>;

/// A closed file, what it holds, and what a peer has that was left behind.
struct Original {
    bytes: Vec<u8>,
    books: Books,
    settings: Settings,
    of_peer: Changes,
    books_of_peer: Books,
}

fn books(app: &Library) -> Books {
    app.books.iter().unwrap().map(|book| book.unwrap()).map(|book| (book.id, book)).collect()
}

fn ids(first: u128) -> IdSource {
    let next = AtomicU64::new(0);
    Arc::new(move || {
        let mut seed = next.fetch_add(1, Ordering::Relaxed) + 1;
        let low = u128::from(self::next(&mut seed)) << 20 | u128::from(self::next(&mut seed));
        first << 120 | low
    })
}

fn original() -> Original {
    let (_folder, path) = place();
    // The same file in every run, but for the few bytes that say where it lies.
    let app = Library::builder().id_source(ids(1)).open(&path).unwrap();
    let other = Library::builder().id_source(ids(2)).in_memory().unwrap();
    for part in 0..6 {
        app.books.insert_many((0..50).map(|id| book(part * 50 + id, 0))).unwrap();
    }
    app.settings.language.set("de").unwrap();
    (0..300).step_by(11).for_each(|id| assert!(app.books.remove(&id).unwrap()));
    (0..300).step_by(4).for_each(|id| app.books.put(&book(id, 1)).unwrap());
    let of_peer = app.changes_since(&Summary::default()).unwrap();
    let books_of_peer = books(&app);
    // Another device writes into the same rows, and has some of its own.
    other.apply(&of_peer).unwrap();
    other.books.insert_many((0..40).map(|id| book(1000 + id, 0))).unwrap();
    (0..300).step_by(9).for_each(|id| other.books.put(&book(id, 2)).unwrap());
    app.apply(&other.changes_since(&app.summary().unwrap()).unwrap()).unwrap();
    (0..300).step_by(5).for_each(|id| app.books.put(&book(id, 3)).unwrap());
    (0..300).step_by(13).for_each(|id| _ = app.books.remove(&id).unwrap());
    app.settings.size.set(&30).unwrap();
    app.build_indexes().unwrap();
    let (held, settings) = (books(&app), app.settings.get().unwrap());
    drop(app);
    assert!(Library::check(&path).unwrap().is_ok());
    Original { bytes: fs::read(&path).unwrap(), books: held, settings, of_peer, books_of_peer }
}

/// The result of one damaged file.
#[derive(Debug, Default)]
struct Outcome {
    /// The answers that are wrong in silence.
    wrong: Vec<String>,
    /// The rows that are missing without an error, so that only `check` can tell.
    missing: Vec<String>,
    /// Whether any error was given.
    is_told: bool,
}

impl Outcome {
    fn read<T>(&mut self, read: heirloom::Result<T>) -> Option<T> {
        if let Err(error) = &read {
            assert!(!error.to_string().is_empty());
            self.is_told = true;
        }
        read.ok()
    }

    fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// Compares some of the rows with what they should be.
    fn compare(&mut self, by: &str, found: Vec<heirloom::Result<Book>>, expected: &Books) {
        let mut errors = 0;
        let mut here = Books::new();
        for book in found {
            match self.read(book) {
                Some(book) if expected.get(&book.id) == Some(&book) => {
                    drop(here.insert(book.id, book));
                }
                Some(book) => self.wrong(format!("{by}: {book:?}")),
                None => errors += 1,
            }
        }
        if errors == 0 && here.len() < expected.len() {
            self.missing.push(format!("{by}: {} of {}", here.len(), expected.len()));
        }
    }
}

/// Reads, writes and exchanges, whatever comes back.
fn use_it(original: &Original, path: &Path) -> Outcome {
    let mut seen = Outcome::default();
    let Some(app) = seen.read(Library::open(path)) else { return seen };
    if let Some(rows) = seen.read(app.books.iter()) {
        seen.compare("iter", rows.collect(), &original.books);
    }
    let invalid = seen.read(app.books.invalid()).map(|rows| rows.len());
    if let (Some(len), Some(invalid)) = (seen.read(app.books.len()), invalid) {
        let valid = app.books.iter().map_or(0, |rows| rows.filter(Result::is_ok).count());
        if !seen.is_told && valid + invalid != len {
            seen.wrong(format!("{valid} + {invalid} of {len}"));
        }
        seen.is_told |= invalid > 0;
    }
    for (id, book) in &original.books {
        match seen.read(app.books.get(id)) {
            Some(Some(found)) if found == *book => {}
            Some(Some(found)) => seen.wrong(format!("get: {found:?}")),
            Some(None) => seen.missing.push(format!("get: {id}")),
            None => {}
        }
    }
    for shelf in 0..SHELVES {
        let expected = original.books.iter().filter(|(_, book)| book.shelf == shelf);
        let expected: Books = expected.map(|(id, book)| (*id, book.clone())).collect();
        let found = app.books.filter(Book::SHELF.eq(shelf)).all();
        let found =
            found.map_or_else(|error| vec![Err(error)], |rows| rows.into_iter().map(Ok).collect());
        seen.compare("index", found, &expected);
    }
    match seen.read(app.settings.get()) {
        Some(settings) if settings != original.settings => {
            seen.missing.push(format!("settings: {settings:?}"));
        }
        _ => {}
    }
    let summary = seen.read(app.summary());
    seen.read(app.status());

    let peer = Library::in_memory().unwrap();
    peer.apply(&original.of_peer).unwrap();
    peer.books.put(&book(5000, 0)).unwrap();
    if let Some(changes) = seen.read(app.changes_since(&peer.summary().unwrap())) {
        seen.read(peer.apply(&changes));
    }
    after_exchange(original, &peer, &mut seen);

    if seen.read(app.books.put(&book(2000, 0))).is_some()
        && seen.read(app.books.get(&2000)).is_some_and(|found| found != Some(book(2000, 0)))
    {
        seen.wrong("what was written is not there".to_owned());
    }
    if let Some(summary) = summary {
        seen.read(app.apply(&peer.changes_since(&summary).unwrap()));
    }
    seen
}

/// A peer has of each row what it had, or what it should have now.
fn after_exchange(original: &Original, peer: &Library, seen: &mut Outcome) {
    let now = books(peer);
    let expected = |id: &u32| [original.books_of_peer.get(id), original.books.get(id)];
    for (id, found) in now.iter().filter(|(id, _)| **id != 5000) {
        if !expected(id).contains(&Some(found)) {
            seen.wrong(format!("the peer has {found:?}"));
        }
    }
    for id in original.books_of_peer.keys().filter(|id| !now.contains_key(id)) {
        if original.books.contains_key(id) {
            seen.wrong(format!("the peer has lost {id}"));
        }
    }
    if !peer.books.invalid().unwrap().is_empty() {
        seen.wrong("the peer has rows that do not decode".to_owned());
    }
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *seed >> 29
}

#[test]
fn a_flipped_bit_or_a_wiped_page_gives_no_wrong_row_and_harms_no_peer() {
    let cases = std::env::var("DAMAGE").ok().and_then(|cases| cases.parse().ok());
    let cases: usize = cases.unwrap_or(300);
    let original = original();
    let used: Vec<usize> =
        (0..original.bytes.len()).filter(|at| original.bytes[*at] != 0).collect();
    let pages = original.bytes.len() / 4096;
    let (mut failures, mut told, mut by_check, mut unnoticed) = (Vec::new(), 0, 0, 0);
    for case in 0..cases {
        let mut seed = case as u64;
        (0..3).for_each(|_| _ = next(&mut seed));
        let mut bytes = original.bytes.clone();
        let what = if case % 4 == 0 {
            let page = next(&mut seed) as usize % pages;
            bytes[page * 4096..][..4096].fill(0);
            format!("case {case}: page {page} wiped")
        } else {
            let at = used[next(&mut seed) as usize % used.len()];
            bytes[at] ^= 1 << (case % 8);
            format!("case {case}: bit {} of {at} flipped", case % 8)
        };
        let (_folder, path) = place();
        fs::write(&path, &bytes).unwrap();
        let used = catch_unwind(AssertUnwindSafe(|| use_it(&original, &path)));
        let Ok(outcome) = used else {
            failures.push(format!("{what}: a panic came through"));
            continue;
        };
        told += usize::from(outcome.is_told);
        failures.extend(outcome.wrong.iter().map(|wrong| format!("{what}: {wrong}")));
        if outcome.is_told || outcome.missing.is_empty() {
            unnoticed += usize::from(!outcome.is_told);
            continue;
        }
        // Reading tells nothing: the check does.
        fs::write(&path, &bytes).unwrap();
        match Library::check(&path) {
            Ok(report) if report.is_ok() => {
                failures.push(format!("{what}: silently missing: {:?}", outcome.missing));
            }
            _ => by_check += 1,
        }
    }
    println!("{cases} files: {told} with errors, {by_check} by the check alone, {unnoticed} whole");
    assert!(failures.is_empty(), "{} of {cases}:\n{}", failures.len(), failures.join("\n"));
}

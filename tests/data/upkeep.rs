//! Repairing rows, impure defaults, loading ahead, and reports of long work.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::file;
use heirloom::{ErrorKind, Progress, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The rows that the app wrote before versions of its schema were recorded: keys and years of any
/// text.
mod loose {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "films")]
    pub struct Film {
        #[key]
        pub number: String,
        pub year: String,
        pub extra: Option<u8>,
    }

    #[derive(Store)]
    #[store(name = "cinema")]
    pub struct Cinema {
        pub films: Table<Film>,
    }
}

/// One whose number is a number, as text: what `loose` stores decodes where it is one.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "films")]
struct Film {
    #[key]
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    number: u32,
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    year: u32,
    #[evolve(default = |year| year / 10 * 10)]
    decade: u32,
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(number: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&number.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Store)]
#[store(name = "cinema")]
struct Cinema {
    films: Table<Film>,
}

/// A file with the rows 1 (valid), 2 (its year is none) and `x` (its number is none).
fn cinema(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let path = folder.path().join("cinema.redb");
    let loose = loose::Cinema::open(&path).unwrap();
    for (number, year) in [("1", "1979"), ("2", "around 1990"), ("x", "1968")] {
        let film = loose::Film { number: number.into(), year: year.into(), extra: Some(7) };
        loose.films.insert(&film).unwrap();
    }
    drop(loose);
    file::forget_versions(&path);
    path
}

#[test]
fn an_invalid_row_is_repaired_by_its_json_and_keeps_what_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = cinema(&folder);
    let app = Cinema::open(&path).unwrap();
    let invalid = app.films.invalid().unwrap();
    assert_eq!(invalid.iter().map(|row| row.key()).collect::<Vec<_>>(), ["2", "x"]);
    let (two, stray) = (&invalid[0], &invalid[1]);

    // A repair that does not help changes nothing.
    for (json, kind) in [
        (r#"{"number":"2","year":"199?"}"#, ErrorKind::InvalidRow),
        ("[]", ErrorKind::InvalidRow),
        (r#"{"number":"3","year":"1990"}"#, ErrorKind::KeyChanged),
    ] {
        assert_eq!(app.films.repair(two, json).unwrap_err().kind(), kind, "{json}");
    }
    let taken = stray.json().replace("\"x\"", "\"1\"");
    assert_eq!(app.films.repair(stray, &taken).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(app.films.invalid().unwrap().len(), 2);

    let film = app.films.repair(two, &two.json().replace("around 1990", "1990")).unwrap();
    assert_eq!(film, Film { number: 2, year: 1990, decade: 1990 });
    let film = app.films.repair(stray, &stray.json().replace("\"x\"", "\"4\"")).unwrap();
    assert_eq!(film, Film { number: 4, year: 1968, decade: 1960 });
    assert!(app.films.invalid().unwrap().is_empty());
    assert_eq!(app.films.len().unwrap(), 3);
    drop(app);

    assert!(Cinema::check(&path).unwrap().is_ok());
    file::forget_versions(&path);
    let loose = loose::Cinema::open(&path).unwrap();
    let row = loose.films.get("4").unwrap().unwrap();
    assert_eq!((row.year.as_str(), row.extra), ("1968", Some(7)));
    assert!(!loose.films.contains("x").unwrap());
}

#[test]
fn an_invalid_row_of_another_table_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let app = Cinema::open(cinema(&folder)).unwrap();
    let row = &app.films.invalid().unwrap()[0];
    let other = Impure::in_memory().unwrap();
    assert_eq!(other.tickets.discard(row).unwrap_err().kind(), ErrorKind::WrongId);
    assert_eq!(other.tickets.repair(row, "{}").unwrap_err().kind(), ErrorKind::WrongId);
}

static TICKETS: AtomicU32 = AtomicU32::new(0);

mod before {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tickets")]
    pub struct Ticket {
        #[key]
        pub row: String,
    }

    #[derive(Store)]
    #[store(name = "impure")]
    pub struct Impure {
        pub tickets: Table<Ticket>,
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tickets")]
struct Ticket {
    #[key]
    row: String,
    #[evolve(default = |row| TICKETS.fetch_add(1, Ordering::Relaxed) + row.len() as u32)]
    number: u32,
}

#[derive(Store)]
#[store(name = "impure")]
struct Impure {
    tickets: Table<Ticket>,
}

#[test]
fn a_computed_default_that_is_not_pure_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("impure.redb");
    let ticket = before::Ticket { row: "a".into() };
    before::Impure::open(&path).unwrap().tickets.insert(&ticket).unwrap();
    let app = Impure::open(&path).unwrap();
    let read = app.tickets.get("a");
    if cfg!(debug_assertions) {
        let error = read.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, Some("number")));
        assert!(error.to_string().contains("not pure"), "{error}");
    } else {
        read.unwrap().unwrap();
    }
}

#[test]
fn loading_ahead_changes_no_byte_and_the_first_write_finds_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = cinema(&folder);
    // Another type of key is another order: the first opening reads the table anew.
    drop(Cinema::open(&path).unwrap());
    let before = std::fs::read(&path).unwrap();
    for _ in 0..3 {
        // Closing waits for the background, however far it is.
        drop(Cinema::builder().open(&path).unwrap());
    }
    assert!(std::fs::read(&path).unwrap() == before);
    let app = Cinema::builder().open(&path).unwrap();
    app.films.insert(&Film { number: 9, year: 2001, decade: 2000 }).unwrap();
    drop(app);
    assert!(Cinema::check(&path).unwrap().is_ok());
}

#[test]
fn long_work_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = cinema(&folder);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let app = Cinema::builder()
        .on_progress(move |progress| log.lock().unwrap().push(progress))
        .open(&path)
        .unwrap();
    assert_eq!(app.backfill_defaults().unwrap(), 1);
    let table = || "films".to_owned();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            // Another type of key is another order, in which the table is read anew.
            Progress::Rebuild { table: table(), done: 3 },
            Progress::Backfill { table: table(), done: 2, total: 2 },
        ]
    );
}

//! `#[created]` and `#[updated]`: the times that heirloom fills in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{exchange, give, rows};
use heirloom::transfer::OnExisting;
use heirloom::{Ref, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    #[key]
    name: String,
    text: String,
    folder: Option<String>,
    #[created]
    made: i64,
    #[updated]
    changed: i64,
}

/// Every type that a time can have; the rows of some code have none of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "stamped")]
struct Stamped {
    #[key]
    number: u32,
    text: String,
    #[created]
    made: Option<SystemTime>,
    #[updated]
    #[evolve(default)]
    changed: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "folders")]
struct Folder {
    #[key]
    name: String,
}

/// A reference that is cleared changes the row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "files")]
struct File {
    #[key]
    name: String,
    #[reference(on_remove = "set_null")]
    folder: Option<Ref<Folder>>,
    #[serde(with = "in_seconds")]
    #[schemars(with = "i64")]
    #[updated]
    changed: i64,
}

/// A form of the user's own.
mod in_seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(millis: &i64, to: S) -> Result<S::Ok, S::Error> {
        (millis / 1000).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        i64::deserialize(from).map(|seconds| seconds * 1000)
    }
}

#[derive(Store)]
#[store(name = "times")]
struct App {
    notes: Table<Note>,
    stamped: Table<Stamped>,
    folders: Table<Folder>,
    files: Table<File>,
}

/// A store with a clock that is set by hand, in milliseconds.
fn app() -> (App, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(1_000));
    let hand = clock.clone();
    let now = move || {
        let millis = hand.load(Ordering::SeqCst);
        let since = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
    };
    (App::builder().clock(now).in_memory().unwrap(), clock)
}

fn note(name: &str, text: &str) -> Note {
    Note { name: name.into(), text: text.into(), folder: None, made: -7, changed: -7 }
}

fn times(app: &App, name: &str) -> (i64, i64) {
    let note = app.notes.get(name).unwrap().unwrap();
    (note.made, note.changed)
}

#[test]
fn each_way_of_writing_fills_them_in() {
    let (app, clock) = app();
    app.notes.insert(&note("a", "1")).unwrap();
    app.notes.insert_many([note("b", "1"), note("c", "1")]).unwrap();
    app.notes.put(&note("d", "1")).unwrap();
    assert!(app.notes.insert_or_ignore(&note("e", "1")).unwrap());
    app.notes.upsert_by(Note::NAME, &note("f", "1")).unwrap();
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(times(&app, name), (1_000, 1_000), "{name}");
    }
    clock.store(2_000, Ordering::SeqCst);
    let updated = app.notes.update("a", |note| note.text = "2".into()).unwrap().unwrap();
    assert_eq!((updated.made, updated.changed), (1_000, 2_000));
    assert_eq!(app.notes.get("a").unwrap().unwrap(), updated);
    app.notes.put(&note("b", "2")).unwrap();
    app.notes.upsert_by(Note::NAME, &note("c", "2")).unwrap();
    app.notes.filter(Note::NAME.eq("d")).update_all(|note| note.text = "2".into()).unwrap();
    assert!(!app.notes.insert_or_ignore(&note("e", "2")).unwrap());
    app.transaction(|tx| {
        clock.store(3_000, Ordering::SeqCst); // the transaction has one time
        tx.update::<Note>("f", |note| note.text = "2".into())?;
        tx.insert(&note("g", "1"))?;
        tx.update::<Note>("g", |note| note.text = "2".into())?;
        Ok(())
    })
    .unwrap();
    for name in ["b", "c", "d", "f"] {
        assert_eq!(times(&app, name), (1_000, 2_000), "{name}");
    }
    assert_eq!(times(&app, "e"), (1_000, 1_000));
    assert_eq!(times(&app, "g"), (2_000, 2_001));
    app.notes.remove("a").unwrap();
    app.notes.insert(&note("a", "3")).unwrap();
    assert_eq!(times(&app, "a"), (3_000, 3_000));
}

#[test]
fn a_change_of_nothing_else_writes_nothing() {
    let (app, clock) = app();
    app.notes.insert(&note("a", "1")).unwrap();
    let before = app.summary().unwrap();
    clock.store(2_000, Ordering::SeqCst);
    let same = app.notes.update("a", |note| (note.made, note.changed) = (5, 6)).unwrap().unwrap();
    assert_eq!((same.made, same.changed), (1_000, 1_000));
    app.notes.put(&note("a", "1")).unwrap();
    app.notes.query().update_all(|_| ()).unwrap();
    app.notes.upsert_by(Note::NAME, &note("a", "1")).unwrap();
    assert!(app.changes_since(&before).unwrap().is_empty());
    assert_eq!(times(&app, "a"), (1_000, 1_000));
}

#[test]
fn other_types_forms_and_rows_without_a_time() {
    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "stamped")]
    struct Plain {
        #[key]
        number: u32,
        text: String,
    }
    #[derive(Store)]
    #[store(name = "times")]
    struct Older {
        stamped: Table<Plain>,
    }
    let older = Older::in_memory().unwrap();
    older.stamped.insert(&Plain { number: 1, text: "old".into() }).unwrap();
    let (app, clock) = app();
    give(&older, &app);
    let row = |number| app.stamped.get(&number).unwrap().unwrap();
    assert_eq!((row(1).made, row(1).changed), (None, 0));
    app.stamped.update(&1, |row| row.text = "new".into()).unwrap();
    assert_eq!((row(1).made, row(1).changed), (None, 1_000));
    app.stamped.insert(&Stamped { number: 2, text: "".into(), made: None, changed: 0 }).unwrap();
    assert_eq!(row(2).made, Some(UNIX_EPOCH + Duration::from_millis(1_000)));

    app.folders.insert(&Folder { name: "x".into() }).unwrap();
    let file = File { name: "f".into(), folder: Some(Ref::new("x")), changed: 0 };
    app.files.insert(&file).unwrap();
    assert_eq!(app.files.get("f").unwrap().unwrap().changed, 1_000);
    clock.store(9_000, Ordering::SeqCst);
    app.folders.remove("x").unwrap();
    let cleared = app.files.get("f").unwrap().unwrap();
    assert_eq!((cleared.folder, cleared.changed), (None, 9_000));
    let schema = App::schema();
    let filled = |table: &str, field: &str| schema.tables[table].fields[field].filled.clone();
    assert_eq!(filled("notes", "made").as_deref(), Some("created"));
    assert_eq!(filled("files", "changed").as_deref(), Some("updated"));
    assert_eq!(filled("notes", "text"), None);
    // Times are columns like others.
    assert_eq!(app.stamped.filter(Stamped::CHANGED.ge(1_000)).count().unwrap(), 2);
}

#[test]
fn merges_imports_and_rebuilds_keep_them() {
    let (app, clock) = app();
    app.notes.insert(&note("a", "1")).unwrap();
    clock.store(2_000, Ordering::SeqCst);
    app.notes.update("a", |note| note.text = "2".into()).unwrap();
    let (other, later) = self::app();
    later.store(90_000, Ordering::SeqCst);
    exchange(&app, &other);
    assert_eq!(rows(&other.notes), rows(&app.notes));
    clock.store(91_000, Ordering::SeqCst);
    app.compact_history().unwrap();
    app.backfill_defaults().unwrap();
    assert_eq!(times(&app, "a"), (1_000, 2_000));

    let mut lines = Vec::new();
    app.notes.export(&mut lines).unwrap();
    let (copy, _) = self::app();
    copy.notes.import(lines.as_slice(), OnExisting::Fail).unwrap();
    assert_eq!(times(&copy, "a"), (1_000, 2_000));
    copy.notes.import(lines.as_slice(), OnExisting::Replace).unwrap();
    assert_eq!(times(&copy, "a"), (1_000, 2_000));
    let mut cells = Vec::new();
    app.notes.export_csv(&mut cells).unwrap();
    let (sheet, _) = self::app();
    sheet.notes.import_csv(cells.as_slice(), OnExisting::Fail).unwrap();
    assert_eq!(times(&sheet, "a"), (1_000, 2_000));
    // The clock of this device is behind that of the row.
    copy.notes.update("a", |note| note.text = "3".into()).unwrap();
    assert_eq!(times(&copy, "a"), (1_000, 2_001));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The clock may do anything.
    #[test]
    fn they_never_go_backwards(
        steps in prop::collection::vec(
            (prop_oneof![-5_000..5_000_i64, Just(i64::MAX / 4), Just(-i64::MAX / 4)], 0..3u8, any::<bool>()),
            1..20,
        ),
    ) {
        let (app, clock) = app();
        let mut model: Option<(String, i64, i64)> = None;
        for (millis, text, is_put) in steps {
            clock.store(millis, Ordering::SeqCst);
            let text = text.to_string();
            match (is_put, &model) {
                (false, Some(_)) => drop(app.notes.update("a", |note| note.text = text.clone()).unwrap()),
                _ => app.notes.put(&note("a", &text)).unwrap(),
            }
            model = Some(match model {
                Some((known, made, changed)) if known == text => (known, made, changed),
                Some((_, made, changed)) => (text, made, millis.max(made.max(changed) + 1)),
                None => (text, millis, millis),
            });
            let (_, made, changed) = model.clone().unwrap();
            prop_assert_eq!(times(&app, "a"), (made, changed));
        }
    }
}

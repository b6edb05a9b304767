//! Files of format 1: they can be read as they are, and the first write brings them to the current format.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use heirloom::__private::StorageHook;
use heirloom::{ErrorKind, Progress};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use tempfile::TempDir;

use super::formats::first::{Counter, Fixture, Recording};
use super::formats::id;
use crate::support::{Heard, assert_same_bytes, assert_sound, file};

fn copy_of(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::copy(fixtures.join(name), &path).unwrap();
    (folder, path)
}

fn format_of(path: &Path) -> u64 {
    u64::from_le_bytes(file::meta(path, "format").unwrap().try_into().unwrap())
}

type Records<'n> = TableDefinition<'n, u64, &'static [u8]>;

/// The sequence numbers of the records in a table of a document's log or snapshot.
fn records(path: &Path, table: &str) -> Vec<u64> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let Ok(table) = txn.open_table(Records::new(table)) else { return Vec::new() };
    table.iter().unwrap().map(|record| record.unwrap().0.value()).collect()
}

/// Changes the bytes of one record.
fn damage(path: &Path, table: &str, sequence: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    {
        let mut table = txn.open_table(Records::new(table)).unwrap();
        let mut bytes = table.get(sequence).unwrap().unwrap().value().to_vec();
        change(&mut bytes);
        table.insert(sequence, bytes.as_slice()).unwrap();
    }
    txn.commit().unwrap();
}

/// All that the store of the fixture shows, as text.
fn content(app: &Fixture) -> Vec<String> {
    let mut content = Vec::new();
    for row in app.recordings.iter().unwrap() {
        content.push(serde_json::to_string(&row.unwrap()).unwrap());
    }
    for row in app.counters.iter().unwrap() {
        content.push(serde_json::to_string(&row.unwrap()).unwrap());
    }
    content.push(format!("{:?}", app.settings.language.get().unwrap()));
    content.push(format!("{:?}", app.settings.later.get().unwrap()));
    content
}

/// The names of all tables of a file.
fn tables(path: &Path) -> Vec<String> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    txn.list_tables().unwrap().map(|table| table.name().to_owned()).collect()
}

/// A table of the file and a key in it.
type Place = (String, Vec<u8>);

/// The item and the JSON of each row and entry of the file.
fn items(path: &Path) -> BTreeMap<Place, (Vec<u8>, Vec<u8>)> {
    let header_len = if format_of(path) == 1 { 13 } else { 17 };
    let names = tables(path);
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let mut items = BTreeMap::new();
    let mut add = |name: &str, key: &[u8], row: &[u8]| {
        items.insert(
            (name.to_owned(), key.to_vec()),
            (row[1..13].to_vec(), row[header_len..].to_vec()),
        );
    };
    for name in names {
        if name.contains("/rows/") {
            let table = txn.open_table(TableDefinition::<&[u8], &[u8]>::new(&name)).unwrap();
            for row in table.iter().unwrap() {
                let (key, row) = row.unwrap();
                add(&name, key.value(), row.value());
            }
        } else if name.contains("/strays/") || name.contains("/entries/") {
            let table = txn.open_table(TableDefinition::<&str, &[u8]>::new(&name)).unwrap();
            for row in table.iter().unwrap() {
                let (key, row) = row.unwrap();
                add(&name, key.value().as_bytes(), row.value());
            }
        }
    }
    items
}

#[test]
fn a_file_that_is_only_read_stays_as_it_is() {
    let (folder, path) = copy_of("format-1.redb");
    let before = fs::read(&path).unwrap();
    let app = Fixture::open(&path).unwrap();
    assert_eq!(content(&app).len(), 6);
    assert!(app.recordings.contains(&id(1)).unwrap());
    assert_eq!(app.counters.get(&7).unwrap().unwrap().text, "of a peer");
    assert_eq!(app.recordings.filter(Recording::LENGTH.eq("short")).count().unwrap(), 1);
    assert_eq!(app.snapshot().unwrap().len::<Counter>().unwrap(), 2);
    let backup = folder.path().join("backup.redb");
    app.backup(&backup).unwrap();
    let shown = content(&app);
    drop(app);
    assert_same_bytes(&before, &fs::read(&path).unwrap());

    // The backup is of the same format, and becomes another device's.
    assert_eq!(format_of(&backup), 1);
    let app = Fixture::open(&backup).unwrap();
    assert_eq!(content(&app), shown);
    app.settings.later.set(&Some(10)).unwrap();
    drop(app);
    assert_sound::<Fixture>(&backup);
}

#[test]
fn the_first_write_upgrades_the_file_and_changes_no_item() {
    let (_folder, path) = copy_of("format-1.redb");
    let (before, device) = (items(&path), file::meta(&path, "device"));
    let progress = Heard::default();
    let told = progress.clone();
    let app = Fixture::builder().on_progress(move |it| told.note(it)).open(&path).unwrap();
    let shown = content(&app);
    app.summary().unwrap();
    assert_eq!(content(&app), shown);
    drop(app);
    let heard = progress.take();
    assert!(
        matches!(heard.first(), Some(Progress::Upgrade { done: 0, total }) if *total > 0),
        "{heard:?}"
    );
    assert!(!heard.iter().any(|it| matches!(it, Progress::Problem { .. })), "{heard:?}");

    assert_eq!(format_of(&path), 2);
    assert_eq!(items(&path), before, "an item or its JSON is another one");
    assert_eq!(file::meta(&path, "device"), device);
    assert_eq!(file::meta(&path, "coverage"), None);
    for table in tables(&path) {
        assert!(
            !table.ends_with("/log") && !table.ends_with("/snapshot"),
            "{table} is still there"
        );
    }
    assert_sound::<Fixture>(&path);
}

/// Returns a peer that knew all that the fixture holds.
fn peer_of_fixture() -> Fixture {
    let (_folder, path) = copy_of("format-1.redb");
    let peer = Fixture::in_memory().unwrap();
    let app = Fixture::open(&path).unwrap();
    peer.apply(&app.changes_since(&peer.summary().unwrap()).unwrap()).unwrap();
    peer
}

#[test]
fn what_a_damaged_record_held_is_kept_as_it_was_seen() {
    let (_folder, whole) = copy_of("format-1.redb");
    let mut damaged = Vec::new();
    for table in ["head/log", "head/snapshot", "0/snapshot", "0/log"] {
        damaged.extend(records(&whole, table).into_iter().map(|nth| (table, nth)));
    }
    assert!(damaged.len() > 5, "{damaged:?}");
    for (table, nth) in damaged {
        let at = format!("record {nth} of {table}");
        let (_folder, path) = copy_of("format-1.redb");
        damage(&path, table, nth, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        });
        let problems = Heard::default();
        let told = problems.clone();
        let app = Fixture::builder()
            .on_progress(move |progress| {
                if let Progress::Problem { what } = progress {
                    told.note(what);
                }
            })
            .open(&path)
            .unwrap();
        let shown = content(&app);
        app.counters.insert(&Counter { number: 30, text: "after".into() }).unwrap();
        let reported = problems.take();
        assert!(reported[0].contains("checksum does not match"), "{at}: {reported:?}");
        app.counters.remove(&30).unwrap();
        assert_eq!(content(&app), shown, "{at}");
        drop(app);
        assert_sound::<Fixture>(&path);

        // A peer that has what is missing brings it back, and the two agree.
        let (app, peer) = (Fixture::open(&path).unwrap(), peer_of_fixture());
        peer.counters.insert(&Counter { number: 31, text: "of the peer".into() }).unwrap();
        for _ in 0..2 {
            app.apply(&peer.changes_since(&app.summary().unwrap()).unwrap()).unwrap();
            peer.apply(&app.changes_since(&peer.summary().unwrap()).unwrap()).unwrap();
        }
        assert_eq!(content(&app), content(&peer), "{at}");
        assert_eq!(content(&app).len(), shown.len() + 1, "{at}");
        drop(app);
        assert_sound::<Fixture>(&path);
    }
}

#[test]
fn a_disk_that_refuses_any_operation_leaves_the_file_as_it_was() {
    for nth in 1.. {
        let (_folder, path) = copy_of("format-1-epochs.redb");
        let (count, from) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let (counted, failing) = (count.clone(), from.clone());
        let hook: StorageHook = Arc::new(move |_| {
            let refused = counted.fetch_add(1, SeqCst) + 1 >= failing.load(SeqCst);
            if refused { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        let app = epochs::v1::App::builder().storage_hook(hook).open(&path).unwrap();
        let shown = epochs::titles(&app);
        from.store(count.load(SeqCst) + nth, SeqCst);
        let failed = app.notes.insert(&epochs::note(9, "new"));
        from.store(u64::MAX, SeqCst);
        if let Err(error) = &failed {
            assert_eq!(error.kind(), ErrorKind::Storage, "operation {nth}: {error}");
            assert_eq!(epochs::titles(&app), shown, "operation {nth}");
            let there = path.with_extension("there");
            fs::copy(&path, &there).unwrap();
            // A process that is killed now leaves a file that opens, of either format. Where only the last
            // sync has failed, it may have the new row.
            let after = epochs::v1::App::open(&there).unwrap();
            let mut titles = epochs::titles(&after);
            titles.retain(|(id, _)| *id != 9);
            assert_eq!(titles, shown, "operation {nth}");
            drop(after);
            assert_sound::<epochs::v1::App>(&there);
            app.notes.insert(&epochs::note(9, "new")).unwrap();
        }
        assert_eq!(app.notes.len().unwrap(), shown.len() + 1, "operation {nth}");
        drop(app);
        assert_eq!(format_of(&path), 2);
        assert_sound::<epochs::v1::App>(&path);
        if failed.is_ok() {
            assert!(nth > 4, "nothing was refused");
            return;
        }
    }
}

mod epochs {
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub mod v0 {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes")]
        pub struct Note {
            #[key]
            pub id: u32,
            pub text: String,
        }

        #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings")]
        pub struct Settings {
            #[evolve(default)]
            pub size: u32,
        }

        #[derive(Store)]
        #[store(name = "epochs")]
        #[allow(dead_code, reason = "the group is there for the schema")]
        pub struct App {
            pub notes: Table<Note>,
            pub settings: Kv<Settings>,
        }
    }

    pub mod v1 {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes", previous = v0::Note)]
        pub struct Note {
            #[key]
            pub id: u32,
            #[evolve(renamed_from = "text")]
            #[index]
            pub title: String,
        }

        #[derive(Store)]
        #[store(name = "epochs", epoch = 1, previous = v0::App)]
        pub struct App {
            pub notes: Table<Note>,
            pub settings: Kv<v0::Settings>,
        }
    }

    pub fn note(id: u32, title: &str) -> v1::Note {
        v1::Note { id, title: title.into() }
    }

    pub fn titles(app: &v1::App) -> Vec<(u32, String)> {
        let rows = app.notes.iter().unwrap().map(Result::unwrap);
        rows.map(|note| (note.id, note.title)).collect()
    }
}

/// Rows that the fixture of two epochs holds: migrated ones, a late edit that shows, one that was written
/// over, one of a row that is new, and a row of the second epoch.
const TITLES: [(u32, &str); 6] = [
    (1, "late"),
    (2, "resolved"),
    (3, "note 3"),
    (4, "note 4"),
    (6, "late and new"),
    (7, "of the second epoch"),
];

fn assert_titles(app: &epochs::v1::App) {
    let titles = epochs::titles(app);
    let found: Vec<_> = titles.iter().map(|(id, title)| (*id, title.as_str())).collect();
    assert_eq!(found, TITLES);
    assert_eq!(app.settings.size.get().unwrap(), 12);
}

#[test]
fn late_edits_of_two_epochs_show_as_they_did() {
    let (_folder, path) = copy_of("format-1-epochs.redb");
    let before = items(&path);
    let bytes = fs::read(&path).unwrap();
    let app = epochs::v1::App::open(&path).unwrap();
    assert_titles(&app);
    drop(app);
    assert_same_bytes(&bytes, &fs::read(&path).unwrap());

    assert_sound::<epochs::v1::App>(&path);
    assert_eq!(format_of(&path), 2);
    let current = String::from_utf8(file::meta(&path, "document").unwrap()).unwrap();
    let mut after = items(&path);
    after.retain(|(table, _), _| table.starts_with(&current) || table.starts_with("head/"));
    assert_eq!(after, before, "an item or its JSON is another one");

    let app = epochs::v1::App::open(&path).unwrap();
    assert_titles(&app);
    let late = app.notes.filter(epochs::v1::Note::TITLE.eq("late")).first().unwrap();
    assert_eq!(late.map(|note| note.id), Some(1));
    assert_eq!(app.status().unwrap().uncarried_documents(), 0);
    // A peer of the first epoch gets all of it, and what it edits late is carried.
    let peer = epochs::v0::App::in_memory().unwrap();
    peer.notes.insert(&epochs::v0::Note { id: 20, text: "of the peer".into() }).unwrap();
    peer.apply(&app.changes_since(&peer.summary().unwrap()).unwrap()).unwrap();
    assert_eq!(peer.notes.get(&1).unwrap().unwrap().text, "late");
    peer.notes.update(&3, |note| note.text = "later still".into()).unwrap();
    app.apply(&peer.changes_since(&app.summary().unwrap()).unwrap()).unwrap();
    assert_eq!(app.notes.get(&3).unwrap().unwrap().title, "later still");
    assert_eq!(app.notes.get(&20).unwrap().unwrap().title, "of the peer");
    assert_eq!(app.notes.get(&1).unwrap().unwrap().title, "late");
    app.notes.update(&1, |note| note.title = "written over".into()).unwrap();
    let fresh = epochs::v1::App::in_memory().unwrap();
    fresh.apply(&app.changes_since(&fresh.summary().unwrap()).unwrap()).unwrap();
    assert_eq!(epochs::titles(&fresh), epochs::titles(&app));
    drop(app);
    assert_sound::<epochs::v1::App>(&path);
}

#[test]
fn damage_in_any_document_of_two_epochs_is_reported_and_changes_no_row() {
    let (_folder, whole) = copy_of("format-1-epochs.redb");
    let names = tables(&whole).into_iter();
    let names = names.filter(|name| name.ends_with("/log") || name.ends_with("/snapshot"));
    let mut count = 0;
    for table in names {
        for nth in records(&whole, &table) {
            count += 1;
            let at = format!("record {nth} of {table}");
            let (_folder, path) = copy_of("format-1-epochs.redb");
            damage(&path, &table, nth, |bytes| bytes.truncate(bytes.len() / 2));
            let problems = Heard::default();
            let told = problems.clone();
            let app = epochs::v1::App::builder()
                .on_progress(move |progress| {
                    if let Progress::Problem { what } = progress {
                        told.note(what);
                    }
                })
                .open(&path)
                .unwrap();
            assert_titles(&app);
            app.notes.update(&3, |note| note.title.push('!')).unwrap();
            let document = table.rsplit_once('/').unwrap().0;
            assert!(problems.take()[0].contains(&format!("document `{document}`")), "{at}");
            app.notes.update(&3, |note| note.title.truncate(note.title.len() - 1)).unwrap();
            assert_titles(&app);
            drop(app);
            assert_sound::<epochs::v1::App>(&path);
            assert_titles(&epochs::v1::App::open(&path).unwrap());
        }
    }
    assert!(count > 5, "{count}");
}

#[test]
fn a_table_that_other_code_has_missed_is_read_once_the_file_is_opened() {
    let (_folder, path) = copy_of("format-1.redb");
    let coverage = br#"{"tables":{"recordings":"id"},"absent":["counters"]}"#;
    file::set_meta(&path, "coverage", coverage);
    {
        let database = Database::open(&path).unwrap();
        let txn = database.begin_write().unwrap();
        txn.delete_table(TableDefinition::<&[u8], &[u8]>::new("0/rows/counters")).unwrap();
        txn.commit().unwrap();
    }
    let app = Fixture::open(&path).unwrap();
    assert_eq!(app.counters.get(&7).unwrap().unwrap().text, "of a peer");
    assert_eq!(content(&app).len(), 6);
    drop(app);
    assert_eq!(format_of(&path), 2);
    assert_sound::<Fixture>(&path);
}

#[test]
fn a_row_that_readers_see_otherwise_than_the_document_is_given_up_and_reported() {
    let (_folder, path) = copy_of("format-1.redb");
    {
        let database = Database::open(&path).unwrap();
        let txn = database.begin_write().unwrap();
        {
            let name = TableDefinition::<&[u8], &[u8]>::new("0/rows/counters");
            let mut table = txn.open_table(name).unwrap();
            let key = (7 ^ i64::MIN).to_be_bytes();
            let mut row = table.get(key.as_slice()).unwrap().unwrap().value().to_vec();
            let at = row.len() - 3;
            row[at] ^= 1;
            table.insert(key.as_slice(), row.as_slice()).unwrap();
        }
        txn.commit().unwrap();
    }
    let problems = Heard::default();
    let told = problems.clone();
    let app = Fixture::builder()
        .on_progress(move |progress| {
            if let Progress::Problem { what } = progress {
                told.note(what);
            }
        })
        .open(&path)
        .unwrap();
    assert_ne!(app.counters.get(&7).unwrap().unwrap().text, "of a peer");
    app.summary().unwrap();
    assert_eq!(app.counters.get(&7).unwrap().unwrap().text, "of a peer");
    let problems = problems.take();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("`7` of `table:counters`"), "{problems:?}");
}

#[test]
fn code_of_the_next_epoch_migrates_a_file_of_format_1() {
    let (_folder, path) = copy_of("format-1.redb");
    let before = fs::read(&path).unwrap();
    next::Fixture::preview_migration(&path).unwrap();
    assert_same_bytes(&before, &fs::read(&path).unwrap());
    let app = next::Fixture::open(&path).unwrap();
    assert_eq!(format_of_open(&app), 2);
    assert_eq!(app.counters.get(&7).unwrap().unwrap().words, "of a peer");
    drop(app);
    assert_sound::<next::Fixture>(&path);
}

fn format_of_open(app: &next::Fixture) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.redb");
    app.backup(&path).unwrap();
    format_of(&path)
}

mod next {
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::super::formats::first;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "counters", previous = first::Counter)]
    pub struct Counter {
        #[key]
        pub number: i32,
        #[evolve(renamed_from = "text")]
        pub words: String,
    }

    #[allow(dead_code, reason = "they are there for the migration")]
    #[derive(Store)]
    #[store(name = "fixture", epoch = 1, previous = first::Fixture)]
    pub struct Fixture {
        pub counters: Table<Counter>,
        pub recordings: Table<first::Recording>,
        pub settings: Kv<first::Settings>,
    }
}

//! Files that are damaged, too new, in use, or of somebody else.

use std::fs;
use std::path::Path;

use crate::support::file::{self, LOG, SNAPSHOT};
use crate::support::{
    Heard, Note, Notebook, assert_same_bytes, assert_sound, child, content, converge, note, place,
    refused, rows,
};
use heirloom::{ErrorKind, Progress, Store, Table};

/// A file with five log records, and a peer that knows all of it.
fn with_five_records(path: &Path) -> Notebook {
    let peer = Notebook::in_memory().unwrap();
    let app = Notebook::open(path).unwrap();
    for id in 1..=5 {
        app.notes.insert(&note(id, "before")).unwrap();
    }
    converge(&app, &peer);
    peer
}

/// Opens the damaged file and goes on as any app would.
///
/// `whole` is a row that the damage has not hit.
fn goes_on(path: &Path, peer: &Notebook, expect: &[Note], whole: Option<u32>) {
    let report = Notebook::check(path).unwrap();
    assert!(!report.is_ok(), "the check does not notice");

    let problems = Heard::default();
    let noted = problems.clone();
    let app = Notebook::builder()
        .on_progress(move |progress| {
            if let Progress::Problem { what } = progress {
                noted.note(what);
            }
        })
        .open(path)
        .unwrap();
    assert_eq!(rows(&app.notes), expect, "rows are read from the read model, which is whole");
    for id in 10..15 {
        app.notes.insert(&note(id, "after")).unwrap();
    }
    assert!(!problems.take().is_empty(), "the loss is not reported");
    if let Some(key) = whole {
        app.notes.update(&key, |note| note.stars = 7).unwrap().unwrap();
    }
    peer.notes.insert(&note(20, "of the peer")).unwrap();

    // The peer heals it; were a clock used twice, the two would differ for ever.
    converge(&app, peer);
    assert_eq!(app.notes.len().unwrap(), expect.len() + 6);
    if let Some(key) = whole {
        assert_eq!(peer.notes.get(&key).unwrap().unwrap().stars, 7);
    }
    // Once it is healed, every row can be changed again.
    for id in 1..=3 {
        app.notes.update(&id, |note| note.stars = 9).unwrap().unwrap();
    }
    converge(&app, peer);
    assert!((1..=3).all(|id| peer.notes.get(&id).unwrap().unwrap().stars == 9));
    // And stays healed: through a restart, more writes, and against a fresh third copy.
    drop(app);
    let app = Notebook::open(path).unwrap();
    app.notes.insert(&note(30, "later")).unwrap();
    let third = Notebook::in_memory().unwrap();
    converge(peer, &third);
    converge(&app, &third);
    assert_eq!(app.notes.len().unwrap(), expect.len() + 7);
    assert_eq!(third.notes.get(&14).unwrap(), Some(note(14, "after")));
}

#[test]
fn a_corrupt_log_record_is_reported_and_healed_by_a_peer() {
    let expect: Vec<Note> = (1..=5).map(|id| note(id, "before")).collect();
    for record in 1..=5 {
        let (_folder, path) = place();
        let peer = with_five_records(&path);
        assert_eq!(file::records(&path, LOG).len(), 5);
        file::damage(&path, LOG, record, |bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 0x10;
        });
        goes_on(&path, &peer, &expect, Some(record as u32 % 5 + 1));
    }
}

#[test]
fn a_record_cut_short_or_emptied_is_no_worse() {
    let expect: Vec<Note> = (1..=5).map(|id| note(id, "before")).collect();
    for keep in [0, 10, 26, 30] {
        let (_folder, path) = place();
        let peer = with_five_records(&path);
        file::damage(&path, LOG, 4, |bytes| bytes.truncate(keep));
        goes_on(&path, &peer, &expect, Some(1));
    }
}

#[test]
fn a_corrupt_snapshot_is_reported_and_healed_by_a_peer() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    {
        let app = Notebook::open(&path).unwrap();
        // Noise, which does not compress, until the log is renewed when the store closes or before.
        let mut seed = 1u64;
        for round in 0..80 {
            let text: String = (0..20_000)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    char::from(b'0' + (seed >> 33) as u8 % 64)
                })
                .collect();
            app.notes.put(&note(1 + round % 3, &text)).unwrap();
        }
        wait_for_snapshot(&app);
        converge(&app, &peer);
    }
    let records = file::records(&path, SNAPSHOT);
    assert_eq!(records.len(), 1, "there is no snapshot yet");
    let expect = rows(&peer.notes);
    file::damage(&path, SNAPSHOT, records[0].0, |bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    goes_on(&path, &peer, &expect, None);
}

/// The renewal runs in the background; a closing store does not wait for one to begin.
fn wait_for_snapshot(app: &Notebook) {
    std::thread::sleep(std::time::Duration::from_millis(10));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let folder = tempfile::tempdir().unwrap();
    for attempt in 0.. {
        let copy = folder.path().join(format!("{attempt}.redb"));
        app.backup(&copy).unwrap();
        if !file::records(&copy, SNAPSHOT).is_empty() {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "no snapshot was made");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_read_model_that_differs_from_the_document_is_noticed_by_the_check() {
    let (_folder, path) = place();
    drop(with_five_records(&path));
    let change = |table: &str, work: &dyn Fn(&redb::WriteTransaction, &str)| {
        let database = redb::Database::open(&path).unwrap();
        let txn = database.begin_write().unwrap();
        work(&txn, table);
        txn.commit().unwrap();
    };
    assert_sound::<Notebook>(&path);
    change("0/rows/notes", &|txn, table| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new(table);
        txn.open_table(definition).unwrap().remove(3u64.to_be_bytes().as_slice()).unwrap();
    });
    let report = Notebook::check(&path).unwrap();
    assert!(report.problems().iter().any(|problem| problem.contains("`3`")), "{report}");
    assert!(report.to_string().contains("notes"), "{report}");
}

#[test]
fn a_file_of_a_newer_format_is_refused_unharmed() {
    let (_folder, path) = place();
    drop(with_five_records(&path));
    let format = file::meta(&path, "format").unwrap();
    file::set_meta(&path, "format", &2u64.to_le_bytes());
    let before = fs::read(&path).unwrap();
    for error in [refused(Notebook::open(&path)), refused(Notebook::check(&path))] {
        assert_eq!((error.kind(), error.file()), (ErrorKind::NewerFormat, Some(path.as_path())));
        assert!(error.to_string().contains("format 2"), "{error}");
    }
    assert_same_bytes(&before, &fs::read(&path).unwrap());
    file::set_meta(&path, "format", &format);
    assert_eq!(Notebook::open(&path).unwrap().notes.len().unwrap(), 5);
}

mod another {
    use super::*;

    #[derive(Store)]
    #[store(name = "another")]
    pub struct Another {
        pub notes: Table<Note>,
    }
}

#[test]
fn files_of_other_programs_and_other_stores_are_refused_unharmed() {
    let (folder, path) = place();
    let foreign = folder.path().join("foreign.redb");
    drop(with_five_records(&path));
    file::of_another_program(&foreign);
    let (store, program) = (fs::read(&path).unwrap(), fs::read(&foreign).unwrap());

    let error = refused(another::Another::open(&path));
    assert_eq!((error.kind(), error.file()), (ErrorKind::WrongStore, Some(path.as_path())));
    assert!(error.to_string().contains("notebook") && error.to_string().contains("another"));
    assert_eq!(refused(another::Another::check(&path)).kind(), ErrorKind::WrongStore);
    let error = refused(Notebook::open(&foreign));
    assert_eq!((error.kind(), error.file()), (ErrorKind::WrongStore, Some(foreign.as_path())));

    assert_same_bytes(&store, &fs::read(&path).unwrap());
    assert_same_bytes(&program, &fs::read(&foreign).unwrap());
}

#[test]
fn a_file_that_is_open_is_locked_for_everyone_else() {
    let name = concat!(module_path!(), "::a_file_that_is_open_is_locked_for_everyone_else");
    if let Some(path) = child::role() {
        match Notebook::open(&path) {
            Ok(_) => println!("said: opened"),
            Err(error) => {
                println!("said: {:?} {}", error.kind(), error.to_string().contains(&path))
            }
        }
        return;
    }
    let (folder, path) = place();
    let peer = with_five_records(&path);
    let app = Notebook::open(&path).unwrap();
    let linked = folder.path().join("linked.redb");
    fs::hard_link(&path, &linked).unwrap();
    for path in [&path, &linked] {
        for error in [refused(Notebook::open(path)), refused(Notebook::check(path))] {
            assert_eq!((error.kind(), error.file()), (ErrorKind::Locked, Some(path.as_path())));
        }
    }
    let from_child = || child::said(&child::run(name, path.to_str().unwrap()));
    assert_eq!(from_child(), ["Locked true"]);
    // Nobody was harmed by it, before the first write or after.
    app.notes.insert(&note(9, "still")).unwrap();
    assert_eq!(from_child(), ["Locked true"]);
    converge(&app, &peer);
    drop(app);
    assert_eq!(from_child(), ["opened"]);
    assert_eq!(content(&Notebook::open(&path).unwrap()), content(&peer));
}

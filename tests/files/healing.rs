//! Damaged rows come back from a device that has them.

use std::path::Path;
use std::sync::mpsc::channel;

use crate::support::file::{self, NOTES, SETTINGS};
use crate::support::{Note, Notebook, assert_sound, content, exchange, give, note, place, refused};
use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Store, Table};
use redb::ReadableTable;

/// A file with notes, and a peer that knows all of it.
fn with_notes(path: &Path, notes: u32) -> Notebook {
    let peer = Notebook::in_memory().unwrap();
    let app = Notebook::open(path).unwrap();
    app.notes.insert_many((1..=notes).map(|id| note(id, "before"))).unwrap();
    // Some with a history.
    app.notes.update(&2, |note| note.stars = 2).unwrap().unwrap();
    peer.apply(&app.changes_since(&peer.summary().unwrap()).unwrap()).unwrap();
    peer
}

fn flip_notes(path: &Path, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        file::damage(path, NOTES, &file::note_key(id), |row| {
            let at = row.len() - 3;
            row[at] ^= 0x10;
        });
    }
}

fn lose_note(path: &Path, id: u32) {
    file::change(path, |txn| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new(NOTES);
        txn.open_table(definition).unwrap().remove(file::note_key(id).as_slice()).unwrap();
    });
}

/// Both have the same, nothing is damaged, and it is so after a restart.
#[track_caller]
fn assert_healed(app: Notebook, peer: &Notebook, path: &Path) {
    exchange(&app, peer);
    let summary = app.summary().unwrap();
    assert!(!app.status().unwrap().is_damaged());
    assert!(app.notes.invalid().unwrap().is_empty());
    assert_eq!(content(&app), content(peer));
    assert_eq!(summary, peer.summary().unwrap());
    assert!(peer.changes_since(&summary).unwrap().is_empty(), "it is asked for once more");
    // To others it is given again.
    let third = Notebook::in_memory().unwrap();
    exchange(&app, &third);
    assert_eq!(content(&third), content(peer));
    drop(app);
    assert_sound::<Notebook>(path);
    assert_eq!(content(&Notebook::open(path).unwrap()), content(peer));
}

#[test]
fn a_row_that_a_reader_has_found_damaged_comes_back() {
    for damaged in [[1].as_slice(), &[2], &[5], &[1, 2, 3, 5], &[1, 2, 3, 4, 5]] {
        let (_folder, path) = place();
        let peer = with_notes(&path, 5);
        let before = content(&peer);
        flip_notes(&path, damaged.iter().copied());
        let app = Notebook::open(&path).unwrap();
        for id in damaged {
            assert_eq!(refused(app.notes.get(id)).kind(), ErrorKind::Corrupt);
        }
        assert!(app.status().unwrap().is_damaged());
        let (sender, told) = channel();
        let observing = app.notes.observe(move |changes| {
            sender.send(changes.iter().map(|change| *change.key()).collect::<Vec<_>>()).unwrap();
        });
        let applied = give(&peer, &app);
        assert_eq!((applied.rows(), applied.is_pending()), (damaged.len(), false));
        assert_eq!(told.recv().unwrap(), damaged);
        drop(observing);
        assert_eq!(content(&app), before);
        assert_healed(app, &peer, &path);
    }
}

#[test]
fn every_way_to_come_upon_damage_has_it_asked_for() {
    let ways: [fn(&Notebook); 7] = [
        |app| drop(refused(app.notes.get(&3))),
        |app| drop(app.notes.invalid().unwrap()),
        |app| assert_eq!(app.notes.iter().unwrap().filter(|row| row.is_err()).count(), 1),
        |app| drop(refused(app.notes.query().all())),
        |app| drop(refused(app.snapshot().unwrap().get::<Note>(&3))),
        |app| drop(refused(app.notes.update(&3, |note| note.stars = 1))),
        |app| drop(app.changes_since(&Summary::default()).unwrap()),
    ];
    for (way, come_upon) in ways.into_iter().enumerate() {
        let (_folder, path) = place();
        let peer = with_notes(&path, 5);
        flip_notes(&path, [3]);
        let app = Notebook::open(&path).unwrap();
        come_upon(&app);
        assert!(app.status().unwrap().is_damaged(), "way {way}");
        give(&peer, &app);
        assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "before")), "way {way}");
        assert_healed(app, &peer, &path);
    }
}

#[test]
fn a_row_that_is_gone_comes_back() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    lose_note(&path, 2);
    lose_note(&path, 4);
    let app = Notebook::open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 3);
    // Giving all to a new device finds it missing.
    give(&app, &Notebook::in_memory().unwrap());
    assert!(app.status().unwrap().is_damaged());
    assert_eq!(give(&peer, &app).rows(), 2);
    assert_eq!(app.notes.len().unwrap(), 5);
    assert_healed(app, &peer, &path);
}

#[test]
fn what_was_found_is_known_after_a_restart() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    flip_notes(&path, [3, 4]);
    {
        let app = Notebook::open(&path).unwrap();
        refused(app.notes.get(&3));
        assert!(app.status().unwrap().is_damaged());
        app.settings.size.set(&9).unwrap();
        exchange(&app, &Notebook::in_memory().unwrap());
        app.settings.size.set(&10).unwrap();
    }
    let app = Notebook::open(&path).unwrap();
    assert!(app.status().unwrap().is_damaged(), "it was forgotten");
    exchange(&app, &peer);
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "before")));
    assert_eq!(app.notes.get(&4).unwrap(), Some(note(4, "before")));
    app.settings.size.set(&11).unwrap();
    exchange(&app, &peer);
    drop(app);
    let app = Notebook::open(&path).unwrap();
    assert!(!app.status().unwrap().is_damaged());
    assert_healed(app, &peer, &path);
}

#[test]
fn an_entry_comes_back() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 2);
    {
        let app = Notebook::open(&path).unwrap();
        app.settings.theme.set("dark").unwrap();
        exchange(&app, &peer);
    }
    file::damage_entry(&path, SETTINGS, "theme", |entry| entry[18] ^= 1);
    let app = Notebook::open(&path).unwrap();
    assert_eq!(refused(app.settings.theme.get()).kind(), ErrorKind::Corrupt);
    assert_eq!(give(&peer, &app).entries(), 1);
    assert_eq!(app.settings.theme.get().unwrap(), "dark");
    assert_healed(app, &peer, &path);
}

#[test]
fn a_row_comes_back_from_any_device_that_has_it() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    let (_other_folder, other_path) = place();
    Notebook::open(&other_path)
        .unwrap()
        .apply(&peer.changes_since(&Summary::default()).unwrap())
        .unwrap();
    flip_notes(&path, [3, 4]);
    flip_notes(&other_path, [3, 5]);
    let (app, other) = (Notebook::open(&path).unwrap(), Notebook::open(&other_path).unwrap());
    app.notes.invalid().unwrap();
    other.notes.invalid().unwrap();
    for _ in 0..2 {
        give(&app, &other);
        give(&other, &app);
    }
    // Each has what it could get.
    assert_eq!(app.notes.invalid().unwrap().len(), 1);
    assert_eq!(other.notes.invalid().unwrap().len(), 1);
    assert_eq!(app.notes.get(&4).unwrap(), Some(note(4, "before")));
    assert_eq!(other.notes.get(&5).unwrap(), Some(note(5, "before")));
    give(&peer, &app);
    give(&app, &other);
    assert_healed(other, &peer, &other_path);
    assert_healed(app, &peer, &path);
}

#[test]
fn what_was_written_over_or_removed_elsewhere_does_not_come_back() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    flip_notes(&path, [1, 2, 3]);
    let app = Notebook::open(&path).unwrap();
    app.notes.invalid().unwrap();
    let request = app.summary().unwrap();
    peer.notes.put(&note(1, "newer")).unwrap();
    peer.notes.remove(&2).unwrap();
    app.apply(&peer.changes_since(&request).unwrap()).unwrap();
    assert_eq!(app.notes.get(&1).unwrap(), Some(note(1, "newer")));
    assert!(!app.notes.contains(&2).unwrap());
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "before")));
    assert_healed(app, &peer, &path);

    // The answer may come late, when the row was written here.
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    flip_notes(&path, [3, 4]);
    let app = Notebook::open(&path).unwrap();
    app.notes.invalid().unwrap();
    let answer = peer.changes_since(&app.summary().unwrap()).unwrap();
    app.notes.put(&note(3, "own")).unwrap();
    app.apply(&answer).unwrap();
    app.apply(&answer).unwrap();
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "own")));
    assert_eq!(app.notes.get(&4).unwrap(), Some(note(4, "before")));
    exchange(&app, &peer);
    assert_healed(app, &peer, &path);
}

#[test]
fn content_that_was_not_asked_for_changes_nothing() {
    let (_folder, path) = place();
    let peer = with_notes(&path, 5);
    flip_notes(&path, [3]);
    let answer = {
        let app = Notebook::open(&path).unwrap();
        app.notes.invalid().unwrap();
        let bytes = peer.changes_since(&app.summary().unwrap()).unwrap().to_bytes();
        Changes::from_bytes(&bytes).unwrap()
    };
    assert!(!answer.is_empty());
    // To copies that have the row, or have nothing yet.
    let (before, summary) = (content(&peer), peer.summary().unwrap());
    assert!(peer.apply(&answer).unwrap().is_empty());
    assert_eq!((content(&peer), peer.summary().unwrap()), (before, summary));
    let new = Notebook::in_memory().unwrap();
    assert!(new.notes.is_empty().unwrap());
    new.apply(&answer).unwrap();
    exchange(&new, &peer);
    exchange(&new, &peer);
    assert_eq!(content(&new), content(&peer));
    assert!(!give(&peer, &new).is_pending());
}

#[test]
fn thousands_of_damaged_rows_come_back_a_part_at_a_time() {
    const NOTES: u32 = 1_500;
    let (_folder, path) = place();
    let peer = with_notes(&path, NOTES);
    file::change(&path, |txn| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new(file::NOTES);
        let mut table = txn.open_table(definition).unwrap();
        for id in 1..=NOTES {
            let key = file::note_key(id);
            let mut row = table.get(key.as_slice()).unwrap().unwrap().value().to_vec();
            row[20] ^= 1;
            table.insert(key.as_slice(), row.as_slice()).unwrap();
        }
    });
    let app = Notebook::open(&path).unwrap();
    let mut exchanges = 0;
    while !app.notes.invalid().unwrap().is_empty() {
        let request = app.summary().unwrap().to_bytes();
        assert!(request.len() < 8_000, "{} bytes", request.len());
        let answer = peer.changes_since(&Summary::from_bytes(&request).unwrap()).unwrap();
        let applied = app.apply(&answer).unwrap();
        assert!(applied.rows() > 0 && applied.rows() < 500, "{}", applied.rows());
        exchanges += 1;
    }
    assert!((3..20).contains(&exchanges), "{exchanges} exchanges");
    assert_healed(app, &peer, &path);
}

#[derive(
    Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table,
)]
#[table(name = "books")]
struct Book {
    #[key]
    id: u32,
    #[index]
    shelf: u32,
    #[index(unique)]
    title: String,
}

#[derive(Store)]
#[store(name = "library")]
struct Library {
    books: Table<Book>,
}

#[test]
fn indexes_and_old_documents_are_whole_afterwards() {
    let (_folder, path) = place();
    let peer = Library::in_memory().unwrap();
    {
        let app = Library::open(&path).unwrap();
        let book = |id| Book { id, shelf: id % 3, title: format!("book {id}") };
        app.books.insert_many((0..30).map(book)).unwrap();
        exchange(&app, &peer);
        // From here on the document before is an old one, in which others may still write.
        app.compact_history().unwrap();
        app.books.update(&7, |book| book.shelf = 9).unwrap().unwrap();
        exchange(&app, &peer);
    }
    let document = String::from_utf8(file::meta(&path, "document").unwrap()).unwrap();
    for document in [document.as_str(), "0"] {
        for id in [4, 7] {
            let table = format!("{document}/rows/books");
            file::damage(&path, &table, &file::note_key(id), |row| row[25] ^= 2);
        }
    }
    let app = Library::open(&path).unwrap();
    give(&app, &Library::in_memory().unwrap());
    assert!(app.status().unwrap().is_damaged());
    exchange(&app, &peer);
    assert!(!app.status().unwrap().is_damaged());
    assert_eq!(app.books.get(&7).unwrap().unwrap().shelf, 9);
    assert_eq!(app.books.filter(Book::SHELF.eq(9)).count().unwrap(), 1);
    assert_eq!(app.books.get_by(Book::TITLE, "book 4").unwrap().unwrap().id, 4);
    drop(app);
    assert_sound::<Library>(&path);
}

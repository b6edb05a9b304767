//! Files that are damaged, too new, in use, or of somebody else.

use std::fs;
use std::path::Path;

use crate::support::file::{self, NOTES, SETTINGS};
use crate::support::{
    Note, Notebook, assert_same_bytes, assert_sound, child, content, converge, give, note, place,
    refused,
};
use heirloom::{ErrorKind, Store, Table};

/// A file with five notes, and a peer that knows all of it.
fn with_five_notes(path: &Path) -> Notebook {
    let peer = Notebook::in_memory().unwrap();
    let app = Notebook::open(path).unwrap();
    for id in 1..=5 {
        app.notes.insert(&note(id, "before")).unwrap();
    }
    converge(&app, &peer);
    peer
}

/// Flips a bit of the row of a note.
fn flip_note(path: &Path, id: u32) {
    file::damage(path, NOTES, &file::note_key(id), |row| {
        let at = row.len() - 3;
        row[at] ^= 0x10;
    });
}

/// The keys of the rows that do not decode, or are damaged.
fn invalid(app: &Notebook) -> Vec<String> {
    app.notes.invalid().unwrap().iter().map(|row| row.key().to_owned()).collect()
}

#[test]
fn a_damaged_row_is_named_and_never_returned_and_the_others_are() {
    for damage in [
        |row: &mut Vec<u8>| row[0] ^= 1,
        |row: &mut Vec<u8>| row[3] ^= 4,
        |row: &mut Vec<u8>| row[11] ^= 1,
        |row: &mut Vec<u8>| row[14] ^= 0x80,
        |row: &mut Vec<u8>| row[20] ^= 2,
        |row: &mut Vec<u8>| row.truncate(30),
        |row: &mut Vec<u8>| row.truncate(5),
        |row: &mut Vec<u8>| row.clear(),
        |row: &mut Vec<u8>| row.fill(0),
    ] {
        let (_folder, path) = place();
        drop(with_five_notes(&path));
        file::damage(&path, NOTES, &file::note_key(3), damage);
        let report = Notebook::check(&path).unwrap();
        assert!(report.problems().iter().any(|problem| problem.contains("`3`")), "{report}");

        let app = Notebook::open(&path).unwrap();
        let is_named = |error: &heirloom::Error| {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert_eq!((error.table(), error.key()), (Some("notes"), Some("3")), "{error}");
        };
        is_named(&refused(app.notes.get(&3)));
        is_named(&refused(app.notes.update(&3, |note| note.stars = 1)));
        is_named(&refused(app.notes.query().all()));
        // The content of a damaged row is not known, so that no condition can leave it out.
        is_named(&refused(app.notes.filter(Note::STARS.eq(0)).all()));
        is_named(&refused(app.snapshot().unwrap().get::<Note>(&3)));
        is_named(&refused(app.transaction(|tx| tx.get::<Note>(&3))));
        assert_eq!(app.notes.len().unwrap(), 5);
        assert_eq!(invalid(&app), ["3"]);
        let (good, bad): (Vec<_>, Vec<_>) = app.notes.iter().unwrap().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (4, 1));
        is_named(bad[0].as_ref().unwrap_err());
        for id in [1, 2, 4, 5] {
            assert_eq!(app.notes.get(&id).unwrap(), Some(note(id, "before")));
            app.notes.update(&id, |note| note.stars = 7).unwrap().unwrap();
        }
        assert_eq!(invalid(&app), ["3"], "writing elsewhere does not launder it");
    }
}

#[test]
fn a_damaged_row_is_given_to_no_peer_and_harms_no_copy_of_it() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    {
        // The peer has the row as it was before.
        let app = Notebook::open(&path).unwrap();
        app.notes.put(&note(3, "newer")).unwrap();
        app.notes.put(&note(4, "newer")).unwrap();
        app.notes.remove(&2).unwrap();
    }
    flip_note(&path, 3);
    let app = Notebook::open(&path).unwrap();
    assert!(!app.status().unwrap().is_damaged(), "nothing has come upon it yet");
    for _ in 0..3 {
        assert!(!give(&app, &peer).is_pending());
        assert!(app.status().unwrap().is_damaged());
        // Nothing later of the same device, and nothing that would take the older row away.
        assert_eq!(peer.notes.get(&3).unwrap(), Some(note(3, "before")));
        assert_eq!(peer.notes.get(&4).unwrap(), Some(note(4, "before")));
        assert!(!peer.notes.contains(&2).unwrap());
    }
    // Rows of the peer are taken in, and other devices' writes go on through this copy.
    peer.notes.insert(&note(20, "of the peer")).unwrap();
    give(&peer, &app);
    let third = Notebook::in_memory().unwrap();
    assert!(!give(&app, &third).is_pending());
    assert_eq!(third.notes.get(&20).unwrap(), Some(note(20, "of the peer")));
    assert!(third.notes.get(&3).unwrap().is_none());
    assert!(third.notes.invalid().unwrap().is_empty());
}

#[test]
fn a_store_that_is_known_to_be_damaged_is_not_backed_up() {
    let (folder, path) = place();
    drop(with_five_notes(&path));
    flip_note(&path, 3);
    let app = Notebook::open(&path).unwrap();
    give(&app, &Notebook::in_memory().unwrap());
    assert!(app.status().unwrap().is_damaged());
    let backup = folder.path().join("backup.redb");
    let error = refused(app.backup(&backup));
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!((error.table(), error.key()), (Some("notes"), Some("3")), "{error}");
    assert_eq!(error.file(), Some(path.as_path()), "it is not the copy that is damaged");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was copied");

    app.notes.put(&note(3, "new")).unwrap();
    app.backup(&backup).unwrap();
    assert_sound::<Notebook>(&backup);
    assert_eq!(content(&Notebook::open(&backup).unwrap()), content(&app));
}

#[test]
fn a_damaged_row_ends_by_being_written_over_repaired_discarded_or_removed() {
    let ways: [fn(&Notebook); 5] = [
        |app| app.notes.put(&note(3, "new")).unwrap(),
        |app| {
            let bad = &app.notes.invalid().unwrap()[0];
            app.notes.repair(bad, r#"{"id":3,"title":"new"}"#).map(drop).unwrap();
        },
        |app| {
            let bad = &app.notes.invalid().unwrap()[0];
            assert!(app.notes.discard(bad).unwrap());
        },
        |app| assert!(app.notes.remove(&3).unwrap()),
        // The peer that is merged has written over it.
        |app| {
            let peer = Notebook::in_memory().unwrap();
            give(app, &peer);
            app.notes.put(&note(3, "new")).unwrap();
        },
    ];
    for (way, end) in ways.into_iter().enumerate() {
        let (_folder, path) = place();
        let peer = with_five_notes(&path);
        flip_note(&path, 3);
        {
            let app = Notebook::open(&path).unwrap();
            give(&app, &Notebook::in_memory().unwrap());
            assert!(app.status().unwrap().is_damaged(), "way {way}");
            end(&app);
            assert!(!app.status().unwrap().is_damaged(), "way {way}");
            assert!(invalid(&app).is_empty(), "way {way}");
            converge(&app, &peer);
            converge(&app, &Notebook::in_memory().unwrap());
            assert_eq!(peer.notes.contains(&3).unwrap(), way != 2 && way != 3, "way {way}");
        }
        assert_sound::<Notebook>(&path);
    }
}

#[test]
fn a_peer_that_writes_over_a_damaged_row_ends_it() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    flip_note(&path, 3);
    let app = Notebook::open(&path).unwrap();
    peer.notes.update(&3, |note| note.title.push('!')).unwrap().unwrap();
    give(&peer, &app);
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "before!")));
    converge(&app, &peer);
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn a_damaged_entry_is_named_and_the_others_are_read() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    {
        let app = Notebook::open(&path).unwrap();
        app.settings.theme.set("dark").unwrap();
        app.settings.size.set(&30).unwrap();
    }
    file::damage_entry(&path, SETTINGS, "theme", |entry| entry[18] ^= 1);
    let report = Notebook::check(&path).unwrap();
    assert!(report.problems().iter().any(|problem| problem.contains("`theme`")), "{report}");
    let app = Notebook::open(&path).unwrap();
    for error in [refused(app.settings.theme.get()), refused(app.settings.get().map(drop))] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!((error.group(), error.field()), (Some("settings"), Some("theme")), "{error}");
    }
    assert_eq!(app.settings.size.get().unwrap(), 30);
    give(&app, &peer);
    assert_eq!(peer.settings.theme.get().unwrap(), "light");
    app.settings.theme.set("blue").unwrap();
    assert_eq!(app.settings.theme.get().unwrap(), "blue");
    converge(&app, &peer);
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn damaged_items_are_reported_and_the_rows_are_read() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    let before = content(&peer);
    for first in [b'b', b'd', b'r', b'R', b's'] {
        let bytes = fs::read(&path).unwrap();
        let app = Notebook::open(&path).unwrap();
        app.notes.put(&note(1, "before")).unwrap();
        drop(app);
        let items = file::items(&path, "0");
        let Some((key, _)) = items.iter().find(|(key, _)| key.first() == Some(&first)) else {
            continue;
        };
        file::damage_item(&path, "0", key, |value| value[0] ^= 1);
        let noticed = Notebook::check(&path).map_or(true, |report| !report.is_ok());
        assert!(noticed, "{}", char::from(first));
        let app = Notebook::open(&path).unwrap();
        assert_eq!(content(&app), before, "{}", char::from(first));
        // It is given whole or not at all.
        match app.changes_since(&peer.summary().unwrap()) {
            Ok(changes) => drop(peer.apply(&changes).unwrap()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
        assert_eq!(content(&peer), before, "{}", char::from(first));
        drop(app);
        fs::write(&path, bytes).unwrap();
    }
}

/// The keys of all records of a kind.
fn records(path: &Path, kind: u8) -> Vec<Vec<u8>> {
    let items = file::items(path, "0").into_iter().map(|(key, _)| key);
    items.filter(|key| key[0] == kind).collect()
}

#[test]
fn a_damaged_record_of_a_document_stops_no_exchange() {
    for kind in [b'd', b'r', b'R', b's', b'j', b'm'] {
        let name = char::from(kind);
        let (_folder, path) = place();
        let (app, peer) = (Notebook::open(&path).unwrap(), Notebook::in_memory().unwrap());
        app.notes.insert_many((0..5_000).map(|id| note(id, "before"))).unwrap();
        converge(&app, &peer);
        app.transaction(|tx| {
            (0..5_000_u32).step_by(3).try_for_each(|id| tx.remove::<Note>(&id).map(drop))
        })
        .unwrap();
        peer.notes.put(&note(1, "of the peer")).unwrap();
        converge(&app, &peer);
        app.notes.remove(&1).unwrap();
        app.settings.size.set(&7).unwrap();
        peer.notes.remove(&2).unwrap();
        drop(app);
        for key in records(&path, kind) {
            file::damage_item(&path, "0", &key, |value| value[9] ^= 1);
        }
        assert!(!records(&path, kind).is_empty(), "{name}");
        let noticed = Notebook::check(&path).map_or(true, |report| !report.is_ok());
        assert!(noticed, "{name}");

        let app = Notebook::open(&path).unwrap();
        converge(&app, &peer);
        assert_eq!(app.notes.len().unwrap(), 3_331, "{name}");
        assert!(!app.notes.contains(&1).unwrap() && !peer.notes.contains(&2).unwrap(), "{name}");
        assert_eq!(peer.settings.size.get().unwrap(), 7, "{name}");
        app.notes.put(&note(3, "again")).unwrap();
        peer.notes.remove(&4).unwrap();
        converge(&app, &peer);
        let third = Notebook::in_memory().unwrap();
        give(&app, &third);
        assert_eq!(content(&third), content(&peer), "{name}");
    }
}

/// Ways to damage the value of a record.
const WAYS: [fn(&mut Vec<u8>); 3] =
    [|value| value[8] ^= 1, |value| value.truncate(9), |value| value.clear()];

#[test]
fn damaged_records_of_what_waits_stop_no_exchange() {
    // How many update wait; that one does, and for which item; its bytes.
    for (kind, key_len) in [(b'q', 1), (b'q', 21), (b'w', 9)] {
        for (way, damage) in WAYS.into_iter().enumerate() {
            let name = format!("{} of {key_len} bytes, way {way}", char::from(kind));
            let (_folder, path) = place();
            let app = Notebook::open(&path).unwrap();
            let peer = Notebook::in_memory().unwrap();
            app.notes.insert(&note(1, "own")).unwrap();
            converge(&app, &peer);
            peer.notes.insert(&note(20, "first")).unwrap();
            let first = peer.changes_since(&app.summary().unwrap()).unwrap();
            let with_first = peer.summary().unwrap();
            peer.notes.insert(&note(21, "second")).unwrap();
            let second = peer.changes_since(&with_first).unwrap();
            assert!(app.apply(&second).unwrap().is_pending());
            drop(app);
            let keys = records(&path, kind).into_iter().filter(|key| key.len() == key_len);
            let keys: Vec<_> = keys.collect();
            assert_eq!(keys.len(), 1, "{name}");
            file::damage_item(&path, "0", &keys[0], damage);
            let noticed = Notebook::check(&path).map_or(true, |report| !report.is_ok());
            assert!(noticed, "{name}");

            let app = Notebook::open(&path).unwrap();
            assert_eq!(app.notes.len().unwrap(), 1, "{name}");
            app.notes.update(&1, |note| note.stars = 3).unwrap().unwrap();
            // A third copy gets what can be read of it, and is not harmed.
            let third = Notebook::in_memory().unwrap();
            give(&app, &third);
            assert_eq!(third.notes.get(&1).unwrap().unwrap().stars, 3, "{name}");
            assert!(!app.apply(&first).unwrap().is_pending(), "{name}");
            assert_eq!(app.notes.get(&20).unwrap(), Some(note(20, "first")), "{name}");
            // Its bytes are gone with that record alone.
            assert_eq!(app.notes.contains(&21).unwrap(), kind != b'w', "{name}");
            converge(&app, &peer);
            assert_eq!(app.notes.get(&21).unwrap(), Some(note(21, "second")), "{name}");
            assert!(!give(&peer, &app).is_pending(), "{name}");
            converge(&app, &third);
            drop(app);
            assert_sound::<Notebook>(&path);
            assert!(records(&path, b'w').is_empty(), "{name}");
        }
    }
}

#[test]
fn what_waits_under_a_damaged_key_is_dropped() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    let peer = Notebook::in_memory().unwrap();
    peer.notes.insert(&note(20, "first")).unwrap();
    let with_first = peer.summary().unwrap();
    peer.notes.insert(&note(21, "second")).unwrap();
    let second = peer.changes_since(&with_first).unwrap();
    assert!(app.apply(&second).unwrap().is_pending());
    drop(app);
    let key = records(&path, b'q').into_iter().find(|key| key.len() == 21).unwrap();
    file::change(&path, |txn| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new("0/items");
        let mut items = txn.open_table(definition).unwrap();
        let value = items.remove(key.as_slice()).unwrap().unwrap().value().to_vec();
        let mut other = key.clone();
        other[20] ^= 1;
        items.insert(other.as_slice(), value.as_slice()).unwrap();
    });
    assert!(!Notebook::check(&path).unwrap().is_ok());
    let app = Notebook::open(&path).unwrap();
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 2);
    assert!(!give(&peer, &app).is_pending(), "nothing waits any more");
}

#[test]
fn removed_items_are_not_guessed_if_a_row_is_gone_too() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    let before = content(&peer);
    let app = Notebook::open(&path).unwrap();
    app.notes.put(&note(1, "before")).unwrap();
    drop(app);
    for key in [records(&path, b'd'), records(&path, b'j')].concat() {
        file::damage_item(&path, "0", &key, |value| value[8] ^= 1);
    }
    file::change(&path, |txn| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new(file::NOTES);
        txn.open_table(definition).unwrap().remove(file::note_key(3).as_slice()).unwrap();
    });
    let app = Notebook::open(&path).unwrap();
    if let Ok(changes) = app.changes_since(&peer.summary().unwrap()) {
        peer.apply(&changes).unwrap();
    }
    assert_eq!(content(&peer), before);
}

#[test]
fn a_damaged_document_is_not_rebuilt() {
    let (_folder, path) = place();
    let peer = with_five_notes(&path);
    flip_note(&path, 3);
    let app = Notebook::open(&path).unwrap();
    let error = refused(app.compact_history());
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!((error.table(), error.key()), (Some("notes"), Some("3")), "{error}");
    assert_eq!((app.notes.len().unwrap(), app.status().unwrap().generation()), (5, 0));
    app.notes.put(&note(3, "before")).unwrap();
    app.compact_history().unwrap();
    give(&app, &peer);
    assert_eq!(content(&app), content(&peer));
}

#[test]
fn a_backup_finds_out_that_its_store_is_damaged() {
    let (folder, path) = place();
    drop(with_five_notes(&path));
    flip_note(&path, 3);
    let app = Notebook::open(&path).unwrap();
    let error = refused(app.backup(folder.path().join("backup.redb")));
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("`3` of `table:notes`"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was copied");
}

#[test]
fn a_row_that_is_gone_is_noticed_by_the_check() {
    let (_folder, path) = place();
    drop(with_five_notes(&path));
    assert_sound::<Notebook>(&path);
    file::change(&path, |txn| {
        let definition = redb::TableDefinition::<&[u8], &[u8]>::new(NOTES);
        txn.open_table(definition).unwrap().remove(file::note_key(3).as_slice()).unwrap();
    });
    let report = Notebook::check(&path).unwrap();
    assert!(report.problems().iter().any(|problem| problem.contains("`3`")), "{report}");
    assert!(report.to_string().contains("notes"), "{report}");
}

#[test]
fn a_file_of_a_newer_format_is_refused_unharmed() {
    let (_folder, path) = place();
    drop(with_five_notes(&path));
    let format = file::meta(&path, "format").unwrap();
    file::set_meta(&path, "format", &3u64.to_le_bytes());
    let before = fs::read(&path).unwrap();
    for error in [refused(Notebook::open(&path)), refused(Notebook::check(&path))] {
        assert_eq!((error.kind(), error.file()), (ErrorKind::NewerFormat, Some(path.as_path())));
        assert!(error.to_string().contains("format 3"), "{error}");
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
    drop(with_five_notes(&path));
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
    let peer = with_five_notes(&path);
    let app = Notebook::open(&path).unwrap();
    let linked = folder.path().join("linked.redb");
    fs::hard_link(&path, &linked).unwrap();
    for path in [&path, &linked] {
        let error = refused(Notebook::open(path));
        assert_eq!((error.kind(), error.file()), (ErrorKind::Locked, Some(path.as_path())));
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

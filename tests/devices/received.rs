//! Bytes from elsewhere: whatever they are, they are refused or fit, and nothing breaks.

use crate::support::{Notebook, Settings, converge, forge, note, raw_notes, refused};
use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Kv, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn notebook() -> Notebook {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert(&note(1, "own")).unwrap();
    app
}

/// A real change set, as small as they are: it leaves out the version of the schema.
fn small() -> (Notebook, Vec<u8>) {
    let app = Notebook::in_memory().unwrap();
    let before = app.summary().unwrap();
    app.notes.insert(&note(2, "two")).unwrap();
    let bytes = app.changes_since(&before).unwrap().to_bytes();
    (app, bytes)
}

/// A change set with all there is.
fn whole() -> Vec<u8> {
    small().0.changes_since(&Summary::default()).unwrap().to_bytes()
}

#[test]
fn every_flipped_bit_and_every_cut_of_what_travels_is_refused() {
    let (app, changes) = small();
    app.notes.remove(&2).unwrap();
    let larger = app.changes_since(&Summary::default()).unwrap().to_bytes();
    assert!(larger.len() > changes.len());
    let summary = app.summary().unwrap().to_bytes();
    let empty = Summary::default().to_bytes();
    for (bytes, is_summary) in [(changes, false), (larger, false), (summary, true), (empty, true)] {
        let read = |bytes: &[u8]| match is_summary {
            true => Summary::from_bytes(bytes).map(drop),
            false => Changes::from_bytes(bytes).map(drop),
        };
        read(&bytes).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(refused(read(&flipped)).kind(), ErrorKind::InvalidUpdate, "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(
                refused(read(&bytes[..len])).kind(),
                ErrorKind::InvalidUpdate,
                "cut at {len}"
            );
        }
        let longer = [bytes.as_slice(), b"\0"].concat();
        assert_eq!(refused(read(&longer)).kind(), ErrorKind::InvalidUpdate);
        // The one is not the other.
        let other = match is_summary {
            true => Changes::from_bytes(&bytes).map(drop),
            false => Summary::from_bytes(&bytes).map(drop),
        };
        assert_eq!(refused(other).kind(), ErrorKind::InvalidUpdate);
    }
}

/// Applies what may be nonsense: where it is refused nothing has changed, and in any case the
/// store goes on.
fn survives(app: &Notebook, changes: &Changes) {
    // Rows that do not decode may come of it, and are kept as any.
    let rows = || raw_notes(app);
    let before = (rows(), app.summary().unwrap());
    match app.apply(changes) {
        Ok(_) => drop(app.notes.iter().unwrap().count()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidUpdate);
            assert_eq!((rows(), app.summary().unwrap()), before, "{error}");
        }
    }
    app.notes.put(&note(1, "on")).unwrap();
    assert_eq!(app.notes.get(&1).unwrap(), Some(note(1, "on")));
}

#[test]
fn a_right_frame_around_nonsense_is_refused_or_harmless() {
    let app = notebook();
    let nonsense: [&[u8]; 7] = [
        b"",
        b"\0",
        b"garbage",
        &[0xff; 64],
        // Counts that promise more than there is memory for.
        &[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 0],
        &[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0],
        &[1, 1, 1, 0, 4, 1, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ];
    for update in nonsense {
        let before = app.summary().unwrap();
        let error = refused(app.apply(&forge::changes(update)));
        assert_eq!(error.kind(), ErrorKind::InvalidUpdate, "{update:?}");
        assert_eq!(app.summary().unwrap(), before, "{update:?}");
        app.notes.update(&1, |note| note.stars += 1).unwrap();
    }
    converge(&app, &Notebook::in_memory().unwrap());
}

/// A Yjs update by which client 5 puts `json` under `key` of the table of notes.
fn update_by_hand(key: &str, json: &str) -> Vec<u8> {
    // One client with one block, clock 0: a value in a root map, without neighbours.
    let mut update = vec![1, 1, 5, 0, 0x28, 1];
    for text in ["table:notes", key] {
        update.push(text.len() as u8);
        update.extend(text.as_bytes());
    }
    // One value, a text; and no deletions.
    update.extend([1, 119, json.len() as u8]);
    update.extend(json.as_bytes());
    update.push(0);
    update
}

#[test]
fn nothing_is_taken_in_where_only_the_first_of_several_updates_is_one() {
    let good = update_by_hand("77", r#"{"id":77}"#);
    let framed = |updates: &[&[u8]]| {
        Changes::from_bytes(&forge::framed_all("notebook", "0", updates)).unwrap()
    };
    let app = notebook();
    let before = (app.summary().unwrap(), app.notes.len().unwrap());
    for bad in [b"garbage".as_slice(), &[0xff; 64], b""] {
        let error = refused(app.apply(&framed(&[&good, bad])));
        assert_eq!(error.kind(), ErrorKind::InvalidUpdate);
        assert_eq!((app.summary().unwrap(), app.notes.len().unwrap()), before);
    }
    assert_eq!(app.apply(&framed(&[&good, &[0, 0]])).unwrap().rows(), 1);
    assert!(app.notes.contains(&77).unwrap());
}

#[test]
fn a_bit_flipped_under_a_right_checksum_does_no_harm() {
    let (_, small) = small();
    let whole = whole();
    // If the flip makes other changes out of the real ones, they are those of a peer.
    let of_small = (0..forge::parts_len(&small) * 8).map(|bit| (&small, bit));
    // Of the longer a sample, its beginning whole.
    let end = forge::parts_len(&whole) * 8;
    let of_whole = (0..400.min(end)).chain((400..end).step_by(97)).map(|bit| (&whole, bit));
    for (bytes, bit) in of_small.chain(of_whole) {
        let Ok(changes) = Changes::from_bytes(&forge::flipped_inside(bytes, bit)) else {
            continue;
        };
        let app = notebook();
        match app.apply(&changes) {
            Err(error) if error.kind() == ErrorKind::WrongStore => {}
            Err(error) if error.kind() == ErrorKind::NewerEpoch => {}
            // A document of an epoch to come is kept for it.
            Ok(_) if app.status().unwrap().newer_epoch().is_some() => {}
            _ => survives(&app, &changes),
        }
        assert!(app.notes.contains(&1).unwrap(), "bit {bit}");
    }
}

#[test]
fn changes_and_summaries_of_another_store_are_refused() {
    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    struct Other {
        #[key]
        id: u32,
    }

    #[derive(Store)]
    #[store(name = "another")]
    struct Another {
        notes: Table<Other>,
        settings: Kv<Settings>,
    }

    let (app, other) = (notebook(), Another::in_memory().unwrap());
    other.notes.insert(&Other { id: 5 }).unwrap();
    other.settings.size.set(&5).unwrap();
    let before = app.summary().unwrap();
    let error = refused(app.apply(&other.changes_since(&Summary::default()).unwrap()));
    assert_eq!(error.kind(), ErrorKind::WrongStore);
    assert!(error.to_string().contains("another") && error.to_string().contains("notebook"));
    let error = refused(app.changes_since(&other.summary().unwrap()));
    assert_eq!(error.kind(), ErrorKind::WrongStore);
    assert_eq!((app.summary().unwrap(), app.notes.len().unwrap()), (before, 1));
    assert!(!app.changes_since(&Summary::default()).unwrap().is_empty());
}

#[test]
fn a_document_of_newer_code_is_refused_by_that_name() {
    let app = notebook();
    let changes = Changes::from_bytes(&forge::framed("notebook", "1.0/x", &[0, 0])).unwrap();
    assert_eq!(refused(app.apply(&changes)).kind(), ErrorKind::NewerEpoch);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn garbage_is_never_more_than_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        prop_assert!(Changes::from_bytes(&bytes).is_err());
        prop_assert!(Summary::from_bytes(&bytes).is_err());
        // Behind a right checksum it is read, and may be anything.
        let sealed = forge::sealed(b"HLsm", &bytes);
        if let Ok(summary) = Summary::from_bytes(&sealed) {
            drop(notebook().changes_since(&summary));
        }
        drop(Changes::from_bytes(&forge::sealed(b"HLch", &bytes)));
        let app = notebook();
        survives(&app, &forge::changes(&bytes));
        // A piece of real changes, too.
        let real = whole();
        let piece = &real[..cut.index(real.len())];
        survives(&app, &forge::changes(piece));
    }
}

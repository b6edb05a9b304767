//! Updates as no honest device makes them: refused with nothing changed, or taken in, and then everything
//! still works. The bytes are built here, since no encoder writes them.

use crate::support::forge::Bytes;
use crate::support::{Notebook, assert_sound, forge, note, place, refused};
use heirloom::ErrorKind;
use heirloom::sync::{Changes, Summary};

type Block = Vec<u8>;

const NOTES: &str = "table:notes";

fn at_key(kind: u8, root: &str, key: &str) -> Bytes {
    Bytes(vec![kind | 0x20, 1]).text(root).text(key)
}

/// A JSON text under a key of a root.
fn row(root: &str, key: &str, json: &str) -> Block {
    at_key(8, root, key).raw(&[1, 119]).text(json).0
}

/// A JSON text after another item.
fn after(client: u64, clock: u64, json: &str) -> Block {
    Bytes(vec![0x88]).number(client).number(clock).raw(&[1, 119]).text(json).0
}

/// A JSON text before another item.
fn before(client: u64, clock: u64, json: &str) -> Block {
    Bytes(vec![0x48]).number(client).number(clock).raw(&[1, 119]).text(json).0
}

fn gone(len: u64) -> Block {
    Bytes(vec![0]).number(len).0
}

fn skip(len: u64) -> Block {
    Bytes(vec![10]).number(len).0
}

fn deleted(root: &str, key: &str, len: u64) -> Block {
    at_key(1, root, key).number(len).0
}

/// A nested map under a key, or in another one.
fn map_in(parent: Option<(u64, u64)>, key: &str) -> Block {
    match parent {
        None => at_key(7, NOTES, key).raw(&[1]).0,
        Some((client, clock)) => {
            Bytes(vec![0x27, 0]).number(client).number(clock).text(key).raw(&[1]).0
        }
    }
}

/// An array in arrays in arrays, under a key.
fn deep_value(depth: usize) -> Block {
    let value = [117, 1].repeat(depth);
    at_key(8, NOTES, "7").raw(&[1]).raw(&value).raw(&[126]).0
}

/// An update of clients, each with its first clock and its blocks, and of deletions.
fn update(clients: &[(u64, u64, Vec<Block>)], deletions: &[(u64, &[(u64, u64)])]) -> Vec<u8> {
    let mut bytes = Bytes::default().number(clients.len() as u64);
    for (client, clock, blocks) in clients {
        bytes = bytes.number(blocks.len() as u64).number(*client).number(*clock);
        bytes = bytes.raw(&blocks.concat());
    }
    bytes = bytes.number(deletions.len() as u64);
    for (client, ranges) in deletions {
        bytes = bytes.number(*client).number(ranges.len() as u64);
        for (clock, len) in *ranges {
            bytes = bytes.number(*clock).number(*len);
        }
    }
    bytes.0
}

/// The blocks of one client from clock 0 on.
fn of_nine(blocks: Vec<Block>) -> Vec<u8> {
    update(&[(9, 0, blocks)], &[])
}

const MAX: u64 = u32::MAX as u64;
const GOOD: &str = r#"{"id":7,"title":"good"}"#;

/// Everything about a store that an update could change.
fn state(app: &Notebook) -> (usize, usize, Summary) {
    let invalid = app.notes.invalid().unwrap().len();
    (app.notes.len().unwrap(), invalid, app.summary().unwrap())
}

/// Gives the update to a store in a file. After an error nothing has changed; in any case rows are read
/// and written, others can have all of it, and the file is sound after a restart.
#[track_caller]
fn survives(name: &str, update: &[u8]) -> bool {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(1, "own")).unwrap();
    let before = state(&app);
    let Ok(changes) = Changes::from_bytes(&forge::framed("notebook", "0", update)) else {
        return false;
    };
    let is_taken = match app.apply(&changes) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidUpdate, "{name}: {error}");
            assert_eq!(state(&app), before, "{name}: {error}");
            false
        }
    };
    goes_on(name, &app);
    drop(app);
    let report = Notebook::check(&path).unwrap();
    assert!(report.is_ok(), "{name}: {report}");
    goes_on(name, &Notebook::open(&path).unwrap());
    assert_sound::<Notebook>(&path);
    is_taken
}

#[track_caller]
fn goes_on(name: &str, app: &Notebook) {
    assert_eq!(app.notes.get(&1).unwrap(), Some(note(1, "own")), "{name}");
    app.notes.put(&note(2, "written")).unwrap();
    app.notes.put(&note(3, "written")).unwrap();
    app.notes.remove(&3).unwrap();
    let changes = app.changes_since(&Summary::default()).unwrap();
    let peer = Notebook::in_memory().unwrap();
    peer.apply(&changes).unwrap();
    peer.apply(&changes).unwrap();
    assert_eq!(peer.notes.get(&1).unwrap(), Some(note(1, "own")), "{name}");
    assert_eq!(peer.notes.get(&2).unwrap(), Some(note(2, "written")), "{name}");
    assert_eq!(peer.notes.len().unwrap(), app.notes.len().unwrap(), "{name}");
    app.status().unwrap();
}

#[test]
fn updates_that_no_device_can_mean_are_refused() {
    let good = || row(NOTES, "7", GOOD);
    let twice = |blocks: Vec<Block>| update(&[(9, 0, blocks.clone()), (9, 0, blocks)], &[]);
    let cases = [
        ("a client listed twice", twice(vec![good(), row(NOTES, "8", GOOD)])),
        ("a client listed twice, with gone items", twice(vec![row("kv:", "l", "{}"), gone(1)])),
        ("the same, up to the last clock", twice(vec![good(), gone(1), gone(MAX)])),
        ("a client whose deletions are listed twice", {
            update(&[(9, 0, vec![good()])], &[(9, &[(0, 1)]), (9, &[(0, 1)])])
        }),
        ("a run beyond the last clock", of_nine(vec![good(), gone(MAX)])),
        ("an item after the last clock", of_nine(vec![gone(MAX), good(), good()])),
        ("a gap beyond the last clock", of_nine(vec![good(), skip(MAX), good()])),
        ("a run of no items", of_nine(vec![gone(0), good()])),
        ("a gap of no items", of_nine(vec![skip(0), good()])),
        ("a start beyond 32 bits", update(&[(9, MAX + 1, vec![good()])], &[])),
        ("deletions beyond the last clock", update(&[], &[(9, &[(MAX, 2)])])),
        ("deletions that wrap around", update(&[], &[(9, &[(5, MAX)])])),
        ("a client id beyond 53 bits", update(&[(1 << 53, 0, vec![good()])], &[])),
        ("a client id of all bits", update(&[(u64::MAX, 0, vec![good()])], &[])),
        ("an origin beyond 53 bits", of_nine(vec![after(1 << 60, 0, GOOD)])),
        ("an item after itself", of_nine(vec![after(9, 0, GOOD)])),
        ("an item after a later one", of_nine(vec![after(9, 1, GOOD), good()])),
        ("items after each other", {
            update(&[(9, 0, vec![after(8, 0, GOOD)]), (8, 0, vec![after(9, 0, GOOD)])], &[])
        }),
        ("a long circle", {
            let clients = (0..50).map(|at| (10 + at, 0, vec![after(10 + (at + 1) % 50, 0, GOOD)]));
            update(&clients.collect::<Vec<_>>(), &[])
        }),
        ("a map in itself", of_nine(vec![map_in(Some((9, 0)), "a")])),
        ("values that nest without end", of_nine(vec![deep_value(10_000)])),
        ("more blocks than there are", vec![1, 0xff, 0xff, 0xff, 0xff, 0x0f, 9, 0]),
        ("more clients than there are", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("more deletions than there are", vec![0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("a text longer than there is", Bytes(vec![1, 1, 9, 0, 0x28, 1]).number(1 << 40).0),
        ("a content of no kind", of_nine(vec![at_key(13, NOTES, "7").0])),
        ("bytes after its end", [of_nine(vec![good()]), vec![0]].concat()),
    ];
    for (name, update) in cases {
        assert!(!survives(name, &update), "{name} is taken in");
    }
}

#[test]
fn strange_updates_are_taken_in_and_everything_works() {
    let good = || row(NOTES, "7", GOOD);
    let cases = [
        ("all clocks of a client gone", of_nine(vec![gone(MAX)])),
        ("all clocks of a client deleted", of_nine(vec![deleted("table:x", "k", MAX)])),
        ("nearly all clocks, then a row", of_nine(vec![gone(MAX - 1), good()])),
        ("a greatest client id", update(&[((1 << 53) - 1, 0, vec![good()])], &[])),
        ("a client of id 0", update(&[(0, 0, vec![good()])], &[])),
        ("a right origin", of_nine(vec![good(), before(9, 0, r#"{"id":7,"title":"x"}"#)])),
        ("an unknown root", of_nine(vec![row("table:", "", ""), row("weird", "\0", "{}")])),
        ("a key of no name", of_nine(vec![row(NOTES, "", "{}"), row(NOTES, "\u{10ffff}", "x")])),
        ("a sequence", {
            of_nine(vec![Bytes(vec![4, 1]).text(NOTES).text("héllo😀").0, good()])
        }),
        ("a string under a key", of_nine(vec![at_key(4, NOTES, "7").text("héllo😀").0])),
        ("a binary under a key", of_nine(vec![at_key(3, NOTES, "7").number(3).raw(b"abc").0])),
        ("a format under a key", of_nine(vec![at_key(6, NOTES, "7").text("b").text("true").0])),
        ("two values under a key", of_nine(vec![at_key(8, NOTES, "7").raw(&[2, 126, 126]).0])),
        ("a nested map", of_nine(vec![map_in(None, "7"), map_in(Some((9, 0)), "a")])),
        ("the deletion of what is unknown", update(&[], &[(77, &[(5, 10)])])),
        ("the deletion of all that is unknown", update(&[], &[(77, &[(0, MAX)])])),
        ("what waits for what never comes", update(&[(9, 5, vec![good()])], &[])),
        ("what comes after what never comes", of_nine(vec![after(8, 3, GOOD)])),
        ("a gap", of_nine(vec![good(), skip(3), row(NOTES, "8", GOOD)])),
        ("bookkeeping that says nothing", {
            let seen = at_key(8, "seen", "7").raw(&[1, 126]).0;
            of_nine(vec![seen, row("forwarded", "x", "]"), row("forwarded", "", "{")])
        }),
    ];
    for (name, update) in cases {
        survives(name, &update);
    }
}

#[test]
fn maps_in_maps_in_maps_end_no_process() {
    for depth in [10_u64, 1_000, 10_000] {
        let maps = (0..depth).map(|at| map_in(at.checked_sub(1).map(|of| (9, of)), "a"));
        survives("maps in maps", &of_nine(maps.collect()));
    }
}

#[test]
fn an_update_cut_anywhere_is_refused_or_harmless() {
    let blocks = vec![
        row(NOTES, "7", GOOD),
        row(NOTES, "8", r#"{"id":8,"title":"eight"}"#),
        after(9, 0, r#"{"id":7,"title":"again"}"#),
        gone(3),
        map_in(None, "9"),
    ];
    let whole = update(&[(9, 0, blocks)], &[(9, &[(0, 1)])]);
    assert!(survives("whole", &whole));
    let app = Notebook::in_memory().unwrap();
    for len in 0..whole.len() {
        let before = state(&app);
        let Ok(changes) = Changes::from_bytes(&forge::framed("notebook", "0", &whole[..len]))
        else {
            continue;
        };
        let error = refused(app.apply(&changes));
        assert_eq!((error.kind(), state(&app)), (ErrorKind::InvalidUpdate, before), "cut at {len}");
    }
}

#[test]
fn an_own_id_that_another_has_used_up_is_given_up() {
    let takes: [fn(u64) -> Vec<u8>; 4] = [
        |own| update(&[(own, 0, vec![gone(MAX)])], &[]),
        |own| update(&[(own, 1, vec![gone(MAX - 2)])], &[]),
        |own| update(&[(own, 0, vec![gone(9)])], &[]),
        |own| update(&[(own, 1, vec![row(NOTES, "77", r#"{"id":77,"title":"x"}"#)])], &[]),
    ];
    for (way, take) in takes.into_iter().enumerate() {
        let (_folder, path) = place();
        let app = Notebook::open(&path).unwrap();
        app.notes.insert(&note(1, "own")).unwrap();
        let own = app.status().unwrap().device().unwrap();
        app.apply(&forge::changes(&take(own))).unwrap();
        goes_on(&format!("way {way}"), &app);
        assert_ne!(app.status().unwrap().device(), Some(own), "way {way}");
        drop(app);
        assert_sound::<Notebook>(&path);
    }
}

#[test]
fn a_hundred_thousand_clients_are_taken_in() {
    let clients: Vec<_> = (0..100_000).map(|client| (client + 10, 0, vec![gone(1)])).collect();
    let app = Notebook::in_memory().unwrap();
    app.apply(&forge::changes(&update(&clients, &[]))).unwrap();
    app.notes.insert(&note(1, "own")).unwrap();
    let peer = Notebook::in_memory().unwrap();
    peer.apply(&app.changes_since(&Summary::default()).unwrap()).unwrap();
    assert!(app.changes_since(&peer.summary().unwrap()).unwrap().is_empty());
    assert_eq!(peer.notes.get(&1).unwrap(), Some(note(1, "own")));
}

#[test]
fn what_waits_for_ever_is_bounded() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(1, "own")).unwrap();
    let text = "x".repeat(1 << 20);
    for client in 0..80u64 {
        let waits = update(&[(100 + client, 5, vec![row(NOTES, "7", &text)])], &[]);
        assert!(app.apply(&forge::changes(&waits)).unwrap().is_pending());
    }
    let given = app.changes_since(&Summary::default()).unwrap().to_bytes();
    assert!(given.len() < 66 << 20, "{} bytes wait", given.len());
    drop(app);
    goes_on("waiting", &Notebook::open(&path).unwrap());
}

#[test]
fn bytes_at_random_are_no_changes() {
    let mut seed = 7u64;
    for len in 0..2_000 {
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..len % 97 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            bytes.push((seed >> 33) as u8);
        }
        assert_eq!(refused(Changes::from_bytes(&bytes)).kind(), ErrorKind::InvalidUpdate);
        // With a right frame, too, they do nothing, or what they say.
        let app = Notebook::in_memory().unwrap();
        if let Ok(changes) = Changes::from_bytes(&forge::framed("notebook", "0", &bytes)) {
            let before = state(&app);
            if let Err(error) = app.apply(&changes) {
                assert_eq!((error.kind(), state(&app)), (ErrorKind::InvalidUpdate, before));
            }
        }
    }
}

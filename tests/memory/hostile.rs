//! Bytes from a peer that mean harm take no more memory than a few times their number.

use std::fmt::Debug;

use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Result, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[path = "../support/forge.rs"]
#[allow(dead_code, reason = "every test file uses a part of it")]
mod forge;

use forge::Bytes;

use crate::{MIB, alone, peak_of};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    #[key]
    id: u32,
    title: String,
}

#[derive(Store)]
#[store(name = "notebook")]
struct Notebook {
    notes: Table<Note>,
}

/// The memory that a store may take, whatever comes.
const CONSTANT_BYTES: usize = 8 * MIB;

fn app() -> (tempfile::TempDir, Notebook) {
    let folder = tempfile::tempdir().unwrap();
    // A cache of the file that is small beside what comes.
    let builder = Notebook::builder().cache_size(MIB);
    let app = builder.open(folder.path().join("notebook.redb")).unwrap();
    app.notes.insert(&Note { id: 1, title: "own".into() }).unwrap();
    (folder, app)
}

/// Applies changes that hold an update: afterwards everything works, and the memory that it took is in
/// bounds.
#[track_caller]
fn bounded(name: &str, update: &[u8], factor: usize) -> bool {
    let wire = forge::framed("notebook", "0", update);
    bounded_wire(name, &wire, wire.len(), factor)
}

#[track_caller]
fn bounded_wire(name: &str, wire: &[u8], bytes: usize, factor: usize) -> bool {
    let (_folder, app) = app();
    let (peak, taken) =
        peak_of(|| Changes::from_bytes(wire).and_then(|it| app.apply(&it).map(drop)));
    let most = CONSTANT_BYTES + factor * bytes;
    assert!(peak <= most, "{name}: {bytes} bytes took {peak}, more than {most}");
    goes_on(&app);
    taken.is_ok()
}

#[track_caller]
fn goes_on(app: &Notebook) {
    app.notes.put(&Note { id: 2, title: "after".into() }).unwrap();
    assert_eq!(app.notes.get(&1).unwrap().unwrap().title, "own");
    let peer = Notebook::in_memory().unwrap();
    let given = app.changes_since(&Summary::default());
    peer.apply(&given.unwrap()).unwrap();
    assert_eq!(peer.notes.get(&2).unwrap(), app.notes.get(&2).unwrap());
}

fn row(key: &str, json: &str) -> Vec<u8> {
    Bytes(vec![0x28, 1]).text("table:notes").text(key).raw(&[1, 119]).text(json).0
}

/// The update of clients, each with the blocks from its first clock on.
fn update(clients: impl ExactSizeIterator<Item = (u64, u64, u64, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = Bytes::default().number(clients.len() as u64);
    for (client, clock, blocks, block) in clients {
        bytes = bytes.number(blocks).number(client).number(clock).raw(&block);
    }
    bytes.number(0).0
}

fn one(blocks: u64, bytes: Vec<u8>) -> Vec<u8> {
    update([(9, 0, blocks, bytes)].into_iter())
}

#[test]
fn what_comes_takes_a_few_times_its_bytes() {
    let _alone = alone();
    // One after the other, since they measure one heap.
    let big = "x".repeat(20 * MIB);
    assert!(bounded(
        "a row of 20 MB",
        &one(1, row("7", &format!("{{\"id\":7,\"title\":\"{big}\"}}"))),
        6
    ));
    assert!(bounded("a text of 20 MB that is no row", &one(1, row("7", &big)), 6));
    let gone = [0, 1].repeat(300_000);
    assert!(bounded("many items that are gone", &one(300_000, gone), 20));
    let rows: Vec<u8> = (0..20_000).flat_map(|id| row(&format!("{id}"), "{}")).collect();
    assert!(bounded("many small rows", &one(20_000, rows), 24));
    let mark =
        |edit: u32| Bytes(vec![0x21, 1]).text("seen:notes").text(&format!("77.{edit}")).number(1).0;
    let marks: Vec<u8> = (0..100_000).flat_map(mark).collect();
    assert!(bounded("many marks of edits", &one(100_000, marks), 8));
    let clients = (0..100_000_u64).map(|client| (client + 10, 0, 1, vec![0, 1]));
    assert!(bounded(
        "many clients with an item that is gone",
        &update(clients.collect::<Vec<_>>().into_iter()),
        64
    ));
    let clients = (0..40_000_u64).map(|client| (client + 10, 0, 1, row("7", "{}")));
    assert!(bounded(
        "many clients with a row",
        &update(clients.collect::<Vec<_>>().into_iter()),
        24
    ));
    let clients = (0..100_000_u64).map(|client| (client + 10, 5, 1, vec![0, 1]));
    bounded("many clients that wait", &update(clients.collect::<Vec<_>>().into_iter()), 32);

    // A client after each other, in a circle and in a chain.
    let after =
        |client: u64| Bytes(vec![0x88]).number(client).number(0).raw(&[1, 119]).text("{}").0;
    const LINKS: u64 = 40_000;
    let circle = (0..LINKS).map(|at| (10 + at, 0, 1, after(10 + (at + 1) % LINKS)));
    assert!(!bounded("a circle", &update(circle.collect::<Vec<_>>().into_iter()), 24));
    let chain = (0..LINKS)
        .map(|at| (10 + at, 0, 1, if at + 1 == LINKS { row("7", "{}") } else { after(11 + at) }));
    assert!(bounded("a chain", &update(chain.collect::<Vec<_>>().into_iter()), 48));
    let nested = [117, 1].repeat(2 * MIB);
    let deep =
        Bytes(vec![0x28, 1]).text("table:notes").text("7").raw(&[1]).raw(&nested).raw(&[126]);
    assert!(!bounded("values in values", &one(1, deep.0), 4));
    let deletions: Vec<u8> = (0..500_000_u64)
        .fold(Bytes::default().number(0).number(1).number(77).number(500_000), |bytes, at| {
            bytes.number(2 * at).number(1)
        })
        .0;
    bounded("many deletions of the unknown", &deletions, 24);
    for (name, update) in [
        ("clients", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("blocks", vec![1, 0xff, 0xff, 0xff, 0xff, 0x0f, 9, 0]),
        (
            "values",
            Bytes(vec![1, 1, 9, 0, 0x28, 1])
                .text("table:notes")
                .text("7")
                .number(u64::from(u32::MAX))
                .0,
        ),
        (
            "elements",
            Bytes(vec![1, 1, 9, 0, 0x28, 1])
                .text("table:notes")
                .text("7")
                .raw(&[1, 117])
                .number(1 << 31)
                .0,
        ),
        (
            "members",
            Bytes(vec![1, 1, 9, 0, 0x28, 1])
                .text("table:notes")
                .text("7")
                .raw(&[1, 118])
                .number(1 << 26)
                .0,
        ),
        (
            "texts",
            Bytes(vec![1, 1, 9, 0, 0x22, 1])
                .text("table:notes")
                .text("7")
                .number(u64::from(u32::MAX))
                .0,
        ),
        ("deletions", vec![0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("ranges", vec![0, 1, 9, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        (
            "bytes",
            Bytes(vec![1, 1, 9, 0, 0x23, 1]).text("table:notes").text("7").number(u64::MAX).0,
        ),
    ] {
        assert!(!bounded(&format!("a count of {name} that nothing follows"), &update, 1));
    }
    bombs();
    documents();
}

/// Changes whose update decompresses to much.
fn bombs() {
    let zeros = vec![0_u8; 16 * MIB];
    let framed = |len: usize, block: &[u8]| {
        let parts = forge::Bytes::default().text("notebook").number(1).text("0");
        let forge::Bytes(parts) = parts.number(len as u64).number(block.len() as u64).raw(block);
        forge::sealed(b"HLch", &parts)
    };
    let block = lz4_flex::block::compress(&zeros);
    let wire = framed(zeros.len(), &block);
    assert!(!bounded_wire("zeros", &wire, wire.len(), 64));
    assert!(!bounded_wire("a wrong length", &framed(usize::MAX, &block), wire.len(), 2));
    // Content that repeats itself that much is sent as it is.
    let peer = Notebook::in_memory().unwrap();
    peer.notes.insert(&Note { id: 7, title: "x".repeat(4 * MIB) }).unwrap();
    let bytes = peer.changes_since(&Summary::default()).unwrap().to_bytes();
    let (_folder, app) = app();
    app.apply(&Changes::from_bytes(&bytes).unwrap()).unwrap();
    assert_eq!(app.notes.get(&7).unwrap(), peer.notes.get(&7).unwrap());
}

/// Documents that no device uses.
fn documents() {
    const MOST: u32 = 4_096;
    let (_folder, app) = app();
    let update = one(1, row("7", "{}"));
    let framed = |numbers: std::ops::Range<u32>| {
        let documents: Vec<(String, &[u8])> =
            numbers.map(|number| (number.to_string(), update.as_slice())).collect();
        forge::framed_documents("notebook", &documents)
    };
    let apply = |wire: &[u8]| -> Result<()> { app.apply(&Changes::from_bytes(wire)?).map(drop) };
    let before = app.summary().unwrap();
    assert_eq!(apply(&framed(100..101 + MOST)).unwrap_err().kind(), ErrorKind::InvalidUpdate);
    assert_eq!(app.summary().unwrap(), before);

    let wire = framed(100..400);
    let (peak, taken) = peak_of(|| apply(&wire));
    taken.unwrap();
    assert!(peak <= CONSTANT_BYTES + 64 * wire.len(), "{} bytes took {peak}", wire.len());
    assert_eq!(apply(&framed(400..400 + MOST)).unwrap_err().kind(), ErrorKind::InvalidUpdate);
    // It goes on; to a new device of this epoch it says that there is a later one.
    app.notes.put(&Note { id: 2, title: "after".into() }).unwrap();
    assert_eq!(app.status().unwrap().newer_epoch(), Some(399));
    let new = Notebook::in_memory().unwrap();
    let refused = new.apply(&app.changes_since(&Summary::default()).unwrap());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NewerEpoch);
}

#[test]
fn what_waits_is_not_read_by_those_who_have_it_or_need_not() {
    const UPDATES: u32 = 300;
    let _alone = alone();
    let (_folder, app) = app();
    let author = Notebook::in_memory().unwrap();
    let mut updates = Vec::new();
    for id in 0..=UPDATES {
        let known = author.summary().unwrap();
        let title = format!("{id:04} ").repeat(10_000);
        author.notes.insert(&Note { id: 100 + id, title }).unwrap();
        updates.push(author.changes_since(&known).unwrap());
    }
    for update in &updates[1..] {
        let (peak, applied) = peak_of(|| app.apply(update).unwrap());
        assert!(applied.is_pending() && peak < 2 * MIB, "{peak} bytes to keep one update");
    }
    let (peak, summary) = peak_of(|| app.summary().unwrap());
    assert!(peak < 2 * MIB, "{peak} bytes for a summary");
    let (peak, _) = peak_of(|| {
        let given = app.changes_since(&summary).unwrap();
        assert!(given.is_empty());
    });
    assert!(peak < 2 * MIB, "{peak} bytes for a copy that has all of it");
    let (peak, ()) = peak_of(|| {
        let other = Notebook::in_memory().unwrap();
        other.notes.insert(&Note { id: 7, title: "of another".into() }).unwrap();
        let given = other.changes_since(&app.summary().unwrap()).unwrap();
        assert!(app.apply(&given).unwrap().is_pending());
    });
    assert!(peak < 4 * MIB, "{peak} bytes to merge what nothing waits for");
    assert!(!app.apply(&updates[0]).unwrap().is_pending());
    assert_eq!(app.notes.len().unwrap(), UPDATES as usize + 3);
}

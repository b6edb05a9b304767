//! `docs/file-format.md` says enough to read a file: a reader written from that page alone gives what the API
//! gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use twox_hash::XxHash3_64;

use super::formats::first::{Counter, Fixture, Recording};
use super::formats::id;
use crate::support::file;

type Bytes<'n> = TableDefinition<'n, &'static [u8], &'static [u8]>;
type Texts<'n> = TableDefinition<'n, &'static str, &'static [u8]>;

/// An item: client and clock.
type Item = (u64, u32);

fn xxh3(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The value behind the checksum.
fn unsealed<'b>(key: &[u8], bytes: &'b [u8]) -> &'b [u8] {
    let (sum, value) = bytes.split_first_chunk::<8>().unwrap();
    assert_eq!(u64::from_le_bytes(*sum), xxh3(value) ^ xxh3(key).rotate_left(29), "{key:?}");
    value
}

/// The kind, the item and the value of a stored row.
fn row<'b>(key: &[u8], bytes: &'b [u8]) -> (u8, Item, &'b [u8]) {
    let (head, rest) = bytes.split_at(13);
    let (sum, value) = rest.split_at(4);
    let all = xxh3(value) ^ xxh3(head).rotate_left(17) ^ xxh3(key).rotate_left(34);
    assert_eq!(sum, &all.to_le_bytes()[..4], "{key:?}");
    let client = u64::from_le_bytes(head[1..9].try_into().unwrap());
    (head[0], (client, u32::from_le_bytes(head[9..].try_into().unwrap())), value)
}

/// Reads a block from its start.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn v(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return number;
            }
            shift += 7;
        }
    }

    fn clock(&mut self) -> u32 {
        u32::try_from(self.v()).unwrap()
    }
}

/// The first item of the key of an item, or the key itself.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    First { root: u32, packed: Vec<u8> },
    After { origin: Item, first: Item },
    Gone,
    Nested,
}

#[derive(Debug, Default)]
struct Document {
    items: BTreeMap<Item, Place>,
    dead: BTreeSet<Item>,
    clocks: BTreeMap<u64, u32>,
    roots: BTreeMap<u32, String>,
    state: Vec<u64>,
    removed: usize,
}

fn read_block(document: &mut Document, client: u64, start: u32, value: &[u8]) {
    let mut reader = Reader(value);
    let end = start + u32::from_le_bytes(reader.take(4).try_into().unwrap());
    let mut clients = vec![client];
    for _ in 0..reader.v() {
        clients.push(u64::from_le_bytes(reader.take(8).try_into().unwrap()));
    }
    let mut clock = start;
    while clock < end {
        let flags = reader.take(1)[0];
        let named = |reader: &mut Reader<'_>| {
            let client = clients[usize::try_from(reader.v()).unwrap()];
            (client, reader.clock())
        };
        let place = if flags & 1 != 0 {
            let root = reader.clock();
            let len = usize::try_from(reader.v()).unwrap();
            Place::First { root, packed: reader.take(len).to_vec() }
        } else if flags & (2 | 4) != 0 {
            let origin = match flags & 2 {
                0 => named(&mut reader),
                _ => (client, clock - reader.clock()),
            };
            let first = match flags & (16 | 32) {
                32 => origin,
                16 => (client, reader.clock()),
                _ => named(&mut reader),
            };
            Place::After { origin, first }
        } else if flags & 64 != 0 {
            Place::Nested
        } else {
            Place::Gone
        };
        let len = if flags & 8 != 0 { reader.clock() } else { 1 };
        for nth in clock..clock + len {
            let place = match &place {
                Place::After { first, .. } if nth > clock => {
                    Place::After { origin: (client, nth - 1), first: *first }
                }
                place => place.clone(),
            };
            document.items.insert((client, nth), place);
        }
        clock += len;
    }
    assert!(reader.0.is_empty());
    assert_eq!(clock, end);
    // Blocks of a client come in order and without gaps.
    assert_eq!(document.clocks.insert(client, end).unwrap_or(0), start);
}

fn read_dead(document: &mut Document, client: u64, chunk: u32, value: &[u8]) {
    let first = chunk * 4096;
    match value[0] {
        0 => {
            for (at, byte) in value[1..].iter().enumerate() {
                let bits = (0..8).filter(|bit| byte >> bit & 1 == 1);
                let clocks = bits.map(|bit| first + 8 * u32::try_from(at).unwrap() + bit);
                document.dead.extend(clocks.map(|clock| (client, clock)));
            }
        }
        _ => {
            let count = u32::from_le_bytes(value[1..].try_into().unwrap());
            document.dead.extend((first..first + count * 4096).map(|clock| (client, clock)));
        }
    }
}

/// Reads the removals of a commit of the tail.
fn read_deaths(document: &mut Document, value: &[u8]) {
    let mut reader = Reader(&value[8..]);
    assert_eq!(reader.take(1), [0], "a record in the tail says what was removed");
    for is_removed in [false, true] {
        for _ in 0..reader.v() {
            let (client, start, len) = (reader.v(), reader.clock(), reader.clock());
            if is_removed {
                document.dead.extend((start..start + len).map(|clock| (client, clock)));
            }
        }
    }
    assert!(reader.0.is_empty());
}

fn read_document(txn: &ReadTransaction, name: &str) -> Document {
    let mut document = Document::default();
    for part in ["items", "tail"] {
        let table = txn.open_table(Bytes::new(&format!("{name}/{part}"))).unwrap();
        for entry in table.iter().unwrap() {
            let (key, value) = entry.unwrap();
            read_item(&mut document, key.value(), value.value());
            if part == "tail" && key.value()[0] == b'j' {
                read_deaths(&mut document, unsealed(key.value(), value.value()));
            }
        }
    }
    document
}

fn read_item(document: &mut Document, key: &[u8], value: &[u8]) {
    let number = |at: usize| u32::from_be_bytes(key[at..at + 4].try_into().unwrap());
    let client = || u64::from_be_bytes(key[1..9].try_into().unwrap());
    let value = match key[0] {
        b'u' => return,
        _ => unsealed(key, value),
    };
    match key[0] {
        b'b' => read_block(document, client(), number(9), value),
        b'd' => read_dead(document, client(), number(9), value),
        b'r' => {
            let text = std::str::from_utf8(value).unwrap();
            let (_, root) = text.split_once('\0').unwrap();
            document.roots.insert(number(1), root.to_owned());
        }
        b's' => {
            let numbers = value.chunks_exact(8);
            let numbers = numbers.map(|it| u64::from_le_bytes(it.try_into().unwrap()));
            document.state = numbers.collect();
        }
        b'x' => document.removed += 1,
        b'R' | b'e' | b'j' | b'm' | b'n' | b'q' | b'w' => {}
        other => panic!("the page says nothing of `{}`", char::from(other)),
    }
}

/// The sum over all dead items.
fn hash_of_deletions(document: &Document) -> u64 {
    let power = |clock: u32| 0x9e37_79b9_7f4a_7c15_u64.wrapping_pow(clock);
    document.dead.iter().fold(0, |sum: u64, (client, clock)| {
        sum.wrapping_add((xxh3(&client.to_le_bytes()) | 1).wrapping_mul(power(*clock)))
    })
}

/// Reads a document's part of a summary: the hash of its deletions, and clocks by client.
fn in_summary(summary: &[u8], wanted: &str) -> (u64, BTreeMap<u64, u32>) {
    assert_eq!((&summary[..4], summary[4]), (b"HLsm".as_slice(), 1));
    assert_eq!(summary[5..13], xxh3(&summary[13..]).to_le_bytes());
    let mut reader = Reader(&summary[13..]);
    let hash = |reader: &mut Reader<'_>| u64::from_le_bytes(reader.take(8).try_into().unwrap());
    let number = |reader: &mut Reader<'_>| {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = reader.take(1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    };
    let text = |reader: &mut Reader<'_>| {
        let len = usize::try_from(number(reader)).unwrap();
        String::from_utf8(reader.take(len).to_vec()).unwrap()
    };
    assert_eq!(text(&mut reader), "fixture");
    for _ in 0..number(&mut reader) {
        let (name, deletions) = (text(&mut reader), hash(&mut reader));
        let mut clocks = BTreeMap::new();
        for _ in 0..number(&mut reader) {
            let client = number(&mut reader);
            clocks.insert(client, u32::try_from(number(&mut reader)).unwrap());
        }
        if name == wanted {
            return (deletions, clocks);
        }
    }
    panic!("the summary does not name `{wanted}`");
}

#[track_caller]
fn compare(path: &Path) {
    let app = Fixture::open(path).unwrap();
    let summary = app.summary().unwrap().to_bytes();
    let recordings: BTreeMap<Vec<u8>, serde_json::Value> = app
        .recordings
        .iter()
        .unwrap()
        .map(Result::unwrap)
        .map(|row| (row.id.uuid().as_bytes().to_vec(), serde_json::to_value(&row).unwrap()))
        .collect();
    let counters: BTreeMap<Vec<u8>, serde_json::Value> = app
        .counters
        .iter()
        .unwrap()
        .map(Result::unwrap)
        .map(|row| {
            let key = (i64::from(row.number) ^ i64::MIN).to_be_bytes().to_vec();
            (key, serde_json::to_value(&row).unwrap())
        })
        .collect();
    let language = app.settings.language.get().unwrap();
    drop(app);

    assert_eq!(file::meta(path, "format").unwrap(), 2_u64.to_le_bytes());
    let current = String::from_utf8(file::meta(path, "document").unwrap()).unwrap();
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let document = read_document(&txn, &current);

    // How much of it is here, and what is dead.
    let (deletions, clocks) = in_summary(&summary, &current);
    assert_eq!(document.clocks, clocks);
    assert_eq!(hash_of_deletions(&document), deletions);
    assert_eq!(document.state[1], deletions);
    assert!(document.removed > 0, "a row was removed");

    // Rows, and which items they are: the live ones, each of the key that it stands under.
    let mut live = BTreeSet::new();
    for (table, expected) in [("recordings", recordings), ("counters", counters)] {
        let name = format!("{current}/rows/{table}");
        let mut found = BTreeMap::new();
        for entry in txn.open_table(Bytes::new(&name)).unwrap().iter().unwrap() {
            let (key, bytes) = entry.unwrap();
            let (kind, item, value) = row(key.value(), bytes.value());
            assert_eq!(kind, 0);
            found.insert(key.value().to_vec(), serde_json::from_slice(value).unwrap());
            live.insert(item);
            let first = match &document.items[&item] {
                Place::After { origin, first } => {
                    assert!(document.dead.contains(origin), "{item:?} has not replaced its origin");
                    &document.items[first]
                }
                place => place,
            };
            let Place::First { root, packed } = first else { panic!("{first:?}") };
            assert_eq!(document.roots[root], format!("table:{table}"));
            match packed[0] {
                2 => assert_eq!(packed[1..], *key.value()),
                tag => assert_eq!(tag, 0),
            }
        }
        assert_eq!(found, expected);
    }
    let name = format!("{current}/entries/settings");
    for entry in txn.open_table(Texts::new(&name)).unwrap().iter().unwrap() {
        let (key, bytes) = entry.unwrap();
        let (_, item, value) = row(key.value().as_bytes(), bytes.value());
        live.insert(item);
        if key.value() == "language" {
            assert_eq!(serde_json::from_slice::<Option<String>>(value).unwrap(), language);
        }
    }
    let expected: BTreeSet<Item> =
        document.items.keys().filter(|item| !document.dead.contains(item)).copied().collect();
    assert_eq!(live, expected);
}

#[test]
fn a_reader_of_the_page_reads_what_the_api_reads() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in ["format-1.redb", "format-2.redb"] {
        let path = folder.path().join(name);
        std::fs::copy(fixtures.join(name), &path).unwrap();
        compare(&path);
        // More blocks and bitmaps than one.
        let app = Fixture::open(&path).unwrap();
        for number in 0..900 {
            app.transaction(|tx| {
                for number in 10 * number..10 * number + 10 {
                    tx.put(&Counter { number, text: "many".into() })?;
                }
                tx.put(&Counter { number: -1, text: number.to_string() })
            })
            .unwrap();
        }
        app.transaction(|tx| {
            for number in 10..8_990 {
                tx.remove::<Counter>(&number)?;
            }
            let row = Recording { id: id(9), title: "nine".into(), length: "short".into() };
            tx.insert(&row)
        })
        .unwrap();
        drop(app);
        compare(&path);
    }
}

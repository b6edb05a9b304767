//! A migration takes rows along in pieces: what it needs of memory beside the document does not
//! grow with the rows.

use std::path::Path;

use heirloom::{Store, Table};
use peak_alloc::PeakAlloc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The bytes of a row, about.
const ROW_BYTES: usize = 1_000;

const FEW_ROWS: u32 = 4_000;

/// The bytes that a migration may take, whatever there is to migrate: the pieces on their way, the
/// pages of the file that are being written. Far less than the rows of the larger store, which are
/// 16 MB.
const CONSTANT_BYTES: i64 = 8 << 20;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct OldNote {
    #[key]
    number: u32,
    text: String,
}

#[derive(Store)]
#[store(name = "notes", epoch = 0)]
struct OldNotes {
    notes: Table<OldNote>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = OldNote)]
struct Note {
    #[key]
    number: u32,
    #[evolve(renamed_from = "text")]
    content: String,
}

#[derive(Store)]
#[store(name = "notes", epoch = 1, previous = OldNotes)]
struct Notes {
    notes: Table<Note>,
}

/// How much of the file is kept in memory, whatever is done with it: less than the rows of the smaller
/// store, so that it is the same for both.
const CACHE_BYTES: usize = 2 << 20;

/// A text that does not compress to nothing.
fn text(number: u32) -> String {
    let mut state = u64::from(number) + 1;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    (0..ROW_BYTES).map(next).collect()
}

/// How much more memory is in use at the most while `work` runs, in bytes.
fn peak_of<T>(work: impl FnOnce() -> T) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let value = work();
    let peak = HEAP.peak_usage();
    drop(value);
    peak.saturating_sub(before)
}

/// The most memory that a migration of so many rows takes beyond what opening and loading the
/// migrated document does, in bytes.
fn beside_the_document(dir: &Path, rows: u32) -> i64 {
    let path = dir.join(rows.to_string());
    let old = OldNotes::builder().cache_size(CACHE_BYTES).open(&path).unwrap();
    for start in (0..rows).step_by(1_000) {
        let piece = start..rows.min(start + 1_000);
        old.notes.insert_many(piece.map(|number| OldNote { number, text: text(number) })).unwrap();
    }
    drop(old);
    let migrated = peak_of(|| Notes::builder().cache_size(CACHE_BYTES).open(&path).unwrap());
    let loaded = peak_of(|| {
        let app = Notes::builder().cache_size(CACHE_BYTES).open(&path).unwrap();
        assert_eq!(app.notes.len().unwrap(), rows as usize);
        // The first write loads the document.
        app.notes.put(&Note { number: 0, content: String::new() }).unwrap();
        app
    });
    println!("{rows} rows: {migrated} B to migrate them, {loaded} B to load them");
    i64::try_from(migrated).unwrap() - i64::try_from(loaded).unwrap()
}

#[test]
fn a_migration_holds_no_second_copy_of_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let few = beside_the_document(dir.path(), FEW_ROWS);
    let many = beside_the_document(dir.path(), 4 * FEW_ROWS);
    assert!(few < CONSTANT_BYTES, "{few} B beside the document");
    assert!(many < CONSTANT_BYTES, "{many} B beside the document of four times the rows");
}

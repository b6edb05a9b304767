//! Large transactions, and very many small ones, take as much memory as they need and not more.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HEAP, MIB, alone, peak_of};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks")]
struct Track {
    #[key]
    number: u32,
    title: String,
    artist: String,
    plays: u64,
}

#[derive(Store)]
#[store(name = "library")]
struct Library {
    tracks: Table<Track>,
}

/// A row of about 190 bytes of JSON.
fn track(number: u32) -> Track {
    Track {
        number,
        title: format!("{number:0>60}"),
        artist: format!("{number:0>60}"),
        plays: u64::from(number),
    }
}

fn library() -> (tempfile::TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::open(folder.path().join("library.redb")).unwrap();
    (folder, library)
}

#[test]
fn a_hundred_thousand_rows_in_one_transaction_take_64_mb() {
    const ROWS: u32 = 100_000;
    let _alone = alone();
    let bytes = serde_json::to_vec(&track(ROWS - 1)).unwrap().len();
    assert!((170..200).contains(&bytes), "{bytes} bytes");
    let (_folder, library) = library();
    let (peak, inserted) = peak_of(|| library.tracks.insert_many((0..ROWS).map(track)).unwrap());
    assert_eq!(inserted, ROWS as usize);
    assert_eq!(library.tracks.get(&(ROWS - 1)).unwrap(), Some(track(ROWS - 1)));
    assert!(peak <= 64 * MIB, "{peak} bytes");
}

#[test]
fn overwriting_the_same_rows_takes_neither_memory_nor_space_in_the_end() {
    const ROWS: u32 = 50;
    const COMMITS: u32 = 1_000;
    const WRITES: u32 = 20;
    let _alone = alone();
    let (folder, library) = library();
    library.tracks.insert_many((0..ROWS).map(track)).unwrap();
    let (peak, ()) = peak_of(|| {
        for commit in 0..COMMITS {
            library
                .transaction(|tx| {
                    (0..WRITES).map(|write| (commit * WRITES + write) % ROWS).try_for_each(
                        |number| tx.put(&Track { plays: commit.into(), ..track(number) }),
                    )
                })
                .unwrap();
        }
    });
    assert!(peak <= 32 * MIB, "{peak} bytes");
    library.compact().unwrap();
    assert_eq!(library.tracks.get(&7).unwrap().unwrap().title, track(7).title);
    let len = std::fs::metadata(folder.path().join("library.redb")).unwrap().len();
    assert!(len <= 16 * MIB as u64, "{len} bytes");
}

#[test]
fn what_was_written_over_stays_nowhere_in_memory() {
    const ROWS: u32 = 10;
    const WRITES: u32 = 10_000;
    let _alone = alone();
    let (_folder, library) = library();
    let write_over = |writes: u32| {
        for plays in 0..writes {
            let row = Track { plays: plays.into(), ..track(plays % ROWS) };
            library.tracks.put(&row).unwrap();
        }
        HEAP.current_usage()
    };
    let before = write_over(WRITES / 5);
    let grown = write_over(WRITES).saturating_sub(before);
    // The pages of the file that redb keeps in memory, of which there are a few more.
    assert!(grown <= WRITES as usize * 32, "{grown} bytes more after {WRITES} writes");
}

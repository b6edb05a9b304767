//! How much of the file a commit writes, beside a database that has nothing but the rows.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heirloom::__private::StorageOp;
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend, TableDefinition};

use crate::support::{Notebook, counting, file, note, place};

/// The notes that there are before.
const NOTES: u32 = 20_000;
/// So many commits of one write each.
const COMMITS: u32 = 320;

/// The notes that are inserted one by one.
fn new_notes() -> impl Iterator<Item = u32> {
    NOTES..NOTES + COMMITS
}

/// Notes that are there, far from each other.
fn old_notes() -> impl Iterator<Item = u32> {
    (0..COMMITS).map(|nth| nth * 7_919 % NOTES)
}

/// A file that counts what is written to it.
#[derive(Debug)]
struct Counting(FileBackend, Arc<AtomicU64>);

impl StorageBackend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.write(offset, data)
    }
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }
}

/// How many pieces of the file redb alone writes for each of these notes.
fn writes_of_redb(one_by_one: impl Iterator<Item = u32>) -> f64 {
    let (_folder, path) = place();
    let written = Arc::new(AtomicU64::new(0));
    let open = std::fs::File::options().read(true).write(true).create_new(true).open(&path);
    let backend = Counting(FileBackend::new(open.unwrap()).unwrap(), written.clone());
    let database = Database::builder().create_with_backend(backend).unwrap();
    let insert = |ids: std::ops::Range<u32>, title: &str| {
        let txn = database.begin_write().unwrap();
        let mut table = txn.open_table(TableDefinition::<&[u8], &[u8]>::new("notes")).unwrap();
        for id in ids {
            let json = serde_json::to_vec(&note(id, title)).unwrap();
            table.insert(file::note_key(id).as_slice(), json.as_slice()).unwrap();
        }
        drop(table);
        txn.commit().unwrap();
    };
    insert(0..NOTES, "a note");
    let before = written.load(Ordering::Relaxed);
    one_by_one.for_each(|id| insert(id..id + 1, "newer"));
    (written.load(Ordering::Relaxed) - before) as f64 / f64::from(COMMITS)
}

/// How many pieces of the file a store writes for each of these notes.
fn writes_of(app: &Notebook, written: &AtomicU64, one_by_one: impl Iterator<Item = u32>) -> f64 {
    let before = written.load(Ordering::Relaxed);
    one_by_one.for_each(|id| app.notes.put(&note(id, "newer")).unwrap());
    (written.load(Ordering::Relaxed) - before) as f64 / f64::from(COMMITS)
}

#[test]
fn a_write_of_one_row_writes_one_page_more_than_redb_alone() {
    let (_folder, path) = place();
    let (hook, written) = counting(StorageOp::Write);
    let app = Notebook::builder().storage_hook(hook).open(&path).unwrap();
    app.notes.insert_many((0..NOTES).map(|id| note(id, "a note"))).unwrap();
    let (writes, alone) = (writes_of(&app, &written, new_notes()), writes_of_redb(new_notes()));
    assert!(writes <= alone + 1.5, "insert: {writes:.2} pieces, and redb alone {alone:.2}");
    let (writes, alone) = (writes_of(&app, &written, old_notes()), writes_of_redb(old_notes()));
    assert!(writes <= alone + 1.5, "write over: {writes:.2} pieces, and redb alone {alone:.2}");
    let more = 2 * NOTES..2 * NOTES + 1_000;
    app.notes.insert_many(more.map(|id| note(id, "together"))).unwrap();
    drop(app);
    // The parts that have gone from the tail to the items, and those that have not, are one
    // document.
    crate::support::assert_sound::<Notebook>(&path);
    let app = Notebook::open(&path).unwrap();
    let copy = Notebook::in_memory().unwrap();
    crate::support::give(&app, &copy);
    assert_eq!(crate::support::content(&copy), crate::support::content(&app));
}

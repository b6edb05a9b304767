//! The redb file under a store that is closed, as the file format describes it.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

pub const LOG: &str = "0/log";
pub const SNAPSHOT: &str = "0/snapshot";

type Records<'a> = TableDefinition<'a, u64, &'static [u8]>;
const VERSIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("head/entries/versions");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The records of the log or of the snapshot table, in order.
pub fn records(path: &Path, table: &str) -> Vec<(u64, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let table = match txn.open_table(Records::new(table)) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Vec::new(),
        Err(error) => panic!("{error}"),
    };
    let records = table.iter().unwrap().map(|record| {
        let (sequence, bytes) = record.unwrap();
        (sequence.value(), bytes.value().to_vec())
    });
    records.collect()
}

/// Changes the bytes of one record.
pub fn damage(path: &Path, table: &str, sequence: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    {
        let mut table = txn.open_table(Records::new(table)).unwrap();
        let mut bytes = table.get(sequence).unwrap().unwrap().value().to_vec();
        change(&mut bytes);
        table.insert(sequence, bytes.as_slice()).unwrap();
    }
    txn.commit().unwrap();
}

/// A fact about the file.
pub fn meta(path: &Path, name: &str) -> Option<Vec<u8>> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let value = txn.open_table(META).unwrap().get(name).unwrap();
    value.map(|value| value.value().to_vec())
}

pub fn set_meta(path: &Path, name: &str, value: &[u8]) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(META).unwrap().insert(name, value).unwrap();
    txn.commit().unwrap();
}

/// A redb database that is no store.
pub fn of_another_program(path: &Path) {
    let database = Database::create(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
    txn.commit().unwrap();
}

/// Makes the file one of code that recorded no versions of its schema.
pub fn forget_versions(path: &Path) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.delete_table(Records::new("head/log")).unwrap();
    txn.delete_table(Records::new("head/snapshot")).unwrap();
    txn.delete_table(VERSIONS).unwrap();
    txn.open_table(META).unwrap().remove("compared").unwrap();
    txn.commit().unwrap();
}

/// The entries of a kv group in the read model, by name.
pub fn entries(path: &Path, table: &str) -> Vec<(String, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let table = txn.open_table(TableDefinition::<&str, &[u8]>::new(table)).unwrap();
    let entries = table.iter().unwrap().map(|entry| {
        let (name, bytes) = entry.unwrap();
        (name.value().to_owned(), bytes.value().to_vec())
    });
    entries.collect()
}

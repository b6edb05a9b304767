//! The redb file under a store that is closed, as the file format describes it.

use std::path::Path;

use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction,
};

/// The rows of the notes of a notebook.
pub const NOTES: &str = "0/rows/notes";
/// The entries of its settings.
pub const SETTINGS: &str = "0/entries/settings";

type Texts<'a> = TableDefinition<'a, &'static str, &'static [u8]>;
type Bytes<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
const META: Texts<'_> = TableDefinition::new("meta");

/// Changes the file in one commit, behind the back of its store.
pub fn change<T>(path: &Path, work: impl FnOnce(&WriteTransaction) -> T) -> T {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    let done = work(&txn);
    txn.commit().unwrap();
    done
}

/// Reads the entries of a document in the file beside its rows and entries, by key.
pub fn items(path: &Path, document: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let mut items = Vec::new();
    for table in tables_of_items(document) {
        let table = txn.open_table(Bytes::new(&table)).unwrap();
        items.extend(table.iter().unwrap().map(|item| {
            let (key, value) = item.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        }));
    }
    items.sort();
    items
}

fn tables_of_items(document: &str) -> [String; 2] {
    ["items", "tail"].map(|table| format!("{document}/{table}"))
}

/// Changes what the file has of a document under a key, beside its rows and entries.
pub fn damage_item(path: &Path, document: &str, key: &[u8], damage: impl FnOnce(&mut Vec<u8>)) {
    change(path, |txn| {
        for table in tables_of_items(document) {
            let mut table = txn.open_table(Bytes::new(&table)).unwrap();
            let bytes = table.get(key).unwrap().map(|value| value.value().to_vec());
            if let Some(mut bytes) = bytes {
                damage(&mut bytes);
                table.insert(key, bytes.as_slice()).unwrap();
                return;
            }
        }
        panic!("{document} has no {key:?}");
    });
}

/// How many commits a document has had.
pub fn commits(path: &Path, document: &str) -> u64 {
    let items = items(path, document);
    let (_, state) = items.iter().find(|(key, _)| key == b"s").unwrap();
    u64::from_le_bytes(state[8..16].try_into().unwrap())
}

/// The key of a note, as its table has it.
pub fn note_key(id: u32) -> Vec<u8> {
    u64::from(id).to_be_bytes().to_vec()
}

/// Changes the bytes under a key.
pub fn damage(path: &Path, table: &str, key: &[u8], damage: impl FnOnce(&mut Vec<u8>)) {
    change(path, |txn| {
        let mut table = txn.open_table(Bytes::new(table)).unwrap();
        let mut bytes = table.get(key).unwrap().unwrap().value().to_vec();
        damage(&mut bytes);
        table.insert(key, bytes.as_slice()).unwrap();
    });
}

/// Changes the bytes under a name.
pub fn damage_entry(path: &Path, table: &str, name: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    change(path, |txn| {
        let mut table = txn.open_table(Texts::new(table)).unwrap();
        let mut bytes = table.get(name).unwrap().unwrap().value().to_vec();
        damage(&mut bytes);
        table.insert(name, bytes.as_slice()).unwrap();
    });
}

/// A fact about the file.
pub fn meta(path: &Path, name: &str) -> Option<Vec<u8>> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let value = txn.open_table(META).unwrap().get(name).unwrap();
    value.map(|value| value.value().to_vec())
}

pub fn set_meta(path: &Path, name: &str, value: &[u8]) {
    change(path, |txn| drop(txn.open_table(META).unwrap().insert(name, value).unwrap()));
}

/// A redb database that is no store.
pub fn of_another_program(path: &Path) {
    let database = Database::create(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
    txn.commit().unwrap();
}

/// Makes the file one of code that recorded no versions of its schema: the head document goes.
pub fn forget_versions(path: &Path) {
    change(path, |txn| {
        let tables: Vec<_> = txn.list_tables().unwrap().collect();
        for table in tables.into_iter().filter(|table| table.name().starts_with("head/")) {
            txn.delete_table(table).unwrap();
        }
        txn.open_table(META).unwrap().remove("compared").unwrap();
    });
}

/// The entries of a kv group, by name.
pub fn entries(path: &Path, table: &str) -> Vec<(String, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let table = txn.open_table(Texts::new(table)).unwrap();
    let entries = table.iter().unwrap().map(|entry| {
        let (name, bytes) = entry.unwrap();
        (name.value().to_owned(), bytes.value().to_vec())
    });
    entries.collect()
}

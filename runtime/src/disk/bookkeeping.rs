//! The tables of redb's own: which pages of the file are in use, and which are to be freed.
//!
//! redb believes them if the file was closed. By a damaged record it would free pages that are in use; or it panics,
//! and again in the destructor of what reads the record, which ends the process. So they are compared with their
//! checksums before redb opens a file.
//!
//! If they are damaged, redb is shown a header that names none, of a file that was not closed. It then compares
//! all pages with their checksums, and makes its tables again from those of the store. Nothing is lost: pages that
//! are to be freed are kept for readers of earlier commits, and a file that is being opened has no readers.

use std::io;

use redb::StorageBackend;

use super::trees::{EMPTY_LEAF, Header, Pages};

/// The header to show redb in place of that of the file, if redb's own tables are damaged. `None` if they are not,
/// or if redb looks at them itself.
pub(super) fn header_without_damaged_tables(
    storage: &dyn StorageBackend,
) -> io::Result<Option<Vec<u8>>> {
    let header = Header::read(storage)?.filter(Header::is_believed);
    let Some(header) = header else { return Ok(None) };
    let (Some(of_tables), Some(mut pages)) = (header.own_tables(), Pages::of(storage, &header)?)
    else {
        return Ok(None);
    };
    if let Some(tables) = pages.tables(&of_tables)? {
        let mut is_whole = true;
        for (_, table) in tables {
            is_whole = is_whole && pages.damaged_in(&table, |_| ())?.is_empty();
        }
        if is_whole {
            return Ok(None);
        }
    }
    Ok(Some(header.without_own_tables()))
}

/// Whether a page of a table of the store is damaged, or one that names the tables.
pub(super) fn is_damaged(storage: &dyn StorageBackend) -> io::Result<bool> {
    let Some(header) = Header::read(storage)? else { return Ok(true) };
    let Some(of_tables) = header.tables() else { return Ok(false) };
    let Some(mut pages) = Pages::of(storage, &header)? else { return Ok(true) };
    let Some(tables) = pages.tables(&of_tables)? else { return Ok(true) };
    for (_, table) in tables {
        if !pages.damaged_in(&table, |_| ())?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The starts of the damaged pages of tables; `None` for one that cannot be.
pub(super) fn damaged_pages(
    storage: &dyn StorageBackend,
    names: &[String],
) -> io::Result<Vec<Option<u64>>> {
    let Some(header) = Header::read(storage)? else { return Ok(Vec::new()) };
    let (Some(of_tables), Some(mut pages)) = (header.tables(), Pages::of(storage, &header)?) else {
        return Ok(Vec::new());
    };
    let mut damaged = Vec::new();
    for (name, table) in pages.tables(&of_tables)?.unwrap_or_default() {
        if names.contains(&name) {
            damaged.extend(pages.damaged_in(&table, |_| ())?);
        }
    }
    Ok(damaged)
}

/// Empties the damaged pages of tables, so that redb can delete these. By what a damaged page says of other
/// pages, it would free some of other tables.
pub(super) fn empty_damaged_pages(
    storage: &dyn StorageBackend,
    names: &[String],
) -> io::Result<()> {
    for start in damaged_pages(storage, names)?.into_iter().flatten() {
        storage.write(start, &EMPTY_LEAF)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use redb::backends::{FileBackend, InMemoryBackend};
    use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

    use super::*;

    const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
    const OTHERS: TableDefinition<'_, &str, u64> = TableDefinition::new("others");

    /// A closed file, with pages that wait to be freed.
    fn closed_file(rows: u64) -> Vec<u8> {
        let file = tempfile::tempfile().unwrap();
        let backend = FileBackend::new(file.try_clone().unwrap()).unwrap();
        let database = Database::builder().create_with_backend(backend).unwrap();
        for round in 0..3 {
            let txn = database.begin_write().unwrap();
            {
                let mut table = txn.open_table(ROWS).unwrap();
                (0..rows).for_each(|n| drop(table.insert(n, vec![round; 300].as_slice()).unwrap()));
                txn.open_table(OTHERS).unwrap().insert("rows", rows).unwrap();
            }
            txn.commit().unwrap();
        }
        drop(database);
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        FileBackend::new(file).unwrap().read(0, &mut bytes).unwrap();
        bytes
    }

    fn storage(bytes: &[u8]) -> InMemoryBackend {
        let storage = InMemoryBackend::new();
        storage.set_len(bytes.len() as u64).unwrap();
        storage.write(0, bytes).unwrap();
        storage
    }

    #[test]
    fn tables_of_every_size_are_whole() {
        for rows in [0, 1, 100, 3_000, 30_000] {
            let bytes = closed_file(rows);
            assert!(header_without_damaged_tables(&storage(&bytes)).unwrap().is_none(), "{rows}");
            assert!(!is_damaged(&storage(&bytes)).unwrap(), "{rows}");
        }
    }

    #[test]
    fn damaged_tables_are_left_out_and_redb_makes_them_again() {
        let bytes = closed_file(3_000);
        let mut damaged_pages = 0;
        for page in 1..bytes.len() / 4096 {
            let mut damaged = bytes.clone();
            damaged[page * 4096..][..4096].fill(0);
            let storage = storage(&damaged);
            let Some(header) = header_without_damaged_tables(&storage).unwrap() else { continue };
            damaged_pages += 1;
            storage.write(0, &header).unwrap();
            let database = Database::builder().create_with_backend(storage).unwrap();
            let txn = database.begin_write().unwrap();
            txn.open_table(ROWS).unwrap().insert(3_000, b"new".as_slice()).unwrap();
            txn.commit().unwrap();
            let txn = database.begin_read().unwrap();
            let table = txn.open_table(ROWS).unwrap();
            assert_eq!(table.len().unwrap(), 3_001);
            let mut rows = table.iter().unwrap().map(|row| row.unwrap().1.value().to_vec());
            assert!(rows.by_ref().take(3_000).all(|row| row == [2; 300]));
            assert_eq!(rows.next(), Some(b"new".to_vec()));
        }
        assert!((3..20).contains(&damaged_pages), "{damaged_pages} pages");
    }

    #[test]
    fn no_bytes_in_the_place_of_pages_lead_astray() {
        let bytes = closed_file(100);
        for seed in 0..2_000_u64 {
            let mut damaged = bytes.clone();
            let mut next = seed;
            for _ in 0..40 {
                next = next.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let at = 4096 + (next >> 33) as usize % (damaged.len() - 4096);
                damaged[at] = (next >> 25) as u8;
            }
            header_without_damaged_tables(&storage(&damaged)).unwrap();
        }
        for len in [0, 100, 320, 4096, 8192] {
            let _ = header_without_damaged_tables(&storage(&bytes[..len]));
        }
    }
}

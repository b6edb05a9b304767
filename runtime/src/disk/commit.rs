//! One write transaction of the file.

use std::ops::Bound;

use redb::{Database, Durability, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::failure::{Try, guarded};
use super::names;
use super::rows::StoredRow;
use crate::error::Result;
use crate::row::{Content, ItemId};

type BytesTable<'t> = Table<'t, &'static [u8], &'static [u8]>;
type TextTable<'t> = Table<'t, &'static str, &'static [u8]>;

/// For fewer rows a cursor costs more than it saves.
const CURSOR_FROM_ROWS: usize = 16;

/// An open write transaction; dropped without [`finish`](Self::finish), it leaves nothing.
pub(crate) struct Commit {
    txn: WriteTransaction,
}

impl Commit {
    pub(super) fn begin(database: &Database, durable: bool) -> Try<Self> {
        let mut txn = database.begin_write()?;
        txn.set_durability(if durable { Durability::Immediate } else { Durability::None })?;
        Ok(Self { txn })
    }

    pub(super) fn finish(self) -> Try<()> {
        Ok(self.txn.commit()?)
    }

    pub(super) fn abort(self) {
        // What fails here was not going to be kept anyway.
        let _ = self.txn.abort();
    }

    pub(super) fn txn(&self) -> &WriteTransaction {
        &self.txn
    }

    /// Sets a fact about the file.
    pub(crate) fn set_meta(&self, name: &str, value: &[u8]) -> Result<()> {
        guarded(|| {
            self.txn.open_table(names::META)?.insert(name, value)?;
            Ok(())
        })
    }

    /// Adds a record to a document's log.
    pub(crate) fn append_log(&self, document: &str, sequence: u64, record: &[u8]) -> Result<()> {
        let name = names::log(document);
        guarded(|| {
            let table = TableDefinition::<u64, &[u8]>::new(&name);
            self.txn.open_table(table)?.insert(sequence, record)?;
            Ok(())
        })
    }

    /// Replaces a document's snapshot by one that covers the log up to `sequence`, and drops that
    /// part of the log.
    pub(crate) fn renew_snapshot(
        &self,
        document: &str,
        sequence: u64,
        record: &[u8],
    ) -> Result<()> {
        let (snapshot, log) = (names::snapshot(document), names::log(document));
        guarded(|| {
            let mut table = self.txn.open_table(TableDefinition::<u64, &[u8]>::new(&snapshot))?;
            table.retain(|_, _| false)?;
            table.insert(sequence, record)?;
            let mut log = self.txn.open_table(TableDefinition::<u64, &[u8]>::new(&log))?;
            log.retain_in(..=sequence, |_, _| false)?;
            Ok(())
        })
    }

    /// The rows of a table, to write to.
    pub(crate) fn rows(&self, document: &str, table: &str) -> Result<RowsMut<'_>> {
        let (rows, strays) = (names::rows(document, table), names::strays(document, table));
        guarded(|| {
            Ok(RowsMut {
                txn: &self.txn,
                rows: self.txn.open_table(TableDefinition::new(&rows))?,
                strays_name: strays,
                buffer: Vec::new(),
            })
        })
    }

    /// Forgets all rows of a table in the read model.
    pub(crate) fn clear_rows(&self, document: &str, table: &str) -> Result<()> {
        let (rows, strays) = (names::rows(document, table), names::strays(document, table));
        guarded(|| {
            self.txn.delete_table(TableDefinition::<&[u8], &[u8]>::new(&rows))?;
            self.txn.delete_table(TableDefinition::<&str, &[u8]>::new(&strays))?;
            Ok(())
        })
    }

    /// Forgets what is read of a document; the document itself stays.
    pub(crate) fn clear_read_model(&self, document: &str) -> Result<()> {
        self.delete_tables(|name| names::is_read_model(document, name))
    }

    /// Forgets a document.
    pub(crate) fn clear_document(&self, document: &str) -> Result<()> {
        self.delete_tables(|name| names::is_of_document(document, name))
    }

    fn delete_tables(&self, is_meant: impl Fn(&str) -> bool) -> Result<()> {
        guarded(|| {
            let tables: Vec<_> = self.txn.list_tables()?.collect();
            for table in tables {
                if is_meant(redb::TableHandle::name(&table)) {
                    self.txn.delete_table(table)?;
                }
            }
            Ok(())
        })
    }

    /// Adds a part of a document's snapshot, which covers the log up to `sequence`.
    pub(crate) fn append_snapshot(
        &self,
        document: &str,
        sequence: u64,
        record: &[u8],
    ) -> Result<()> {
        let name = names::snapshot(document);
        guarded(|| {
            let table = TableDefinition::<u64, &[u8]>::new(&name);
            self.txn.open_table(table)?.insert(sequence, record)?;
            Ok(())
        })
    }

    /// What a document keeps beside its rows under a root of this name, to write to.
    pub(crate) fn bookkeeping(&self, document: &str, root: &str) -> Result<EntriesMut<'_>> {
        let name = names::bookkeeping(document, root);
        guarded(|| {
            Ok(EntriesMut {
                table: self.txn.open_table(TableDefinition::new(&name))?,
                buffer: Vec::new(),
            })
        })
    }

    /// The entries of a kv group, to write to.
    pub(crate) fn entries(&self, document: &str, group: &str) -> Result<EntriesMut<'_>> {
        let name = names::entries(document, group);
        guarded(|| {
            Ok(EntriesMut {
                table: self.txn.open_table(TableDefinition::new(&name))?,
                buffer: Vec::new(),
            })
        })
    }

    /// Copies everything that `from` has, meta facts included.
    pub(crate) fn copy_from(&self, from: &super::View) -> Result<()> {
        from.copy_into(&self.txn)
    }
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").finish_non_exhaustive()
    }
}

/// The rows of one table inside a commit.
pub(crate) struct RowsMut<'t> {
    txn: &'t WriteTransaction,
    rows: BytesTable<'t>,
    strays_name: String,
    buffer: Vec<u8>,
}

impl RowsMut<'_> {
    /// Keeps a row under its key.
    pub(crate) fn put(&mut self, key: &[u8], id: ItemId, content: &Content) -> Result<()> {
        StoredRow::encode(&mut self.buffer, id, content);
        guarded(|| {
            self.rows.insert(key, self.buffer.as_slice())?;
            Ok(())
        })
    }

    /// Writes the rows of a local transaction, which come in the order of their keys: the JSON text
    /// of each, or nothing where it is removed.
    pub(crate) fn write_sorted<'r>(
        &mut self,
        rows: impl Iterator<Item = (&'r [u8], Option<(ItemId, &'r str)>)>,
    ) -> Result<()> {
        let mut rows = rows.peekable();
        guarded(|| {
            let few = rows.size_hint().0 < CURSOR_FROM_ROWS;
            let last = if few { None } else { self.rows.last()? };
            let last = last.map(|(key, _)| key.value().to_vec());
            let is_old = |key: &[u8]| few || last.as_deref().is_some_and(|last| key <= last);
            while let Some((key, row)) = rows.next_if(|(key, _)| is_old(key)) {
                match row {
                    Some((id, json)) => {
                        StoredRow::encode_text(&mut self.buffer, id, json);
                        self.rows.insert(key, self.buffer.as_slice())?;
                    }
                    None => {
                        self.rows.remove(key)?;
                    }
                }
            }
            if rows.peek().is_none() {
                return Ok(());
            }
            // Beyond the last key, where ids of new rows are, a cursor fills whole pages.
            let mut end = self.rows.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
            for (key, row) in rows {
                if let Some((id, json)) = row {
                    StoredRow::encode_text(&mut self.buffer, id, json);
                    end.insert_before(key, self.buffer.as_slice())?;
                }
            }
            Ok(end.close()?)
        })
    }

    /// The greatest key.
    pub(crate) fn greatest(&self) -> Result<Option<Vec<u8>>> {
        guarded(|| Ok(self.rows.last()?.map(|(key, _)| key.value().to_vec())))
    }

    /// Whether there is a row under a key.
    pub(crate) fn contains(&self, key: &[u8]) -> Result<bool> {
        guarded(|| Ok(self.rows.get(key)?.is_some()))
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Result<()> {
        guarded(|| {
            self.rows.remove(key)?;
            Ok(())
        })
    }

    /// Keeps a row whose key is none of the declared type; `None` removes it.
    pub(crate) fn set_stray(&mut self, key: &str, row: Option<(ItemId, &Content)>) -> Result<()> {
        guarded(|| {
            let definition = TableDefinition::new(&self.strays_name);
            let mut strays: TextTable<'_> = self.txn.open_table(definition)?;
            match row {
                Some((id, content)) => {
                    StoredRow::encode(&mut self.buffer, id, content);
                    strays.insert(key, self.buffer.as_slice())?;
                }
                None => {
                    strays.remove(key)?;
                }
            }
            Ok(())
        })
    }
}

/// The entries of one kv group inside a commit.
pub(crate) struct EntriesMut<'t> {
    table: TextTable<'t>,
    buffer: Vec<u8>,
}

impl EntriesMut<'_> {
    pub(crate) fn put(&mut self, name: &str, id: ItemId, content: &Content) -> Result<()> {
        StoredRow::encode(&mut self.buffer, id, content);
        guarded(|| {
            self.table.insert(name, self.buffer.as_slice())?;
            Ok(())
        })
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        guarded(|| {
            self.table.remove(name)?;
            Ok(())
        })
    }
}

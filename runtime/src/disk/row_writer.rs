//! Rows and entries of a document on their way into the file.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use redb::{ReadableTable, Table, TableDefinition};

use super::commit::Commit;
use super::failure::Try;
use super::names;

/// So many rows are written together.
const MAX_ROWS: usize = 512;

/// For fewer rows a cursor costs more than it saves.
const CURSOR_FROM_ROWS: usize = 16;

type BytesTable<'t> = Table<'t, &'static [u8], &'static [u8]>;
type TextTable<'t> = Table<'t, &'static str, &'static [u8]>;

/// Rows and entries of a document on their way into the file. Rows that come in the order of their bytes are written
/// together.
pub(super) struct RowWriter<'c> {
    commit: &'c Commit,
    document: String,
    /// The root of the rows that are collected, and its table.
    at: Option<(String, BytesTable<'c>)>,
    /// The greatest key that was in the table before, once it was asked for.
    last: Option<Option<Vec<u8>>>,
    bytes: Vec<u8>,
    rows: Vec<Collected>,
    texts: HashMap<String, TextTable<'c>>,
    /// The greatest keys of rows that were written, by root.
    pub(super) greatest: BTreeMap<String, Vec<u8>>,
    /// Space for the caller to encode a row in.
    pub(super) buffer: Vec<u8>,
}

/// The range of a row and its key in the collected bytes; a row that is removed has no end.
struct Collected {
    start: usize,
    key_end: usize,
    end: Option<usize>,
}

impl<'c> RowWriter<'c> {
    pub(super) fn new(commit: &'c Commit, document: &str) -> Self {
        Self {
            commit,
            document: document.to_owned(),
            at: None,
            last: None,
            bytes: Vec::new(),
            rows: Vec::new(),
            texts: HashMap::new(),
            greatest: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    /// The greatest key of a table's rows.
    pub(super) fn greatest(&mut self, root: &str) -> Try<Option<Vec<u8>>> {
        self.go_to(root)?;
        self.flush()?;
        match &self.at {
            Some((_, table)) => Ok(table.last()?.map(|(key, _)| key.value().to_vec())),
            None => Ok(None),
        }
    }

    /// Whether a table has a row under a key.
    pub(super) fn contains(&mut self, root: &str, key: &[u8]) -> Try<bool> {
        self.go_to(root)?;
        self.flush()?;
        match &self.at {
            Some((_, table)) => Ok(table.get(key)?.is_some()),
            None => Ok(false),
        }
    }

    fn go_to(&mut self, root: &str) -> Try<()> {
        if self.at.as_ref().is_none_or(|(at, _)| at != root) {
            self.flush()?;
            let table = root.strip_prefix("table:").unwrap_or(root);
            let name = names::rows(&self.document, table);
            // A table is open once at a time.
            self.at = None;
            let table = self.commit.txn().open_table(TableDefinition::new(&name))?;
            self.at = Some((root.to_owned(), table));
            self.last = None;
        }
        Ok(())
    }

    /// Writes a row under the bytes of its key, or removes it.
    pub(super) fn row(&mut self, root: &str, key: &[u8], row: Option<&[u8]>) -> Try<()> {
        self.go_to(root)?;
        // A cursor takes keys that ascend.
        if self.rows.last().is_some_and(|last| self.bytes[last.start..last.key_end] >= *key) {
            self.flush()?;
        }
        let start = self.bytes.len();
        self.bytes.extend(key);
        let key_end = self.bytes.len();
        let end = row.map(|row| {
            self.bytes.extend(row);
            self.bytes.len()
        });
        self.rows.push(Collected { start, key_end, end });
        if self.rows.len() >= MAX_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes an entry under the text of its key, or removes it.
    pub(super) fn text(&mut self, root: &str, key: &str, row: Option<&[u8]>) -> Try<()> {
        if !self.texts.contains_key(root) {
            let name = names::texts_of_root(&self.document, root);
            let table = self.commit.txn().open_table(TableDefinition::new(&name))?;
            self.texts.insert(root.to_owned(), table);
        }
        let Some(table) = self.texts.get_mut(root) else { return Ok(()) };
        match row {
            Some(row) => drop(table.insert(key, row)?),
            None => drop(table.remove(key)?),
        }
        Ok(())
    }

    /// Writes what is collected.
    pub(super) fn flush(&mut self) -> Try<()> {
        let (bytes, rows) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.rows));
        let Some((root, table)) = &mut self.at else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        self.commit.refuse_if_refused()?;
        if self.last.is_none() {
            self.last = Some(table.last()?.map(|(key, _)| key.value().to_vec()));
        }
        let last = self.last.as_mut().and_then(Option::as_mut);
        let few = rows.len() < CURSOR_FROM_ROWS;
        let is_old = |row: &Collected| {
            few || last.as_deref().is_some_and(|last| bytes[row.start..row.key_end] <= **last)
        };
        let new_from = rows.iter().position(|row| !is_old(row)).unwrap_or(rows.len());
        for row in &rows[..new_from] {
            let key = &bytes[row.start..row.key_end];
            match row.end {
                Some(end) => drop(table.insert(key, &bytes[row.key_end..end])?),
                None => drop(table.remove(key)?),
            }
        }
        let new = &rows[new_from..];
        if !new.is_empty() {
            // Beyond the last key, where ids of new rows are, a cursor fills whole pages.
            let mut end = table.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
            for row in new {
                if let Some(row_end) = row.end {
                    end.insert_before(
                        &bytes[row.start..row.key_end],
                        &bytes[row.key_end..row_end],
                    )?;
                }
            }
            end.close()?;
        }
        if let Some(greatest) = rows.iter().rfind(|row| row.end.is_some()) {
            let greatest = bytes[greatest.start..greatest.key_end].to_vec();
            if let Some(last) = &mut self.last {
                *last = last.take().max(Some(greatest.clone()));
            }
            let known = self.greatest.entry(root.clone()).or_default();
            *known = std::mem::take(known).max(greatest);
        }
        self.bytes = bytes;
        self.bytes.clear();
        Ok(())
    }
}

//! Reading what a file of format 1 has of a document: records of its history, and the rows that readers
//! see, which such a file keeps beside them.
//!
//! A record is an update, compressed and checksummed; `D/snapshot` has those that stand for all before a
//! moment, `D/log` those after it.
//!
//! | bytes | what |
//! |--:|---|
//! | 8 | XXH3 (64 bits, little-endian) of all that follows |
//! | 1 | encoding: 0 plain, 1 an LZ4 block |
//! | 1 | kind: 0 local, 1 remote, 2 remote and waiting for earlier changes |
//! | 8 | when, in milliseconds since 1970, little-endian |
//! | 8 | the update's length in bytes, little-endian |
//! | … | the update |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::{ReadableTableMetadata, TableDefinition};
use twox_hash::XxHash3_64;

use super::commit::Commit;
use super::failure::{Try, guarded};
use super::names;
use super::rows::StoredRow;
use super::view::{BytesTable, TextTable, View};
use crate::error::{Error, Result};
use crate::row::KeyForm;

const HEADER_LEN: usize = 26;
const PLAIN: u8 = 0;
const LZ4: u8 = 1;

const SNAPSHOT: &str = "snapshot";
const LOG: &str = "log";
/// The roots of a document that are neither tables nor groups, and are kept under their names.
const BOOKKEEPING: [&str; 3] = ["forwarded", "settled", "quarantine"];

type Records<'n> = TableDefinition<'n, u64, &'static [u8]>;

/// A record of a document.
pub(crate) struct Record {
    pub(crate) is_snapshot: bool,
    pub(crate) sequence: u64,
    /// The update; an error says in which way the record is damaged.
    pub(crate) update: std::result::Result<Vec<u8>, &'static str>,
}

/// The update in the bytes of a record; an error says in which way they are damaged.
fn decode(bytes: &[u8]) -> std::result::Result<Vec<u8>, &'static str> {
    let header = bytes.get(..HEADER_LEN).ok_or("it is cut short")?;
    if XxHash3_64::oneshot(&bytes[8..]).to_le_bytes() != header[..8] {
        return Err("its checksum does not match");
    }
    let mut len = [0; 8];
    len.copy_from_slice(&header[18..26]);
    let len = usize::try_from(u64::from_le_bytes(len)).map_err(|_| "it is too long")?;
    let body = &bytes[HEADER_LEN..];
    let update = match header[8] {
        PLAIN => body.to_vec(),
        // An LZ4 block expands at most 255-fold, which bounds what a length may claim.
        LZ4 if len / 255 <= body.len() => {
            lz4_flex::block::decompress(body, len).map_err(|_| "it does not decompress")?
        }
        _ => return Err("its encoding is unknown"),
    };
    if update.len() != len {
        return Err("its length does not match");
    }
    Ok(update)
}

fn records_name(document: &str, kind: &str) -> String {
    [document, "/", kind].concat()
}

impl View {
    /// The names of all documents that a file of format 1 has something of.
    pub(crate) fn format_1_documents(&self) -> Result<BTreeSet<String>> {
        let names = guarded(|| self.table_names())?;
        let documents = names.iter().map(|name| names::kind(name).0.to_owned());
        Ok(documents.filter(|document| !document.is_empty()).collect())
    }

    /// How many records a document has.
    pub(crate) fn format_1_record_count(&self, document: &str) -> Result<u64> {
        guarded(|| {
            let mut count = 0;
            for kind in [SNAPSHOT, LOG] {
                if let Some(table) = self.open(Records::new(&records_name(document, kind)))? {
                    count += table.len()?;
                }
            }
            Ok(count)
        })
    }

    /// Calls `visit` with the records of a document in their order.
    pub(crate) fn each_format_1_record(
        &self,
        document: &str,
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        for kind in [SNAPSHOT, LOG] {
            let range = guarded(|| {
                let table = self.open(Records::new(&records_name(document, kind)))?;
                Ok(table.map(|table| table.range::<u64>(..)).transpose()?)
            })?;
            let Some(mut range) = range else { continue };
            while let Some(record) = guarded(|| {
                let Some((sequence, bytes)) = range.next().transpose()? else { return Ok(None) };
                let update = decode(bytes.value());
                let is_snapshot = kind == SNAPSHOT;
                Ok(Some(Record { is_snapshot, sequence: sequence.value(), update }))
            })? {
                visit(record)?;
            }
        }
        Ok(())
    }
}

/// The rows and entries of a document that readers of a file of format 1 see.
pub(crate) struct OldRows {
    view: Arc<View>,
    /// Rows by the bytes of their keys, by root, with the form of the keys.
    rows: BTreeMap<String, (KeyForm, BytesTable)>,
    /// By the texts of keys: entries, and rows whose key does not parse as the declared type.
    texts: BTreeMap<String, TextTable>,
}

impl OldRows {
    /// Those of a document; `form_of` tells how the keys of a table are written, and gives nothing for a
    /// table whose rows are not those of the document.
    pub(crate) fn open(
        view: &Arc<View>,
        document: &str,
        form_of: impl Fn(&str) -> Option<KeyForm>,
    ) -> Result<Self> {
        let mut old = Self { view: view.clone(), rows: BTreeMap::new(), texts: BTreeMap::new() };
        guarded(|| {
            for name in view.table_names()? {
                let Some(rest) = names::within(document, &name) else { continue };
                let (kind, of) = rest.split_once('/').unwrap_or((rest, ""));
                match kind {
                    "rows" | "strays" => {
                        let Some(form) = form_of(of) else { continue };
                        let root = ["table:", of].concat();
                        if kind == "strays" {
                            old.open_texts(root, &name)?;
                        } else if let Some(table) = view.open(TableDefinition::new(&name))? {
                            old.rows.insert(root, (form, table));
                        }
                    }
                    "entries" => old.open_texts(["kv:", of].concat(), &name)?,
                    _ if BOOKKEEPING.contains(&rest) => old.open_texts(rest.to_owned(), &name)?,
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(old)
    }

    fn open_texts(&mut self, root: String, name: &str) -> Try<()> {
        if let Some(table) = self.view.open(TableDefinition::new(name))? {
            self.texts.insert(root, table);
        }
        Ok(())
    }

    /// Calls `visit` with the root, the key and the row of everything that is kept under roots that
    /// `is_meant` names.
    pub(crate) fn each(
        &self,
        is_meant: impl Fn(&str) -> bool,
        visit: &mut dyn FnMut(&str, &str, &StoredRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let format = self.view.format();
        for (root, (form, table)) in self.rows.iter().filter(|(root, _)| is_meant(root)) {
            let mut range = guarded(|| Ok(table.range::<&[u8]>(..)?))?;
            while let Some((key, row)) = guarded(|| {
                let Some((key, row)) = range.next().transpose()? else { return Ok(None) };
                let row = StoredRow::new(format, key.value(), row);
                Ok(Some((form.text_of(key.value()), row)))
            })? {
                let key = key.ok_or_else(|| {
                    Error::new(crate::ErrorKind::Corrupt, "a row is stored without a key")
                        .at_table(root.trim_start_matches("table:"))
                })?;
                visit(root, &key, &row)?;
            }
        }
        for (root, table) in self.texts.iter().filter(|(root, _)| is_meant(root)) {
            let mut range = guarded(|| Ok(table.range::<&str>(..)?))?;
            while let Some((key, row)) = guarded(|| {
                let Some((key, row)) = range.next().transpose()? else { return Ok(None) };
                let row = StoredRow::new(format, key.value().as_bytes(), row);
                Ok(Some((key, row)))
            })? {
                visit(root, key.value(), &row)?;
            }
        }
        Ok(())
    }

    /// Whether readers see something under a key.
    pub(crate) fn contains(&self, root: &str, key: &str) -> Result<bool> {
        guarded(|| {
            if let Some((form, table)) = self.rows.get(root)
                && let Some(bytes) = form.bytes_of(key)
            {
                return Ok(table.get(bytes.as_slice())?.is_some());
            }
            match self.texts.get(root) {
                Some(table) => Ok(table.get(key)?.is_some()),
                None => Ok(false),
            }
        })
    }
}

impl Commit {
    /// Forgets what a file of format 1 has of a document, apart from indexes.
    pub(crate) fn clear_format_1(&self, document: &str) -> Result<()> {
        self.delete_tables(|name| {
            names::within(document, name).is_some() && !names::is_index_of(document, name)
        })
    }

    /// Forgets a fact about the file.
    pub(crate) fn remove_meta(&self, name: &str) -> Result<()> {
        guarded(|| {
            self.txn().open_table(names::META)?.remove(name)?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(update: &[u8], encoding: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 8];
        bytes.extend([encoding, 0]);
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend((update.len() as u64).to_le_bytes());
        bytes.extend(body);
        let checksum = XxHash3_64::oneshot(&bytes[8..]);
        bytes[..8].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    #[test]
    fn an_update_comes_back_and_any_flipped_bit_or_cut_is_noticed() {
        let long = vec![7; 5_000];
        let packed = lz4_flex::block::compress(&long);
        for (update, bytes) in [
            (b"".as_slice(), encode(b"", PLAIN, b"")),
            (b"abc", encode(b"abc", PLAIN, b"abc")),
            (&long, encode(&long, LZ4, &packed)),
        ] {
            assert_eq!(decode(&bytes).unwrap(), update);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&flipped).is_err(), "bit {bit} flipped unnoticed");
            }
            for len in 0..bytes.len() {
                assert!(decode(&bytes[..len]).is_err(), "cut at {len} unnoticed");
            }
        }
        assert!(decode(&encode(&long, 9, &packed)).is_err(), "an unknown encoding");
        assert!(decode(&encode(&long, LZ4, b"x")).is_err(), "a length that no block can have");
    }
}

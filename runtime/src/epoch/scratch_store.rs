//! A store between two epochs: its rows and entries, on their way.

use std::ops::Bound;
use std::sync::Arc;

use crate::disk::{Scratch, View};
use crate::engine::Base;
use crate::error::{Error, ErrorKind, Result};
use crate::row::Content;
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};
use crate::schema::step::Entries;

/// How many rows are looked at together.
const PIECE_ROWS: usize = 512;

/// Rows and entries by table and group, each with what it stands for.
#[derive(Debug)]
pub(crate) struct ScratchStore {
    pub(crate) def: StoreDef,
    scratch: Scratch,
}

/// A row of a scratch store.
#[derive(Debug, Clone)]
pub(crate) struct ScratchRow {
    pub(crate) key: Vec<u8>,
    pub(crate) base: Base,
    pub(crate) json: String,
}

fn table_name(table_idx: TableIdx) -> String {
    format!("table/{}", table_idx.0)
}

fn group_name(group_idx: GroupIdx) -> String {
    format!("group/{}", group_idx.0)
}

fn encode(base: &Base, json: &str) -> Vec<u8> {
    // No text of a base has a line break.
    format!("{}\n{json}", base.to_text()).into_bytes()
}

fn decode(value: &[u8]) -> Result<(Base, String)> {
    let text = std::str::from_utf8(value).ok().and_then(|text| text.split_once('\n'));
    let parsed = text.and_then(|(base, json)| Some((Base::parse(base)?, json)));
    let (base, json) = parsed.ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, "a row changed on its way to the next epoch")
    })?;
    Ok((base, json.to_owned()))
}

impl ScratchStore {
    /// An empty store; on disk where there may be many rows.
    pub(crate) fn new(def: StoreDef, is_large: bool) -> Result<Self> {
        let scratch = if is_large { Scratch::on_disk()? } else { Scratch::in_memory()? };
        Ok(Self { def, scratch })
    }

    pub(crate) fn get(&self, table_idx: TableIdx, key: &[u8]) -> Result<Option<String>> {
        let stored = self.scratch.get(&table_name(table_idx), key)?;
        stored.map(|value| Ok(decode(&value)?.1)).transpose()
    }

    pub(crate) fn put(
        &self,
        table_idx: TableIdx,
        key: &[u8],
        base: &Base,
        json: &str,
    ) -> Result<()> {
        self.scratch.put(&table_name(table_idx), key, &encode(base, json))
    }

    /// Stores a row; one that is there already stands for what it did.
    pub(crate) fn replace(&self, table_idx: TableIdx, key: &[u8], json: &str) -> Result<()> {
        let stored = self.scratch.get(&table_name(table_idx), key)?;
        let base = stored.map(|value| decode(&value)).transpose()?.map(|(base, _)| base);
        self.put(table_idx, key, &base.unwrap_or(Base::Made), json)
    }

    pub(crate) fn remove(&self, table_idx: TableIdx, key: &[u8]) -> Result<()> {
        self.scratch.remove(&table_name(table_idx), key)
    }

    pub(crate) fn len(&self, table_idx: TableIdx) -> Result<u64> {
        self.scratch.len(&table_name(table_idx))
    }

    /// The next rows after a key, or from the start; few at a time, so that rows may be written
    /// meanwhile.
    pub(crate) fn after(&self, table_idx: TableIdx, key: Option<&[u8]>) -> Result<Vec<ScratchRow>> {
        let entries = self.scratch.after(&table_name(table_idx), key, PIECE_ROWS)?;
        let rows = entries.into_iter().map(|(key, value)| {
            let (base, json) = decode(&value)?;
            Ok(ScratchRow { key, base, json })
        });
        rows.collect()
    }

    /// The entries of a group that are set, each with what it stands for.
    pub(crate) fn entries_with_base(
        &self,
        group_idx: GroupIdx,
    ) -> Result<Vec<(String, Base, String)>> {
        let mut found = Vec::new();
        for (name, value) in self.scratch.after(&group_name(group_idx), None, usize::MAX)? {
            let (base, json) = decode(&value)?;
            found.push((String::from_utf8_lossy(&name).into_owned(), base, json));
        }
        Ok(found)
    }

    /// The entries of a group that are set.
    pub(crate) fn entries(&self, group_idx: GroupIdx) -> Result<Entries> {
        let found = self.entries_with_base(group_idx)?;
        Ok(found.into_iter().map(|(name, _, json)| (name, json)).collect())
    }

    pub(crate) fn set_entry(
        &self,
        group_idx: GroupIdx,
        name: &str,
        base: &Base,
        json: &str,
    ) -> Result<()> {
        self.scratch.put(&group_name(group_idx), name.as_bytes(), &encode(base, json))
    }

    pub(crate) fn reset_entry(&self, group_idx: GroupIdx, name: &str) -> Result<()> {
        self.scratch.remove(&group_name(group_idx), name.as_bytes())
    }
}

/// A store before and after a step, for its `migrate` function.
#[derive(Debug)]
pub(crate) struct MigrationStores {
    pub(crate) old: ReadStore,
    pub(crate) new: ScratchStore,
}

/// A store that is only read.
#[derive(Debug)]
pub(crate) enum ReadStore {
    ScratchStore(Box<ScratchStore>),
    /// As readers of the file see it.
    File(Arc<View>, StoreDef),
}

impl ReadStore {
    pub(crate) fn get(&self, table_idx: TableIdx, key: &[u8]) -> Result<Option<String>> {
        match self {
            Self::ScratchStore(scratch) => scratch.get(table_idx, key),
            Self::File(view, _) => {
                let row = view.row(table_idx, key)?;
                Ok(row.map(|row| String::from_utf8_lossy(row.json()).into_owned()))
            }
        }
    }

    pub(crate) fn len(&self, table_idx: TableIdx) -> Result<u64> {
        match self {
            Self::ScratchStore(scratch) => scratch.len(table_idx),
            Self::File(view, _) => view.len(table_idx),
        }
    }

    /// The keys and JSON of the next rows after a key, or from the start.
    pub(crate) fn after(
        &self,
        table_idx: TableIdx,
        key: Option<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, String)>> {
        match self {
            Self::ScratchStore(scratch) => {
                let rows = scratch.after(table_idx, key)?.into_iter();
                Ok(rows.map(|row| (row.key, row.json)).collect())
            }
            Self::File(view, _) => {
                let from = key.map_or(Bound::Unbounded, Bound::Excluded);
                let mut rows = view.rows_in(table_idx, from, Bound::Unbounded)?;
                let mut piece = Vec::new();
                while piece.len() < PIECE_ROWS
                    && let Some(row) = rows.next_with(|key, row| {
                        (key.to_vec(), String::from_utf8_lossy(row.json()).into_owned())
                    })
                {
                    piece.push(row?);
                }
                Ok(piece)
            }
        }
    }

    /// The entries of a group that are set.
    pub(crate) fn entries(&self, group_idx: GroupIdx) -> Result<Entries> {
        match self {
            Self::ScratchStore(scratch) => scratch.entries(group_idx),
            Self::File(view, def) => {
                let entries = view.entries(view.document_name(), def.groups[group_idx].name)?;
                let entries = entries.into_iter().filter_map(|(name, _, content)| match content {
                    Content::Text(json) => Some((name, json.to_string())),
                    Content::Foreign(_) => None,
                });
                Ok(entries.collect())
            }
        }
    }
}

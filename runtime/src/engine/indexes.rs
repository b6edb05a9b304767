//! Indexes: which of them stand, and keeping them in the commits of the rows they order.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::documents::DocName;
use super::meta_keys;
use super::open::Engine;
use super::writer::{Writer, WriterIndexes};
use crate::disk::{Commit, IndexEntry, Span, View, index_name};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::{StoreDef, TableDef, TableIdx};

/// What the indexes of a store are built on, by table, computed when they are first asked for.
#[derive(Debug)]
pub(crate) struct Indexes(Vec<OnceLock<u64>>);

impl Indexes {
    pub(crate) fn of(def: &StoreDef) -> Self {
        Self(def.tables.iter().map(|_| OnceLock::new()).collect())
    }

    fn basis(&self, table_idx: TableIdx, table: &TableDef) -> u64 {
        *self.0[table_idx.0].get_or_init(|| XxHash3_64::oneshot((table.index_basis)().as_bytes()))
    }
}

/// The names of the declared indexes in a document, by table.
pub(crate) fn index_names(def: &StoreDef, document: &str) -> Vec<Vec<String>> {
    let names = def.tables.iter().map(|table| {
        let indexes = table.indexes.iter();
        indexes.map(|index| index_name(document, table.name, index.fields)).collect()
    });
    names.collect()
}

/// Recorded in the file: every index in it, so that all of these are kept up to date by whoever
/// writes, or forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct IndexFacts(pub(crate) BTreeMap<String, IndexFact>);

/// What is known of one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexFact {
    /// A hash of what decides how rows read, as of when it was built.
    basis: u64,
    /// While it is being built, the bytes of the key that it has come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) built_to: Option<Vec<u8>>,
}

impl IndexFacts {
    pub(crate) fn parse(json: &[u8]) -> Self {
        // What does not parse is rebuilt.
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// Whether some index is not complete.
    pub(crate) fn are_building(&self) -> bool {
        self.0.values().any(|fact| fact.built_to.is_some())
    }
}

/// A changed row, as it was and as it is.
pub(crate) struct RowChange<'r> {
    pub(crate) key: &'r [u8],
    /// Whether there was one.
    pub(crate) existed: bool,
    /// The JSON text of the row; `None` inside for one that is none.
    pub(crate) after: Option<Option<&'r str>>,
}

/// What a commit does to one index.
#[derive(Default)]
struct IndexChanges {
    removed: Vec<IndexEntry>,
    added: Vec<IndexEntry>,
}

impl Engine {
    /// Which indexes of a table a view has complete, by their place among the declared ones.
    pub(crate) fn standing(&self, view: &View, table_idx: TableIdx) -> Vec<bool> {
        let table = &self.def.tables[table_idx];
        if table.indexes.is_empty() {
            return Vec::new();
        }
        let standing = view.standing(meta_keys::INDEXES, |json| {
            let facts = IndexFacts::parse(json).0.into_iter();
            let complete = facts.filter(|(_, fact)| fact.built_to.is_none());
            complete.map(|(name, fact)| format!("{name} {}", fact.basis)).collect()
        });
        // An index that cannot be looked up is one less to read.
        let standing = standing.unwrap_or_default();
        let basis = self.indexes.basis(table_idx, table);
        let names = view.names().indexes_of(table_idx).iter();
        names.map(|name| standing.contains(&format!("{name} {basis}"))).collect()
    }

    /// All declared indexes of a document that is filled anew, to be built from its rows.
    pub(crate) fn indexes_to_build(&self, document: DocName) -> WriterIndexes {
        let mut facts = IndexFacts::default();
        let names = index_names(&self.def, &document.to_string());
        for (table_idx, names) in self.def.table_idxs().zip(names) {
            let basis = self.indexes.basis(table_idx, &self.def.tables[table_idx]);
            let fact = |name| (name, IndexFact { basis, built_to: Some(Vec::new()) });
            facts.0.extend(names.into_iter().map(fact));
        }
        WriterIndexes { facts, is_covered: true, is_unrecorded: true, to_clear: Vec::new() }
    }

    /// From now on, every commit of this process keeps all declared indexes up to date, and the
    /// file has no others. Those that are not there yet are to be built.
    pub(crate) fn cover_indexes(&self, writer: &mut Writer, view: &View) -> Result<()> {
        if writer.indexes.is_covered {
            return Ok(());
        }
        let recorded = std::mem::take(&mut writer.indexes.facts.0);
        let mut facts = BTreeMap::new();
        for (table_idx, table) in self.def.tables_by_idx() {
            for name in view.names().indexes_of(table_idx) {
                let basis = self.indexes.basis(table_idx, table);
                let kept = recorded.get(name).filter(|fact| fact.basis == basis).cloned();
                let fact = match kept {
                    Some(fact) => fact,
                    None => {
                        writer.indexes.to_clear.push(name.clone());
                        let built_to = (view.len(table_idx)? > 0).then(Vec::new);
                        IndexFact { basis, built_to }
                    }
                };
                facts.insert(name.clone(), fact);
            }
        }
        let dropped = recorded.keys().filter(|name| !facts.contains_key(*name));
        writer.indexes.to_clear.extend(dropped.cloned());
        writer.indexes.is_unrecorded |= facts != recorded;
        writer.indexes.facts.0 = facts;
        writer.indexes.is_covered = true;
        Ok(())
    }

    /// Takes the indexes of tables back to their beginning.
    pub(crate) fn reset_indexes(&self, writer: &mut Writer, table_idxs: &[TableIdx]) {
        let view = self.view();
        for name in table_idxs.iter().flat_map(|table_idx| view.names().indexes_of(*table_idx)) {
            if let Some(fact) = writer.indexes.facts.0.get_mut(name) {
                fact.built_to = Some(Vec::new());
                writer.indexes.to_clear.push(name.clone());
                writer.indexes.is_unrecorded = true;
            }
        }
    }

    /// Writes what became known of indexes; part of every commit.
    pub(crate) fn record_indexes(&self, writer: &Writer, commit: &Commit) -> Result<()> {
        if !writer.indexes.is_unrecorded {
            return Ok(());
        }
        for name in &writer.indexes.to_clear {
            commit.clear_index(name)?;
        }
        let json = serde_json::to_vec(&writer.indexes.facts).map_err(|error| {
            Error::new(ErrorKind::Storage, "the facts on indexes do not serialize").because(error)
        })?;
        commit.set_meta(meta_keys::INDEXES, &json)
    }

    /// Brings the indexes of a table up to date with rows that the same commit changes. `view` is
    /// from before it. Where `checked`, a row that a unique index refuses is an error.
    pub(crate) fn write_indexes<'r>(
        &self,
        commit: &Commit,
        view: &View,
        table_idx: TableIdx,
        rows: impl Iterator<Item = RowChange<'r>>,
        checked: bool,
    ) -> Result<()> {
        let table = &self.def.tables[table_idx];
        if table.indexes.is_empty() {
            return Ok(());
        }
        let mut changes: Vec<IndexChanges> =
            table.indexes.iter().map(|_| IndexChanges::default()).collect();
        for row in rows {
            if row.existed
                && let Some(before) = view.row(table_idx, row.key)?
            {
                let json = (!before.is_foreign()).then(|| before.json());
                entries_of(table, json, row.key, |index, entry| {
                    changes[index].removed.push(entry);
                });
            }
            if let Some(after) = row.after {
                entries_of(table, after.map(str::as_bytes), row.key, |index, entry| {
                    changes[index].added.push(entry);
                });
            }
        }
        for (index, mut changes) in changes.into_iter().enumerate() {
            changes.settle();
            if changes.removed.is_empty() && changes.added.is_empty() {
                continue;
            }
            let mut stored = commit.index(&view.names().indexes_of(table_idx)[index])?;
            stored.change(&changes.removed, &changes.added)?;
            if checked && table.indexes[index].unique {
                for entry in changes.added.iter().filter(|entry| !entry.is_null) {
                    if let Some(rival) = stored.rival(entry)? {
                        return Err(not_unique(table, index, entry.key(), &rival));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Where the indexes that stand differ from what the rows say.
    pub(crate) fn compare_indexes(
        &self,
        view: &Arc<View>,
        table_idx: TableIdx,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let standing = self.standing(view, table_idx);
        if !standing.contains(&true) {
            return Ok(());
        }
        let table = &self.def.tables[table_idx];
        let mut expected: Vec<Vec<IndexEntry>> = standing.iter().map(|_| Vec::new()).collect();
        let mut rows = view.rows(table_idx)?;
        while let Some(row) = rows.next_with(|key, row| {
            let json = (!row.is_foreign()).then(|| row.json());
            entries_of(table, json, key, |index, entry| expected[index].push(entry));
        }) {
            row?;
        }
        for (index, mut expected) in expected.into_iter().enumerate() {
            if !standing[index] {
                continue;
            }
            expected.sort_unstable();
            let mut found = Vec::with_capacity(expected.len());
            let mut entries = view.index(table_idx, index, &Span::whole())?;
            while let Some(entry) = entries.next(false) {
                found.push(entry?);
            }
            let wrong = if found != expected {
                "differs from the rows"
            } else if !view.blocks_agree(table_idx, index)? {
                "counts other entries than it has"
            } else {
                continue;
            };
            let fields = table.indexes[index].fields.join(", ");
            problems.push(format!("table `{}`: the index ({fields}) {wrong}", table.name));
        }
        Ok(())
    }
}

impl IndexChanges {
    /// Sorts, and forgets what is taken out and put back.
    fn settle(&mut self) {
        self.added.sort_unstable();
        if self.removed.is_empty() {
            return;
        }
        self.removed.sort_unstable();
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        let mut after = std::mem::take(&mut self.added).into_iter().peekable();
        for before in std::mem::take(&mut self.removed) {
            while let Some(new) = after.next_if(|new| *new < before) {
                added.push(new);
            }
            if after.next_if(|new| *new == before).is_none() {
                removed.push(before);
            }
        }
        added.extend(after);
        (self.removed, self.added) = (removed, added);
    }
}

/// The entries of a row in each index of its table.
pub(crate) fn entries_of(
    table: &TableDef,
    json: Option<&[u8]>,
    key: &[u8],
    mut add: impl FnMut(usize, IndexEntry),
) {
    let mut visit =
        |index: usize, values: &[u8], traits: crate::schema::descriptor::ValueTraits| {
            add(index, IndexEntry::new(values, key, traits.is_null));
            if traits.is_cut {
                add(index, IndexEntry::cut(key));
            }
        };
    let is_valid = json.is_some_and(|json| (table.index_values)(json, key, &mut visit));
    if !is_valid {
        for index in 0..table.indexes.len() {
            add(index, IndexEntry::invalid(key));
        }
    }
}

fn not_unique(table: &TableDef, index: usize, key: &[u8], rival: &[u8]) -> Error {
    let text = |key: &[u8]| (table.key_text)(key).unwrap_or_else(|| format!("{key:?}"));
    Error::new(ErrorKind::NotUnique, "another row has the same value")
        .at_table(table.name)
        .at_key(text(key))
        .at_field(table.indexes[index].fields.join("`, `"))
        .expecting("a value that no other row has")
        .finding(format!("the one of the row `{}`", text(rival)))
        .help("nothing was changed; give one of the rows another value")
}

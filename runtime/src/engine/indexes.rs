//! Indexes: which of them stand, and keeping them in the commits of the rows they order.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::documents::DocName;
use super::head::Compared;
use super::meta_keys;
use super::open::Engine;
use super::writer::{Writer, WriterIndexes};
use crate::disk::{Commit, IndexChange, IndexEntry, IndexFact, IndexFacts, View, index_name};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::{IndexBasis, StoreDef, TableDef, TableIdx};

/// The basis of the indexes of a store, by table, computed when it is needed.
#[derive(Debug)]
pub(crate) struct Indexes(Vec<OnceLock<IndexBasis>>);

impl Indexes {
    pub(crate) fn of(def: &StoreDef) -> Self {
        Self(def.tables.iter().map(|_| OnceLock::new()).collect())
    }

    fn basis(&self, table_idx: TableIdx, table: &TableDef) -> &IndexBasis {
        self.0[table_idx.0].get_or_init(|| (table.index_basis)())
    }
}

fn new_fact(basis: &IndexBasis, index: usize, built_to: Option<Vec<u8>>) -> IndexFact {
    IndexFact { basis: basis.indexes[index], row_basis: Some(basis.row), built_to }
}

/// The names of the declared indexes in a document, by table.
pub(crate) fn index_names(def: &StoreDef, document: &str) -> Vec<Vec<String>> {
    let names = def.tables.iter().map(|table| {
        let indexes = table.indexes.iter();
        indexes.map(|index| index_name(document, table.name, index.fields)).collect()
    });
    names.collect()
}

/// The use that an index is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IndexState {
    /// It is not complete, or was built by code that reads the covered fields otherwise.
    #[default]
    Building,
    /// All rows that match are among those that it gives.
    Candidates,
    /// Its entries are those of all rows.
    Complete,
}

/// A changed row, as it was and as it is.
pub(crate) struct RowChange<'r> {
    pub(crate) key: &'r [u8],
    /// Whether there was one.
    pub(crate) existed: bool,
    /// The JSON text of the row; `None` inside if the row is not text.
    pub(crate) after: Option<Option<&'r str>>,
}

impl Engine {
    /// Returns the use of each index of a table in a view, in the order of their declaration.
    pub(crate) fn index_states(&self, view: &Arc<View>, table_idx: TableIdx) -> Vec<IndexState> {
        let table = &self.def.tables[table_idx];
        if table.indexes.is_empty() {
            return Vec::new();
        }
        // An index that cannot be looked up is one less to read.
        let facts = view.index_facts(meta_keys::INDEXES).ok();
        let basis = self.indexes.basis(table_idx, table);
        let names = view.names().indexes_of(table_idx).iter().enumerate();
        let states = names.map(|(index, name)| {
            let fact = facts.and_then(|facts| facts.0.get(name));
            match fact.filter(|fact| fact.built_to.is_none()) {
                Some(fact) => {
                    self.index_state(view, table_idx, index, fact, basis).unwrap_or_default()
                }
                None => IndexState::Building,
            }
        });
        states.collect()
    }

    /// Returns the use of an index that some code has written, complete or not.
    ///
    /// Code that covers the same fields has written the same entries, except for rows that do not
    /// decode as a whole: those it keeps apart, and of those other code may decode some.
    fn index_state(
        &self,
        view: &Arc<View>,
        table_idx: TableIdx,
        index: usize,
        fact: &IndexFact,
        basis: &IndexBasis,
    ) -> Result<IndexState> {
        if fact.basis != basis.indexes[index] {
            return Ok(IndexState::Building);
        }
        if fact.row_basis == Some(basis.row) {
            return Ok(IndexState::Complete);
        }
        let has_invalid = view.index_has_invalid(table_idx, index)?;
        Ok(if has_invalid { IndexState::Building } else { IndexState::Candidates })
    }

    /// All declared indexes of a document that is filled anew, to be built from its rows.
    pub(crate) fn indexes_to_build(&self, document: DocName) -> WriterIndexes {
        let mut facts = IndexFacts::default();
        let names = index_names(&self.def, &document.to_string());
        for (table_idx, names) in self.def.table_idxs().zip(names) {
            let basis = self.indexes.basis(table_idx, &self.def.tables[table_idx]);
            let new = |(index, name)| (name, new_fact(basis, index, Some(Vec::new())));
            facts.0.extend(names.into_iter().enumerate().map(new));
        }
        WriterIndexes { facts, is_covered: true, is_unrecorded: true, to_clear: Vec::new() }
    }

    /// From now on, every commit of this process keeps all declared indexes up to date, and the
    /// file has no others. Those that are not there yet are to be built.
    pub(crate) fn cover_indexes(&self, writer: &mut Writer, view: &Arc<View>) -> Result<()> {
        if writer.indexes.is_covered {
            return Ok(());
        }
        // Rows of older versions decode here, too; those of a newer one need not.
        let is_newest = !writer.compared.as_ref().is_some_and(Compared::knows_newer);
        let recorded = std::mem::take(&mut writer.indexes.facts.0);
        let mut facts = BTreeMap::new();
        for (table_idx, table) in self.def.tables_by_idx() {
            if table.indexes.is_empty() {
                continue;
            }
            let basis = self.indexes.basis(table_idx, table);
            for (index, name) in view.names().indexes_of(table_idx).iter().enumerate() {
                let kept = match recorded.get(name) {
                    Some(fact) => match self.index_state(view, table_idx, index, fact, basis) {
                        Ok(IndexState::Building) => None,
                        Ok(IndexState::Complete) => Some(fact.row_basis),
                        Ok(IndexState::Candidates) => Some(is_newest.then_some(basis.row)),
                        Err(error) if error.kind() == ErrorKind::Corrupt => None,
                        Err(error) => return Err(error),
                    }
                    .map(|row_basis| IndexFact { row_basis, ..fact.clone() }),
                    None => None,
                };
                let fact = match kept {
                    Some(fact) => fact,
                    None => {
                        writer.indexes.to_clear.push(name.clone());
                        let built_to = (view.len(table_idx)? > 0).then(Vec::new);
                        new_fact(basis, index, built_to)
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

    /// After a commit that failed, with which earlier ones may be gone that were not on disk yet:
    /// what the file has of indexes now is what the next commit starts from.
    pub(crate) fn reread_indexes(&self, writer: &mut Writer) {
        let facts = self.view().index_facts(meta_keys::INDEXES).cloned().unwrap_or_default();
        writer.indexes = WriterIndexes { facts, ..WriterIndexes::default() };
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
    /// from before it. If `checked`, a row that a unique index refuses is an error.
    pub(crate) fn write_indexes<'r>(
        &self,
        commit: &Commit,
        view: &View,
        facts: &IndexFacts,
        table_idx: TableIdx,
        mut rows: impl Iterator<Item = RowChange<'r>>,
        checked: bool,
    ) -> Result<()> {
        let mut changes = self.index_changes(view, facts, table_idx);
        if changes.is_needed() {
            rows.try_for_each(|row| changes.add(&row))?;
        }
        changes.write(commit, checked)
    }

    /// Begins to gather the changes of a table's indexes by a commit. `view` is from before it.
    pub(crate) fn index_changes<'v>(
        &'v self,
        view: &'v View,
        facts: &'v IndexFacts,
        table_idx: TableIdx,
    ) -> IndexChanges<'v> {
        let table = &self.def.tables[table_idx];
        let names = view.names().indexes_of(table_idx);
        let held = names.iter().map(|name| facts.0.get(name)).collect();
        let changes = table.indexes.iter().map(|_| IndexChange::default()).collect();
        IndexChanges { table, table_idx, view, names, held, changes }
    }
}

/// The changes of a table's indexes by a commit.
pub(crate) struct IndexChanges<'v> {
    table: &'v TableDef,
    table_idx: TableIdx,
    view: &'v View,
    names: &'v [String],
    held: Vec<Option<&'v IndexFact>>,
    changes: Vec<IndexChange>,
}

impl IndexChanges<'_> {
    /// Whether the table has indexes.
    fn is_needed(&self) -> bool {
        !self.table.indexes.is_empty()
    }

    /// Adds what becomes of one row.
    pub(crate) fn add(&mut self, row: &RowChange<'_>) -> Result<()> {
        if !self.is_needed() {
            return Ok(());
        }
        let Self { table, held, changes, .. } = self;
        let holds = |index: usize| held[index].is_some_and(|fact| fact.holds(row.key));
        if row.existed
            && let Some(before) = self.view.row(self.table_idx, row.key)?
        {
            let json = (!before.is_foreign()).then(|| before.json());
            entries_of(table, json, row.key, |index, entry| {
                if holds(index) {
                    changes[index].removed.push(entry);
                }
            });
        }
        if let Some(after) = row.after {
            entries_of(table, after.map(str::as_bytes), row.key, |index, entry| {
                if holds(index) {
                    changes[index].added.push(entry);
                }
            });
        }
        Ok(())
    }

    /// Writes it. If `checked`, a row that a unique index refuses is an error.
    pub(crate) fn write(self, commit: &Commit, checked: bool) -> Result<()> {
        for (index, mut change) in self.changes.into_iter().enumerate() {
            change.finish();
            if change.is_empty() {
                continue;
            }
            let mut stored = commit.index(&self.names[index])?;
            stored.change(&change)?;
            if checked && self.table.indexes[index].unique {
                for entry in change.added.iter().filter(|entry| !entry.is_null) {
                    if let Some(rival) = stored.rival(entry)? {
                        return Err(not_unique(self.table, index, entry.key(), &rival));
                    }
                }
            }
        }
        Ok(())
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

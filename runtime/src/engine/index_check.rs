//! Whether indexes hold what the rows say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::indexes::{IndexState, entries_of};
use super::open::Engine;
use crate::disk::{IndexEntry, Span, View};
use crate::error::{ErrorKind, Result};
use crate::schema::descriptor::TableIdx;

/// How many rows are named for each index.
const NAMED_ROWS: usize = 10;

/// The text about an index that cannot be read.
const DAMAGED: &str = "is damaged, and the rows are not: make it anew with `rebuild_indexes`";

/// The entries of one row that an index and the row do not agree on.
#[derive(Default)]
struct Difference {
    /// The entries that the index holds and the row does not make.
    found: Vec<IndexEntry>,
    /// The entries that the row makes and the index does not hold.
    expected: Vec<IndexEntry>,
}

impl Engine {
    /// Adds where the complete indexes of a table differ from its rows.
    pub(super) fn compare_indexes(
        &self,
        view: &Arc<View>,
        table_idx: TableIdx,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let states = self.index_states(view, table_idx);
        if states.iter().all(|state| *state == IndexState::Building) {
            return Ok(());
        }
        let table = &self.def.tables[table_idx];
        let mut expected: Vec<BTreeSet<IndexEntry>> =
            states.iter().map(|_| BTreeSet::new()).collect();
        let mut rows = view.rows(table_idx)?;
        while let Some(row) = rows.next_with(|key, row| {
            let json = (!row.is_foreign()).then(|| row.json());
            entries_of(table, json, key, |index, entry| {
                expected[index].insert(entry);
            });
        }) {
            row?;
        }
        for (index, expected) in expected.into_iter().enumerate() {
            if states[index] == IndexState::Building {
                continue;
            }
            let found = self.differences(view, (table_idx, index), states[index], expected);
            let found = match found {
                Err(error) if error.kind() == ErrorKind::Corrupt => vec![DAMAGED.to_owned()],
                found => found?,
            };
            let of_index =
                format!("table `{}`: the index ({})", table.name, table.indexes[index].words());
            problems.extend(found.into_iter().map(|found| format!("{of_index} {found}")));
        }
        Ok(())
    }

    /// Returns the differences between a complete index and the rows.
    fn differences(
        &self,
        view: &Arc<View>,
        (table_idx, index): (TableIdx, usize),
        state: IndexState,
        mut expected: BTreeSet<IndexEntry>,
    ) -> Result<Vec<String>> {
        let table = &self.def.tables[table_idx];
        let mut differences: BTreeMap<Vec<u8>, Difference> = BTreeMap::new();
        let mut entries = view.index(table_idx, index, &Span::whole())?;
        while let Some(entry) = entries.next(false) {
            let entry = entry?;
            if !expected.remove(&entry) {
                differences.entry(entry.key().to_vec()).or_default().found.push(entry);
            }
        }
        for entry in expected {
            differences.entry(entry.key().to_vec()).or_default().expected.push(entry);
        }
        if state == IndexState::Candidates {
            // Other code decodes rows that this does not.
            differences.retain(|key, difference| {
                difference.expected != [IndexEntry::invalid(key)] || difference.found.is_empty()
            });
        }
        let mut problems = Vec::new();
        for (key, difference) in differences.iter().take(NAMED_ROWS) {
            let name = (table.key_text)(key).unwrap_or_else(|| format!("{key:?}"));
            problems.push(
                self.explain(view, table_idx, index, key, difference)?.replace("{key}", &name),
            );
        }
        if differences.len() > NAMED_ROWS {
            problems.push(format!("differs from {} more rows", differences.len() - NAMED_ROWS));
        }
        if differences.is_empty() && !view.blocks_agree(table_idx, index)? {
            problems.push("counts other entries than it has".to_owned());
        }
        Ok(problems)
    }

    /// Explains the wrong entries of one row, with `{key}` in the place of its key.
    fn explain(
        &self,
        view: &View,
        table_idx: TableIdx,
        index: usize,
        key: &[u8],
        difference: &Difference,
    ) -> Result<String> {
        let Some(row) = view.row(table_idx, key)? else {
            return Ok("has an entry of the row `{key}`, which does not exist".to_owned());
        };
        let json = (!row.is_foreign()).then(|| row.json());
        let mut again = Vec::new();
        entries_of(&self.def.tables[table_idx], json, key, |of, entry| {
            if of == index {
                again.push(entry);
            }
        });
        let is_stable = difference.expected.iter().all(|entry| again.contains(entry));
        Ok(match (difference.found.is_empty(), difference.expected.is_empty()) {
            _ if !is_stable => {
                "has an entry of an earlier reading of the row `{key}`, which reads differently \
                 each time; store the value, or give the field a default by `#[evolve(default = …)]`"
            }
            (true, _) => "lacks the row `{key}`",
            (false, true) => "has one entry too many of the row `{key}`",
            (false, false) => "has another value of the row `{key}` than the row itself",
        }
        .to_owned())
    }
}

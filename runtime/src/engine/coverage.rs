//! Which tables the read model holds, so that a table of other code is found again later.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::schema::descriptor::{StoreDef, TableDef, TableIdx};

/// Recorded in the file. Every table that the document has is either in `tables`, and then the
/// read model holds all of it, or in `absent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Coverage {
    /// Tables that are up to date, with the kind of their key.
    tables: BTreeMap<String, String>,
    /// Tables that changed while the running code did not declare them.
    absent: BTreeSet<String>,
}

impl Coverage {
    /// The declared tables whose rows must be read out of the document first.
    pub(crate) fn to_rebuild(&self, def: &StoreDef) -> Vec<TableIdx> {
        def.table_idxs().filter(|table_idx| !self.is_ready(&def.tables[*table_idx])).collect()
    }

    /// Whether the document has no table beside those of a store, and they are all up to date.
    pub(crate) fn is_all(&self, def: &StoreDef) -> bool {
        let is_declared = |name: &String| def.tables.iter().any(|table| table.name == name);
        self.absent.is_empty()
            && self.tables.keys().all(is_declared)
            && self.to_rebuild(def).is_empty()
    }

    fn is_ready(&self, table: &TableDef) -> bool {
        let kind_changed = self.tables.get(table.name).is_some_and(|kind| kind != table.key.name());
        !kind_changed && !self.absent.contains(table.name)
    }

    /// Records that the read model holds these tables. Returns whether it did not before.
    pub(crate) fn cover(&mut self, def: &StoreDef) -> bool {
        let before = self.clone();
        for table in def.tables {
            self.absent.remove(table.name);
            self.tables.insert(table.name.to_owned(), table.key.name().to_owned());
        }
        *self != before
    }

    /// Records a change of a table that the code does not declare.
    pub(crate) fn miss(&mut self, table: &str) {
        self.tables.remove(table);
        self.absent.insert(table.to_owned());
    }
}

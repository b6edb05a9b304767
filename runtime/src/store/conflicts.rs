//! [`Conflict`]: rows that share what was to be unique.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::table::Table;
use crate::disk::{Span, View};
use crate::engine::IndexState;
use crate::error::Result;
use crate::row::{Key, Row};
use crate::schema::descriptor::TableIdx;

/// Rows of two devices that share a value of which a unique index says that each row has its own.
///
/// Listed by [`Table::conflicts`].
pub struct Conflict<R: Row> {
    fields: &'static [&'static str],
    keys: Vec<R::Key>,
}

impl<R: Row> Conflict<R> {
    /// Returns the stored names of the index's fields.
    pub fn fields(&self) -> &'static [&'static str] {
        self.fields
    }

    /// Returns the keys of the rows, two or more, in their order.
    pub fn keys(&self) -> &[R::Key] {
        &self.keys
    }
}

impl<R: Row> fmt::Debug for Conflict<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(Key::to_text).collect();
        f.debug_struct("Conflict").field("fields", &self.fields).field("keys", &keys).finish()
    }
}

impl<R: Row> Table<R> {
    /// Returns the rows that share a value of which a unique index says that each row has its own.
    ///
    /// On one device there are none: a write that would make one is refused as
    /// [`NotUnique`](crate::ErrorKind::NotUnique). But two devices that cannot see each other may
    /// both give the last free name away, and neither can know. When they meet, both rows are kept,
    /// since dropping one would lose an edit. The conflict is listed here until one of the rows is
    /// given another value or removed. A value of `None` conflicts with nothing.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct User { #[key] id: u32, #[index(unique)] name: String }
    /// # #[derive(Store)]
    /// # struct App { users: Table<User> }
    /// let (here, there) = (App::in_memory()?, App::in_memory()?);
    /// here.users.insert(&User { id: 1, name: "ada".into() })?;
    /// there.users.insert(&User { id: 2, name: "ada".into() })?;
    /// here.apply(&there.changes_since(&here.summary()?)?)?;
    ///
    /// let conflicts = here.users.conflicts()?;
    /// assert_eq!(conflicts[0].fields(), ["name"]);
    /// assert_eq!(conflicts[0].keys(), [1, 2]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    pub fn conflicts(&self) -> Result<Vec<Conflict<R>>> {
        let engine = self.handle.engine();
        let view = engine.view();
        let states = engine.index_states(&view, self.table_idx);
        let mut conflicts = Vec::new();
        for (index, def) in R::INDEXES.iter().enumerate().filter(|(_, def)| def.unique) {
            let groups = match states.get(index) {
                Some(IndexState::Complete) => in_index(&view, self.table_idx, index),
                _ => self.in_rows(&view, index),
            };
            let groups = groups.map_err(|error| self.handle.placed(error.at_table(R::TABLE)))?;
            conflicts.extend(groups.into_iter().map(|keys| Conflict {
                fields: def.fields,
                keys: keys.iter().filter_map(|key| R::Key::from_bytes(key)).collect(),
            }));
        }
        Ok(conflicts)
    }

    /// The groups of keys with equal values, if the index does not stand yet.
    fn in_rows(&self, view: &Arc<View>, of: usize) -> Result<Vec<Vec<Vec<u8>>>> {
        let table = &self.handle.engine().def.tables[self.table_idx];
        let mut groups: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
        let mut rows = view.rows(self.table_idx)?;
        while let Some(row) = rows.next_with(|key, row| {
            if !row.is_foreign() {
                (table.index_values)(row.json(), key, &mut |index, values, traits| {
                    if index == of && !traits.is_null {
                        groups.entry(values.to_vec()).or_default().push(key.to_vec());
                    }
                });
            }
        }) {
            row?;
        }
        Ok(groups.into_values().filter(|keys| keys.len() > 1).collect())
    }
}

/// The groups of keys with equal values, from neighbours in the index.
fn in_index(view: &Arc<View>, table_idx: TableIdx, index: usize) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut groups: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut values = Vec::new();
    let mut group = Vec::new();
    let mut entries = view.index(table_idx, index, &Span::all())?;
    while let Some(entry) = entries.next(false) {
        let entry = entry?;
        if entry.is_null {
            continue;
        }
        if entry.values() != values {
            values = entry.values().to_vec();
            groups.push(std::mem::take(&mut group));
        }
        group.push(entry.key().to_vec());
    }
    groups.push(group);
    groups.retain(|keys| keys.len() > 1);
    Ok(groups)
}

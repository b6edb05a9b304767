//! Rows that merge by field: which roots and keys belong together, and writing of cells.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::{Cell, Value, WriteItems};
use super::unseen::standing;
use super::writing::Writing;
use crate::error::Result;
use crate::row::{
    CellWrite, ItemId, cell_key, count_path, element_paths, is_below, is_count, overlay,
    split_cell_key, without_counts,
};

/// The root of the cells of a table; `None` for a root that is not a table.
pub(crate) fn cells_of(root: &str) -> Option<String> {
    root.strip_prefix("table:").map(|table| format!("cells:{table}"))
}

/// The table and the row that a cell belongs to, by the root and key of the cell, and the path.
pub(crate) fn row_of<'k>(root: &str, key: &'k str) -> Option<(String, &'k str, &'k str)> {
    let table = root.strip_prefix("cells:")?;
    let (row, path) = split_cell_key(key)?;
    Some((format!("table:{table}"), row, path))
}

/// The cell under a key, if it is one of the row.
pub(crate) fn cell_of(row: &str, key: &str, id: ItemId, value: &Value) -> Option<Cell> {
    let (of, path) = split_cell_key(key)?;
    let json = match value {
        Value::Text(json) => Arc::clone(json),
        Value::Other { json, .. } => json.as_str().into(),
    };
    (of == row).then(|| Cell { path: path.to_owned(), id, json })
}

/// A base with cells over it.
pub(crate) fn row_with(base: &str, cells: &[Cell]) -> String {
    overlay(base, cells.iter().map(|cell| (cell.path.as_str(), &*cell.json)))
}

/// The text of a row as the document has it, its cells over its base; `None` if there is none.
pub(crate) fn row_text<W: WriteItems + ?Sized>(
    items: &W,
    root: &str,
    key: &str,
) -> Result<Option<String>> {
    let Some(base) = standing(items, root, key)?.flatten() else { return Ok(None) };
    Ok(Some(if items.has_cells(root)? { row_with(&base, &items.cells(root, key)?) } else { base }))
}

impl Writing {
    /// Writes or removes a row whole: its cells go with it.
    pub(super) fn write_row<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
        row: Option<&str>,
    ) -> Result<()> {
        let Some(cells_root) = self.cells_root(items, root)? else {
            return match row {
                Some(row) => self.put(items, root, key, row).map(drop),
                None => self.remove(items, root, key),
            };
        };
        let cells = items.cells(root, key)?;
        if self.has_unseen {
            for path in items.unseen_cells(root, key)? {
                self.see(items, &cells_root, &cell_key(key, &path), true)?;
            }
        }
        // The count of a device goes on from there, also if the row is removed and comes again: a
        // count names its total, and the number that is written allows for it.
        let (kept, gone): (Vec<&Cell>, Vec<&Cell>) =
            cells.iter().partition(|cell| is_count(&cell.path));
        for cell in gone {
            self.remove(items, &cells_root, &cell_key(key, &cell.path))?;
        }
        let Some(row) = row else {
            if !kept.is_empty() {
                let counts = kept.iter().map(|cell| cell.id).collect();
                self.seen.push((cells_root, counts));
            }
            return self.remove(items, root, key);
        };
        let counts = || kept.iter().map(|cell| (cell.path.as_str(), &*cell.json));
        if kept.is_empty() {
            return self.put(items, root, key, row).map(drop);
        }
        let base = without_counts(row, counts());
        let id = self.append(items, root, key)?;
        let below = (id, Value::Text(Arc::from(base.as_str())));
        items.put_below(root, key, below, (id, &overlay(&base, counts())))
    }

    /// The root of the cells of rows that have been there before this transaction.
    fn cells_root<W: WriteItems + ?Sized>(
        &mut self,
        items: &W,
        root: &str,
    ) -> Result<Option<Arc<str>>> {
        match &self.last_cells {
            Some((last, cells)) if last == root => Ok(cells.clone()),
            _ => {
                let cells = if items.has_cells(root)? { cells_of(root) } else { None };
                let cells: Option<Arc<str>> = cells.map(Arc::from);
                self.last_cells = Some((root.to_owned(), cells.clone()));
                Ok(cells)
            }
        }
    }

    /// Writes cells of a row that stands.
    pub(super) fn edit_row<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &str,
        key: &str,
        (id, base, late): (ItemId, &Arc<str>, Option<(ItemId, &str)>),
        writes: &[CellWrite],
    ) -> Result<()> {
        let below = late.unwrap_or((id, base));
        let Some(cells_root) = cells_of(root) else { return Ok(()) };
        let cells = if items.has_cells(root)? { items.cells(root, key)? } else { Vec::new() };
        let mut cells: BTreeMap<String, Arc<str>> =
            cells.into_iter().map(|cell| (cell.path, cell.json)).collect();
        let mut changes: BTreeMap<String, Option<Arc<str>>> = BTreeMap::new();
        let mut change =
            |cells: &mut BTreeMap<String, Arc<str>>, path: String, json: Option<&str>| {
                if cells.get(&path).map(|known| &**known) == json {
                    return;
                }
                let json: Option<Arc<str>> = json.map(Arc::from);
                match &json {
                    Some(json) => drop(cells.insert(path.clone(), Arc::clone(json))),
                    None => drop(cells.remove(&path)),
                }
                changes.insert(path, json);
            };
        for write in writes {
            match write {
                CellWrite::Set { path, json } => {
                    let below: Vec<String> =
                        cells.keys().filter(|known| is_below(known, path)).cloned().collect();
                    below.into_iter().for_each(|path| change(&mut cells, path, None));
                    change(&mut cells, path.clone(), Some(json.as_deref().unwrap_or_default()));
                }
                CellWrite::Add { field, by } => {
                    let path = count_path(field, self.client);
                    let counted = cells.get(&path).and_then(|text| text.parse::<i64>().ok());
                    let sum = counted.unwrap_or_default().saturating_add(*by);
                    change(&mut cells, path, Some(&sum.to_string()));
                }
                CellWrite::Insert { field, element } => {
                    change(&mut cells, element_paths(field, element).0, Some("true"));
                }
                CellWrite::Remove { field, element } => {
                    let (added, taken) = element_paths(field, element);
                    change(&mut cells, added, None);
                    // Written anew each time: if an item comes late, the removal of a cell alone is not
                    // noticed.
                    cells.remove(&taken);
                    change(&mut cells, taken, Some("true"));
                }
            }
        }
        for (path, json) in &changes {
            let key = cell_key(key, path);
            match json {
                Some(json) => drop(self.put(items, &cells_root, &key, json)?),
                None => self.remove(items, &cells_root, &key)?,
            }
        }
        let cells = cells.iter().map(|(path, json)| (path.as_str(), &**json));
        let row = overlay(below.1, cells);
        items.put_below(root, key, (id, Value::Text(Arc::clone(base))), (below.0, &row))
    }
}

#[cfg(test)]
mod tests;

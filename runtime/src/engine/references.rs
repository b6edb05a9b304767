//! References between rows: what a local transaction must leave in order, and what merges have left
//! dangling.

use std::collections::{HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use super::indexes::IndexState;
use super::open::Engine;
use super::write_batch::{RowOp, WriteBatch};
use crate::disk::{Span, View};
use crate::error::{Error, ErrorKind, Result};
use crate::row::cut;
use crate::row::order::{SOME, encode_key_bytes};
use crate::schema::descriptor::{OnRemove, ReferenceDef, TableDef, TableIdx};

/// A reference field, by its table and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FieldIdx {
    table_idx: TableIdx,
    number: usize,
}

/// A row that refers to one that is not there.
#[derive(Debug)]
pub(crate) struct Dangling {
    pub(crate) table_idx: TableIdx,
    /// The bytes of its key.
    pub(crate) key: Vec<u8>,
    pub(crate) reference: &'static ReferenceDef,
    /// The text of the key that it refers to.
    pub(crate) missing: String,
}

impl Engine {
    fn reference(&self, field: FieldIdx) -> (&'static ReferenceDef, TableIdx) {
        let table = &self.def.tables[field.table_idx];
        (&table.references[field.number], table.targets[field.number])
    }

    /// The checked references to a table.
    fn references_to(&self, target: TableIdx) -> impl Iterator<Item = FieldIdx> + use<> {
        let tables = self.def.tables_by_idx();
        tables.flat_map(move |(table_idx, table)| {
            let numbers = 0..table.references.len();
            let kept = numbers.filter(move |&number| {
                table.targets[number] == target && table.references[number].is_checked
            });
            kept.map(move |number| FieldIdx { table_idx, number })
        })
    }

    /// Carries out what the removals of a transaction mean for the rows that refer to what is gone, and
    /// refuses the transaction if a row that it has written refers to nothing.
    pub(super) fn keep_references(&self, view: &Arc<View>, batch: &mut WriteBatch) -> Result<()> {
        if self.def.tables.iter().all(|table| table.references.is_empty()) {
            return Ok(());
        }
        let removed = self.follow_removals(view, batch)?;
        self.refuse_restricted(view, batch, &removed)?;
        self.refuse_missing(view, batch)
    }

    /// Removes and changes the rows that go with removed ones, and those that go with them in turn. Each
    /// row is removed once, so circles end. Returns all that are removed.
    fn follow_removals(
        &self,
        view: &Arc<View>,
        batch: &mut WriteBatch,
    ) -> Result<Vec<(TableIdx, Vec<u8>)>> {
        let removed = batch.tables.iter().flat_map(|(table_idx, rows)| {
            let removed = rows.iter().filter(|(_, op)| op.json.is_none());
            removed.map(|(key, _)| (*table_idx, key.to_vec()))
        });
        let mut removed: Vec<(TableIdx, Vec<u8>)> = removed.collect();
        if removed.is_empty() {
            return Ok(removed);
        }
        let mut written = Written::of(batch);
        let mut at = 0;
        while let Some((target, target_key)) = removed.get(at).cloned() {
            at += 1;
            for field in self.references_to(target) {
                let (reference, _) = self.reference(field);
                if reference.on_remove == OnRemove::Restrict {
                    continue;
                }
                for key in self.referrers(view, batch, &written, field, &target_key)? {
                    let table = &self.def.tables[field.table_idx];
                    let Some(now) = self.row_now(view, batch, field.table_idx, &key)? else {
                        continue;
                    };
                    let (json, refers_to) = if reference.on_remove == OnRemove::Cascade {
                        removed.push((field.table_idx, key.clone()));
                        (None, Vec::new())
                    } else {
                        let cleared = (table.clear_reference)(&now.json, field.number, batch.now);
                        let json = cleared.map_err(|error| error.at_key(key_text(table, &key)))?;
                        let refers_to = references_of(table, json.as_bytes());
                        (Some(json.into_boxed_str()), refers_to)
                    };
                    // From now on it is one that the transaction writes, and another of its fields may refer to
                    // what is removed, too.
                    if batch.row(field.table_idx, &key).is_none() {
                        written.add(field.table_idx, &key, &refers_to);
                    }
                    let is_edit = now.is_edit && json.is_some();
                    let op = RowOp::new(now.key, json, now.existed, is_edit, refers_to);
                    batch.set_row(field.table_idx, key.into(), op);
                }
            }
        }
        Ok(removed)
    }

    /// Refuses a removal while rows that restrict it refer to what is gone.
    fn refuse_restricted(
        &self,
        view: &Arc<View>,
        batch: &WriteBatch,
        removed: &[(TableIdx, Vec<u8>)],
    ) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let written = Written::of(batch);
        for (target, target_key) in removed {
            let existed = batch.row(*target, target_key).is_some_and(|op| op.existed);
            for field in self.references_to(*target).filter(|_| existed) {
                let referrers = self.referrers(view, batch, &written, field, target_key)?;
                let Some(key) = referrers.first() else { continue };
                let (reference, _) = self.reference(field);
                let (table, from) = (&self.def.tables[*target], &self.def.tables[field.table_idx]);
                let help = format!(
                    "nothing was changed; remove or change the rows of `{}` that refer to it first, \
                     also in the same transaction, or say what becomes of them: \
                     `#[reference(on_remove = \"cascade\")]` or, for an `Option`, `\"set_null\"`",
                    from.name
                );
                let error = Error::new(
                    ErrorKind::StillReferenced,
                    "the row cannot be removed: another refers to it",
                );
                return Err(error
                    .at_table(table.name)
                    .at_key(key_text(table, target_key))
                    .expecting("no row that refers to it")
                    .finding(format!(
                        "field `{}` of row `{}` in table `{}`",
                        reference.field,
                        key_text(from, key),
                        from.name
                    ))
                    .help(help));
            }
        }
        Ok(())
    }

    /// Refuses rows that refer to what does not exist, unless they did so before.
    fn refuse_missing(&self, view: &Arc<View>, batch: &WriteBatch) -> Result<()> {
        let mut known: HashMap<(TableIdx, &[u8]), bool> = HashMap::new();
        for (table_idx, rows) in &batch.tables {
            let table = &self.def.tables[*table_idx];
            for (key, op) in rows {
                for (number, target_key) in &op.refers_to {
                    let field = FieldIdx { table_idx: *table_idx, number: *number };
                    let (reference, target) = self.reference(field);
                    if !reference.is_checked {
                        continue;
                    }
                    let exists = match known.get(&(target, target_key.as_slice())) {
                        Some(exists) => *exists,
                        None => {
                            let exists = self.exists_now(view, batch, target, target_key)?;
                            known.insert((target, target_key), exists);
                            exists
                        }
                    };
                    // A reference that a merge has left dangling may stay so while the rest of the
                    // row changes.
                    if exists
                        || (op.existed && refers_already(view, field, table, key, target_key)?)
                    {
                        continue;
                    }
                    let target = &self.def.tables[target];
                    let missing = key_text(target, target_key);
                    let error = Error::new(
                        ErrorKind::DanglingReference,
                        "the row refers to one that does not exist",
                    );
                    return Err(error
                        .at_table(table.name)
                        .at_key(&*op.key)
                        .at_field(reference.field)
                        .expecting(format!("the key of a row of table `{}`", target.name))
                        .finding(format!("`{missing}`"))
                        .help(
                            "nothing was changed; insert that row in the same transaction or before, \
                             or put `#[reference(unchecked)]` on the field",
                        ));
                }
            }
        }
        Ok(())
    }

    /// A row as the transaction leaves it.
    fn row_now(
        &self,
        view: &View,
        batch: &WriteBatch,
        table_idx: TableIdx,
        key: &[u8],
    ) -> Result<Option<RowNow>> {
        if let Some(op) = batch.row(table_idx, key) {
            let now = op.json.as_ref().map(|json| RowNow {
                json: json.to_string(),
                key: op.key.to_string(),
                existed: op.existed,
                is_edit: op.is_edit,
            });
            return Ok(now);
        }
        let stored = view.row(table_idx, key)?;
        let json = stored.and_then(|row| String::from_utf8(row.json().to_vec()).ok());
        let key = key_text(&self.def.tables[table_idx], key);
        Ok(json.map(|json| RowNow { json, key, existed: true, is_edit: true }))
    }

    fn exists_now(
        &self,
        view: &View,
        batch: &WriteBatch,
        table_idx: TableIdx,
        key: &[u8],
    ) -> Result<bool> {
        match batch.row(table_idx, key) {
            Some(op) => Ok(op.json.is_some()),
            None => Ok(view.row(table_idx, key)?.is_some()),
        }
    }

    /// The keys of the rows that refer to a key, as the transaction leaves them.
    fn referrers(
        &self,
        view: &Arc<View>,
        batch: &WriteBatch,
        written: &Written,
        field: FieldIdx,
        target_key: &[u8],
    ) -> Result<Vec<Vec<u8>>> {
        let mut keys = self.stored_referrers(view, field, target_key)?;
        let is_written = |key: &Vec<u8>| batch.row(field.table_idx, key).is_some();
        keys.retain(|key| !is_written(key));
        for key in written.referrers(field, target_key) {
            let now = batch.row(field.table_idx, key);
            let refers = now.is_some_and(|op| {
                op.refers_to
                    .iter()
                    .any(|(number, to)| (*number, to.as_slice()) == (field.number, target_key))
            });
            if refers {
                keys.push(key.clone());
            }
        }
        Ok(keys)
    }

    /// The same of the stored rows: from the keys if the field leads them, else from the index of the
    /// field, or if there is none, from all rows.
    fn stored_referrers(
        &self,
        view: &Arc<View>,
        field: FieldIdx,
        target_key: &[u8],
    ) -> Result<Vec<Vec<u8>>> {
        let FieldIdx { table_idx, number } = field;
        let (table, (reference, target)) = (&self.def.tables[table_idx], self.reference(field));
        let mut keys = Vec::new();
        if table.key_names().next() == Some(reference.field) {
            let span = leading_key(table, &self.def.tables[target], target_key);
            let (from, to) = span.bounds();
            let mut rows = view.rows_in(table_idx, from, to)?;
            while let Some(key) = rows.next_with(|key, _| Some(key.to_vec())) {
                keys.extend(key?);
            }
            return Ok(keys);
        }
        let states = self.index_states(view, table_idx);
        let usable =
            |index: &usize| states.get(*index).is_some_and(|state| *state != IndexState::Building);
        let Some(index) = reference.index.filter(usable) else {
            let mut rows = view.rows(table_idx)?;
            while let Some(row) = rows.next_with(|key, row| {
                let refers = refers_to(table, row.json(), number, target_key);
                refers.then(|| key.to_vec())
            }) {
                keys.extend(row?);
            }
            return Ok(keys);
        };
        let mut value = Vec::new();
        if reference.is_optional {
            value.push(SOME);
        }
        encode_key_bytes(self.def.tables[target].key, target_key, &mut value);
        let is_exact = cut(&value).is_none() && states[index] == IndexState::Complete;
        let value = cut(&value).unwrap_or(value);
        let mut entries = view.index(table_idx, index, &Span::starting_with(value))?;
        while let Some(entry) = entries.next(false) {
            let key = entry?.key().to_vec();
            if is_exact || {
                let row = view.row(table_idx, &key)?;
                row.is_some_and(|row| refers_to(table, row.json(), number, target_key))
            } {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// The rows of a view that refer to what is not there. Reads all rows of the tables that refer to
    /// others.
    pub(crate) fn dangling(&self, view: &Arc<View>) -> Result<Vec<Dangling>> {
        let mut dangling = Vec::new();
        for (table_idx, table) in self.def.tables_by_idx() {
            if table.references.is_empty() {
                continue;
            }
            let mut known: HashSet<(usize, Vec<u8>)> = HashSet::new();
            let mut rows = view.rows(table_idx)?;
            while let Some(row) =
                rows.next_with(|key, row| (key.to_vec(), references_of(table, row.json())))
            {
                let (key, references) = row?;
                for (number, target_key) in references {
                    let of_row = (number, target_key);
                    if known.contains(&of_row) {
                        continue;
                    }
                    let target = table.targets[number];
                    if view.row(target, &of_row.1)?.is_some() {
                        known.insert(of_row);
                        continue;
                    }
                    let missing = key_text(&self.def.tables[target], &of_row.1);
                    let (key, reference) = (key.clone(), &table.references[number]);
                    dangling.push(Dangling { table_idx, key, reference, missing });
                }
            }
        }
        Ok(dangling)
    }
}

/// A row as a transaction leaves it.
struct RowNow {
    json: String,
    /// The text of its key.
    key: String,
    existed: bool,
    /// Whether nothing but edits was done to it.
    is_edit: bool,
}

/// The rows of a transaction, by the rows that they refer to.
struct Written(HashMap<(FieldIdx, Vec<u8>), Vec<Vec<u8>>>);

impl Written {
    fn of(batch: &WriteBatch) -> Self {
        let mut written = Self(HashMap::new());
        for (table_idx, rows) in &batch.tables {
            for (key, op) in rows {
                written.add(*table_idx, key, &op.refers_to);
            }
        }
        written
    }

    /// Adds a row that is not among them.
    fn add(&mut self, table_idx: TableIdx, key: &[u8], refers_to: &[(usize, Vec<u8>)]) {
        for (number, target_key) in refers_to {
            let field = FieldIdx { table_idx, number: *number };
            self.0.entry((field, target_key.clone())).or_default().push(key.to_vec());
        }
    }

    fn referrers(&self, field: FieldIdx, target_key: &[u8]) -> &[Vec<u8>] {
        self.0.get(&(field, target_key.to_vec())).map_or(&[], Vec::as_slice)
    }
}

/// The keys of the rows whose key begins with a reference to a row.
fn leading_key(table: &TableDef, target: &TableDef, target_key: &[u8]) -> Span {
    if table.key.len() == 1 {
        let key = Bound::Included(target_key.to_vec());
        return Span { from: key.clone(), to: key };
    }
    let mut prefix = Vec::new();
    encode_key_bytes(target.key, target_key, &mut prefix);
    Span::starting_with(prefix)
}

fn references_of(table: &TableDef, json: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut references = Vec::new();
    (table.references_of)(json, &mut |number, key| references.push((number, key.to_vec())));
    references
}

fn refers_to(table: &TableDef, json: &[u8], number: usize, target_key: &[u8]) -> bool {
    let mut refers = false;
    (table.references_of)(json, &mut |of, key| refers |= (of, key) == (number, target_key));
    refers
}

/// Whether a stored row refers to a key already.
fn refers_already(
    view: &View,
    field: FieldIdx,
    table: &TableDef,
    key: &[u8],
    target_key: &[u8],
) -> Result<bool> {
    let stored = view.row(field.table_idx, key)?;
    Ok(stored.is_some_and(|row| refers_to(table, row.json(), field.number, target_key)))
}

fn key_text(table: &TableDef, key: &[u8]) -> String {
    (table.key_text)(key).unwrap_or_else(|| format!("{key:?}"))
}

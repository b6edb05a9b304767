//! The rows and entries of a changed document on their way into the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::ReadableTable;

use super::{EntryChange, Own, StagedDocument, StagedEntry};
use crate::disk::document::{read_id, write_id};
use crate::disk::failure::{Failure, Try, guarded};
use crate::disk::keys;
use crate::disk::row_writer::RowWriter;
use crate::disk::rows::{RowValue, encode_row};
use crate::disk::seal::unseal;
use crate::doc::cells::{row_of, row_with};
use crate::doc::items::{Cell, ReadItems, Value};
use crate::doc::{Entry, holds_marks};
use crate::error::Result;
use crate::row::{Content, EntryRef, ItemId};

/// A root, the bytes of a key and its text, and what is staged there.
type Staged = (Arc<str>, Option<Vec<u8>>, Arc<str>, Option<StagedEntry>);

impl StagedDocument<'_> {
    /// The greatest key among the rows of a table that are written at once.
    pub(crate) fn greatest_row(&mut self, root: &str) -> Result<Option<Vec<u8>>> {
        guarded(|| match &mut self.rows {
            Some(rows) => rows.greatest(root),
            None => Ok(None),
        })
    }

    /// Whether there is a row under a key, among those that are written at once.
    pub(crate) fn has_row(&mut self, root: &str, key: &[u8]) -> Result<bool> {
        guarded(|| match &mut self.rows {
            Some(rows) => rows.contains(root, key),
            None => Ok(false),
        })
    }

    /// Has readers see a late edit under a key of a table that has no row there, among those that are
    /// written at once.
    pub(crate) fn show_where_nothing_is(
        &mut self,
        at: &EntryRef,
        id: ItemId,
        json: &str,
    ) -> Result<()> {
        guarded(|| {
            let info = self.root(&at.root)?;
            let (Some(bytes), Some(rows)) =
                (info.form.as_ref().and_then(|form| form.bytes_of(&at.key)), &mut self.rows)
            else {
                return Ok(());
            };
            if rows.contains(&at.root, &bytes)? {
                return Ok(());
            }
            let mut row = Vec::new();
            encode_row(&mut row, &bytes, id, RowValue::Late(json));
            rows.row(&at.root, &bytes, Some(&row))?;
            let under = keys::of_entry(keys::UNDER, info.number, &keys::pack(&at.root, &at.key));
            self.insert(&under, &[])
        })
    }

    /// Has readers see nothing under a key any more if they saw a late edit alone, which its removal
    /// says nothing of to the document: of a change that is written at once.
    pub(crate) fn hide_late(&mut self, root: &str, key: &str) -> Result<()> {
        guarded(|| {
            if !self.base.edge(root)?.has_late {
                return Ok(());
            }
            let is_late = self.base.stored(root, key)?.is_some_and(|row| row.is_late());
            if !is_late || self.base.value(root, key).map_err(Failure)?.is_some() {
                return Ok(());
            }
            let info = self.root(root)?;
            self.remove(&keys::of_entry(keys::UNDER, info.number, &keys::pack(root, key)))?;
            let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
            match (&mut self.rows, bytes) {
                (Some(rows), Some(bytes)) => {
                    // The row comes after others that have greater keys.
                    rows.flush()?;
                    rows.row(root, &bytes, None)?;
                    rows.flush()
                }
                (Some(rows), None) => rows.text(root, key, None),
                (None, _) => Ok(()),
            }
        })
    }

    /// Writes a row with its cells over it: its base is kept beside.
    pub(super) fn write_below(
        &mut self,
        root: &str,
        key: &str,
        (id, value): (ItemId, &Value),
        (shown, json): (ItemId, &str),
    ) -> Try<()> {
        let info = self.root(root)?;
        let packed = keys::pack(root, key);
        let under = keys::of_entry(keys::UNDER, info.number, &packed);
        if self.base.edge(root)?.has_removed {
            self.remove(&keys::of_entry(keys::REMOVED, info.number, &packed))?;
        }
        let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
        let mut buffer = Vec::new();
        let is_kept = self.base.under(root, key)?.flatten().is_some_and(|(known, _)| known == id);
        if !is_kept {
            encode_row(&mut buffer, &under, id, value_of(value));
            self.insert(&under, &buffer)?;
        }
        encode_row(
            &mut buffer,
            bytes.as_deref().unwrap_or(key.as_bytes()),
            shown,
            RowValue::Late(json),
        );
        match (&mut self.rows, &bytes) {
            (Some(rows), Some(bytes)) => rows.row(root, bytes, Some(&buffer)),
            (Some(rows), None) => rows.text(root, key, Some(&buffer)),
            (None, _) => Ok(()),
        }
    }

    /// The cells of the rows that are written anew, or whose cells are.
    fn cells_by_row(&self) -> Result<BTreeMap<EntryRef, Vec<Cell>>> {
        let mut rows: BTreeSet<EntryRef> = BTreeSet::new();
        for (root, keys) in &self.cell_keys {
            let of_root = keys.iter().filter_map(|key| row_of(root, key));
            rows.extend(of_root.map(|(table, row, _)| EntryRef::new(table, row)));
        }
        for (root, entries) in &self.entries {
            if self.has_cells(root)? {
                rows.extend(entries.keys().map(|key| EntryRef::new(&**root, &**key)));
            }
        }
        for at in self.late.keys().chain(&self.reviewed) {
            if self.has_cells(&at.root)? {
                rows.insert(at.clone());
            }
        }
        let with_cells = rows.into_iter().map(|at| {
            let cells = self.cells(&at.root, &at.key)?;
            Ok((at, cells))
        });
        with_cells.collect()
    }

    /// Writes what was staged by key; rows in the order of their bytes, which redb writes fastest.
    pub(super) fn write_entries(&mut self) -> Result<Vec<EntryChange>> {
        let cells_by_row = self.cells_by_row()?;
        let mut sorted: Vec<Staged> = Vec::new();
        for (root, entries) in std::mem::take(&mut self.entries) {
            let info = guarded(|| self.root(&root))?;
            let bytes_of = |key: &str| info.form.as_ref().and_then(|form| form.bytes_of(key));
            sorted.reserve(entries.len());
            let entries = entries.into_iter();
            sorted.extend(
                entries.map(|(key, entry)| (Arc::clone(&root), bytes_of(&key), key, Some(entry))),
            );
        }
        let is_staged = |at: &EntryRef| {
            sorted
                .iter()
                .any(|(root, _, key, _)| (&**root, &**key) == (at.root.as_str(), at.key.as_str()))
        };
        let others: BTreeSet<&EntryRef> =
            self.late.keys().chain(&self.reviewed).chain(cells_by_row.keys()).collect();
        let others: Vec<_> = if others.is_empty() {
            Vec::new()
        } else if sorted.len() < 64 {
            others.into_iter().filter(|at| !is_staged(at)).cloned().collect()
        } else {
            let known: BTreeSet<(&str, &str)> =
                sorted.iter().map(|(root, _, key, _)| (&**root, &**key)).collect();
            let is_new = |at: &&EntryRef| !known.contains(&(at.root.as_str(), at.key.as_str()));
            others.into_iter().filter(is_new).cloned().collect()
        };
        for at in others {
            let info = guarded(|| self.root(&at.root))?;
            let bytes = info.form.as_ref().and_then(|form| form.bytes_of(&at.key));
            sorted.push((at.root.into(), bytes, at.key.into(), None));
        }
        let mut changes = Vec::with_capacity(sorted.len());
        let mut writer = RowWriter::new(self.commit, self.base.name());
        sorted.sort_unstable_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
        let mut buffer = Vec::new();
        for (root, bytes, key, entry) in sorted {
            let cells = if cells_by_row.is_empty() {
                &[]
            } else {
                cells_by_row.get(&EntryRef::new(&*root, &*key)).map_or(&[][..], Vec::as_slice)
            };
            let at = (root, bytes, key);
            let change = guarded(|| self.write_entry(&mut writer, &mut buffer, at, entry, cells))?;
            changes.push(change);
        }
        guarded(|| writer.flush())?;
        self.added_to_known.greatest = writer.greatest;
        Ok(changes)
    }

    pub(super) fn write_entry(
        &mut self,
        writer: &mut RowWriter<'_>,
        buffer: &mut Vec<u8>,
        (root, bytes, key): (Arc<str>, Option<Vec<u8>>, Arc<str>),
        entry: Option<StagedEntry>,
        cells: &[Cell],
    ) -> Try<EntryChange> {
        let number = self.root(&root)?.number;
        let packed = keys::pack(&root, &key);
        let (under, removed_at) = (
            keys::of_entry(keys::UNDER, number, &packed),
            keys::of_entry(keys::REMOVED, number, &packed),
        );
        let stored = self.base.stored(&root, &key)?;
        let (was, was_late) = match &stored {
            Some(row) => (Some(row.id()), row.is_late()),
            None => (None, false),
        };
        let is_shown_anew = entry.as_ref().is_some_and(|entry| entry.is_shown_anew);
        let is_written = entry.is_some();
        let own = match entry.map(|entry| entry.own) {
            Some(Own::Live(id, value)) => Some((id, value)),
            Some(Own::Dead(id)) => {
                self.set(&removed_at, &write_id(id))?;
                None
            }
            None => self.base.value(&root, &key).map_err(Failure)?,
        };
        if is_written && own.is_some() {
            self.remove(&removed_at)?;
        }
        let at = EntryRef::new(&*root, &*key);
        let late = self.late.remove(&at);
        let row_key = bytes.as_deref().unwrap_or(key.as_bytes());
        // The text that readers see in place of the own entry: a late edit, or cells over either of
        // the two.
        let over = match (&late, &own) {
            (Some((id, json)), _) => Some((*id, row_with(json, cells))),
            (None, Some((id, Value::Text(base)))) if !cells.is_empty() => {
                Some((*id, row_with(base, cells)))
            }
            _ => None,
        };
        if was_late && over.is_none() {
            self.remove(&under)?;
        }
        let now = match (over, own) {
            (Some((id, json)), own) => {
                match own {
                    Some((own, value)) => {
                        encode_row(buffer, &under, own, value_of(&value));
                        self.insert(&under, buffer)?;
                    }
                    None => self.insert(&under, &[])?,
                }
                encode_row(buffer, row_key, id, RowValue::Late(&json));
                Some((id, Content::Text(json.into())))
            }
            (None, Some((id, value))) => {
                encode_row(buffer, row_key, id, value_of(&value));
                Some((id, Entry::from((id, value)).content))
            }
            (None, None) => None,
        };
        let row = now.as_ref().map(|_| buffer.as_slice());
        match &bytes {
            Some(bytes) => writer.row(&root, bytes, row)?,
            None if row.is_none() && was.is_none() => {}
            None => writer.text(&root, &key, row)?,
        }
        let is_same_text = || match (&stored, &now) {
            (Some(row), Some((_, now))) => row.content() == *now,
            _ => true,
        };
        let is_visible = was != now.as_ref().map(|(id, _)| *id)
            || is_shown_anew
            || (was_late || !cells.is_empty()) && !is_same_text();
        Ok(EntryChange { existed: was.is_some(), root, key, bytes, is_visible, now })
    }

    /// Writes a mark at once: it came dead, so that readers see nothing of it, and an update may bring as many
    /// of them as it has items.
    pub(super) fn write_mark(&mut self, root: &str, key: &str, id: ItemId) -> Try<()> {
        let number = self.root(root)?.number;
        self.has_new_marks = true;
        self.set(&keys::of_entry(keys::REMOVED, number, &keys::pack(root, key)), &write_id(id))
    }

    /// The item of a mark that was written at once.
    pub(super) fn new_mark(&self, root: &str, key: &str) -> Try<Option<ItemId>> {
        if !self.has_new_marks || !holds_marks(root) {
            return Ok(None);
        }
        let Some(info) = self.roots.get(root) else { return Ok(None) };
        let at = keys::of_entry(keys::REMOVED, info.number, &keys::pack(root, key));
        match self.items()?.get(at.as_slice())? {
            Some(value) => read_id(unseal(&at, value.value())?).map(Some),
            None => Ok(None),
        }
    }

    /// Writes the one change of a key in this commit: the item that stands there now, or died.
    pub(super) fn write_at_once(
        &mut self,
        root: &str,
        key: &str,
        id: ItemId,
        value: Option<RowValue<'_>>,
    ) -> Try<()> {
        let info = self.root(root)?;
        let (number, edge) = (info.number, self.base.edge(root)?);
        let bytes = info.form.as_ref().and_then(|form| form.bytes_of(key));
        if edge.has_late || edge.has_removed || value.is_none() {
            let packed = keys::pack(root, key);
            let removed = keys::of_entry(keys::REMOVED, number, &packed);
            if edge.has_late {
                self.remove(&keys::of_entry(keys::UNDER, number, &packed))?;
            }
            if value.is_none() {
                self.set(&removed, &write_id(id))?;
            } else if edge.has_removed {
                self.remove(&removed)?;
            }
        }
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let mut buffer = std::mem::take(&mut rows.buffer);
        let row = value.map(|value| {
            encode_row(&mut buffer, bytes.as_deref().unwrap_or(key.as_bytes()), id, value);
            buffer.as_slice()
        });
        match &bytes {
            Some(bytes) => rows.row(root, bytes, row)?,
            // A mark never held anything.
            None if row.is_none() && self.base.stored(root, key)?.is_none() => {}
            None => rows.text(root, key, row)?,
        }
        rows.buffer = buffer;
        Ok(())
    }
}

pub(super) fn value_of(value: &Value) -> RowValue<'_> {
    match value {
        Value::Text(json) => RowValue::Text(json),
        Value::Other { kind, bytes, json } => RowValue::Other { kind: *kind, bytes, json },
    }
}

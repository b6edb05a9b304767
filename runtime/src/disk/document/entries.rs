//! Reading the entries of a document.

use super::{StoredDocument, damaged_entry, damaged_root, read_block};
use crate::disk::failure::{Failure, Try, guarded};
use crate::disk::rows::StoredRow;
use crate::disk::seal::unseal;
use crate::disk::{FORMAT, keys, names};
use crate::doc::Entry;
use crate::doc::cells::{cell_of, cells_of, row_with};
use crate::doc::items::{Cell, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId, KeyForm, cell_key};
use std::sync::Arc;

impl StoredDocument {
    /// Returns the row or entry that readers see under a key of a root.
    pub(in crate::disk) fn stored(&self, root: &str, key: &str) -> Try<Option<StoredRow<'_>>> {
        if let Some(table) = root.strip_prefix("table:")
            && let Some(info) = self.root(root)?
            && let Some(form) = &info.form
            && let Some(bytes) = form.bytes_of(key)
        {
            let Some(rows) = self.bytes_table(&names::rows(&self.name, table))? else {
                return Ok(None);
            };
            let row = rows.get(bytes.as_slice())?;
            return Ok(row.map(|row| StoredRow::new(self.view.format(), &bytes, row)));
        }
        let Some(texts) = self.text_table(&names::texts_of_root(&self.name, root))? else {
            return Ok(None);
        };
        let row = texts.get(key)?;
        Ok(row.map(|row| StoredRow::new(self.view.format(), key.as_bytes(), row)))
    }

    /// The document's own entry under a key where readers see a late edit; `None` if they see none.
    pub(in crate::disk) fn under(
        &self,
        root: &str,
        key: &str,
    ) -> Try<Option<Option<(ItemId, Value)>>> {
        let (Some(info), Some(items)) = (self.root(root)?, self.items()?) else { return Ok(None) };
        let at = keys::of_entry(keys::UNDER, info.number, &keys::pack(root, key));
        let Some(row) = items.get(at.as_slice())? else { return Ok(None) };
        if row.value().is_empty() {
            return Ok(Some(None));
        }
        let row = StoredRow::new(FORMAT, &at, row);
        if row.is_damaged() {
            return Err(damaged_entry(root, key));
        }
        Ok(Some(Some((row.id(), row.value()))))
    }

    pub(super) fn own_of(
        &self,
        root: &str,
        key: &str,
        row: &StoredRow<'_>,
    ) -> Try<Option<(ItemId, Value)>> {
        if row.is_damaged() {
            // Beneath a damaged late edit, the document's own entry may be whole.
            return self.under(root, key)?.ok_or_else(|| damaged_entry(root, key));
        }
        if row.is_late() {
            return Ok(self.under(root, key)?.flatten());
        }
        Ok(Some((row.id(), row.value())))
    }

    /// The item of the document's own entry under a key.
    pub(super) fn own_id(&self, root: &str, key: &str) -> Try<Option<ItemId>> {
        match self.stored(root, key)? {
            Some(row) if !row.is_damaged() && !row.is_late() => Ok(Some(row.id())),
            Some(row) => Ok(self.own_of(root, key, &row)?.map(|(id, _)| id)),
            None => Ok(None),
        }
    }

    pub(super) fn own(&self, root: &str, key: &str) -> Try<Option<(ItemId, Value)>> {
        match self.stored(root, key)? {
            Some(row) => self.own_of(root, key, &row),
            None => Ok(None),
        }
    }

    /// The document's own entry under a key; of a row, with its cells.
    pub(crate) fn entry(&self, root: &str, key: &str) -> Result<Option<Entry>> {
        guarded(|| match self.stored(root, key)? {
            Some(row) => self.entry_of(root, key, &row),
            None => Ok(None),
        })
    }

    fn entry_of(&self, root: &str, key: &str, row: &StoredRow<'_>) -> Try<Option<Entry>> {
        let Some((id, value)) = self.own_of(root, key, row)? else { return Ok(None) };
        if let (Value::Text(base), true) = (&value, row.is_late()) {
            let row = row_with(base, &self.cells_over(root, key)?);
            return Ok(Some(Entry { id, content: Content::Text(row.into()) }));
        }
        Ok(Some(Entry::from((id, value))))
    }

    /// The cells of a row that stand, by their paths.
    pub(in crate::disk) fn cells_over(&self, root: &str, key: &str) -> Try<Vec<Cell>> {
        let mut cells = Vec::new();
        let Some(cells_root) = cells_of(root) else { return Ok(cells) };
        if self.root(&cells_root)?.is_none() {
            return Ok(cells);
        }
        let name = names::texts_of_root(&self.name, &cells_root);
        let Some(texts) = self.text_table(&name)? else { return Ok(cells) };
        let first = cell_key(key, "");
        for item in texts.range::<&str>(first.as_str()..)? {
            let (at, row) = item?;
            if !at.value().starts_with(&first) {
                break;
            }
            let row = StoredRow::new(self.view.format(), at.value().as_bytes(), row);
            if row.is_damaged() {
                return Err(damaged_entry(&cells_root, at.value()));
            }
            cells.extend(cell_of(key, at.value(), row.id(), &row.value()));
        }
        Ok(cells)
    }

    /// Returns the entry that readers see under a key.
    pub(crate) fn visible(&self, root: &str, key: &str) -> Result<Option<Entry>> {
        guarded(|| {
            let Some(row) = self.stored(root, key)? else { return Ok(None) };
            if row.is_damaged() {
                return Err(damaged_entry(root, key));
            }
            Ok(Some(Entry { id: row.id(), content: row.content() }))
        })
    }

    /// Describes its damage, one sentence each.
    pub(crate) fn damage(&self) -> Result<Vec<String>> {
        let mut damage = Vec::new();
        guarded(|| {
            for table in self.newest_first()? {
                for item in table.range::<&[u8]>(..)? {
                    let (key, value) = item?;
                    let (key, value) = (key.value(), value.value());
                    let checked = match key.first() {
                        Some(&keys::UNDER) => Ok(()),
                        Some(&keys::BLOCK) => read_block(key, value)
                            .and_then(|block| block.runs().try_for_each(|run| run.map(drop))),
                        _ => unseal(key, value).map(drop),
                    };
                    if let Err(Failure(error)) = checked {
                        damage.push(error.what().to_owned());
                    }
                }
            }
            Ok(())
        })?;
        if !damage.is_empty() {
            return Ok(damage);
        }
        for root in self.roots()? {
            self.pass_stored::<Error>(&root, &mut |key, row| {
                if row.is_damaged() {
                    damage.push(format!("`{key}` of `{root}`: its checksum does not match"));
                }
                Ok(())
            })?;
        }
        Ok(damage)
    }

    /// Calls `visit` with every entry of a root map that is the document's own.
    pub(crate) fn for_each<E: From<Error>>(
        &self,
        root: &str,
        mut visit: impl FnMut(&str, Entry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.pass_stored(root, &mut |key, row| {
            let own = guarded(|| self.entry_of(root, key, row))?;
            own.map_or(Ok(()), |entry| visit(key, entry))
        })
    }

    /// Calls `visit` with every row or entry that readers see under a root.
    pub(crate) fn pass_stored<E: From<Error>>(
        &self,
        root: &str,
        visit: &mut dyn FnMut(&str, &StoredRow<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let info = guarded(|| self.root(root))?;
        let form = info.as_ref().and_then(|info| info.form.as_ref());
        if let (Some(form), Some(table)) = (form, root.strip_prefix("table:")) {
            let rows = guarded(|| {
                let rows = self.bytes_table(&names::rows(&self.name, table))?;
                Ok(rows.map(|rows| rows.range::<&[u8]>(..)).transpose()?)
            })?;
            for_each_row(self.view.format(), rows, |bytes, row| {
                let key = form.text_of(bytes).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "a row is stored without a key").at_table(table)
                })?;
                visit(&key, row)
            })?;
        }
        let texts = guarded(|| {
            let texts = self.text_table(&names::texts_of_root(&self.name, root))?;
            Ok(texts.map(|texts| texts.range::<&str>(..)).transpose()?)
        })?;
        let Some(mut texts) = texts else { return Ok(()) };
        while let Some((key, row)) = guarded(|| Ok(texts.next().transpose()?))? {
            let row =
                guarded(|| Ok(StoredRow::new(self.view.format(), key.value().as_bytes(), row)))?;
            visit(key.value(), &row)?;
        }
        Ok(())
    }

    /// The names of all roots that have held something.
    pub(crate) fn roots(&self) -> Result<Vec<Arc<str>>> {
        guarded(|| {
            let mut roots: Vec<_> = self.readable_roots()?.into_iter().collect();
            roots.sort_unstable_by_key(|(_, root)| root.number);
            if roots.len() != self.root_count()? as usize {
                return Err(damaged_root());
            }
            Ok(roots.into_iter().map(|(name, _)| name).collect())
        })
    }

    /// How the keys of a table's rows are written; `None` if as texts, or where nothing was written.
    pub(crate) fn form_of(&self, root: &str) -> Result<Option<Option<KeyForm>>> {
        guarded(|| Ok(self.root(root)?.map(|info| info.form.clone())))
    }

    /// The keys under which readers see a late edit.
    pub(crate) fn late(&self) -> Result<Vec<EntryRef>> {
        guarded(|| {
            let mut late = Vec::new();
            let Some(items) = self.items()? else { return Ok(late) };
            let range = [keys::UNDER]..[keys::UNDER + 1];
            for item in items.range::<&[u8]>(range.start.as_slice()..range.end.as_slice())? {
                let (key, _) = item?;
                let (number, packed) = keys::entry_of(key.value()).ok_or_else(damaged_root)?;
                let root = self.root_name(number)?.ok_or_else(damaged_root)?;
                let key = keys::unpack(&root, packed).ok_or_else(damaged_root)?;
                late.push(EntryRef::new(&*root, key));
            }
            Ok(late)
        })
    }
}

/// Calls `visit` with the rows of a range.
fn for_each_row<E: From<Error>>(
    format: u64,
    rows: Option<redb::Range<'static, &'static [u8], &'static [u8]>>,
    mut visit: impl FnMut(&[u8], &StoredRow<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let Some(mut rows) = rows else { return Ok(()) };
    while let Some((key, row)) = guarded(|| {
        let Some(item) = rows.next() else { return Ok(None) };
        let (key, row) = item?;
        let row = StoredRow::new(format, key.value(), row);
        Ok(Some((key, row)))
    })? {
        visit(key.value(), &row)?;
    }
    Ok(())
}

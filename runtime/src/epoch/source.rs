//! The source of a migration: the rows of a document, with the parts that each stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scratch_store::{ReadStore, ScratchStore};
use crate::disk::{StoredDocument, View};
use crate::doc::items::{Cell, ReadItems};
use crate::doc::{Entry, Root};
use crate::engine::{
    Base, Copies, DocName, Frontier, LateEditKey, Loaded, Part, Parts, late_edits, unknown_copy,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId, KeyForm};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableDef, TableIdx};

/// A document that is migrated, by what is read of it.
pub(super) struct Source<'s> {
    pub(super) name: DocName,
    pub(super) def: StoreDef,
    pub(super) rows: RowsOf<'s>,
    copies: Option<(Copies<'s>, Arc<Frontier>)>,
    /// The parts of the late edits that it carries, by their items.
    late: BTreeMap<ItemId, Parts>,
}

/// The rows of a table or group, wherever they are read.
pub(super) enum RowsOf<'s> {
    /// In the file, as readers see them.
    File(Arc<View>),
    /// In the document, where the file does not have them.
    Document(&'s Loaded),
    /// One row of a table.
    One(TableIdx, Box<SourceRow>),
    /// The entries of one group: stored name, what it stands for, JSON.
    Group(GroupIdx, Vec<(String, Base, String)>),
}

/// A row where it is stored.
#[derive(Clone, Copy)]
pub(super) struct RowRef<'r> {
    /// `None` if its text does not parse as the table's key type.
    pub(super) key: Option<&'r [u8]>,
    /// `None` where the key tells.
    pub(super) text: Option<&'r str>,
    pub(super) base: &'r Base,
    pub(super) content: ContentRef<'r>,
}

/// The content of a row where it is stored.
#[derive(Clone, Copy)]
pub(super) enum ContentRef<'r> {
    Text(&'r str),
    Foreign(&'r str),
}

/// A row as it is stored.
#[derive(Clone)]
pub(super) struct SourceRow {
    /// `None` if its text does not parse as the table's key type.
    pub(super) key: Option<Vec<u8>>,
    pub(super) key_text: String,
    pub(super) base: Base,
    pub(super) content: Content,
}

impl RowRef<'_> {
    /// The text of its key.
    pub(super) fn key_text(&self, table: &TableDef) -> String {
        let of_key = |key: &[u8]| (table.key_text)(key).unwrap_or_else(|| format!("{key:?}"));
        self.text.map_or_else(|| self.key.map(of_key).unwrap_or_default(), str::to_owned)
    }
}

impl<'r> ContentRef<'r> {
    pub(super) fn of(content: &'r Content) -> Self {
        match content {
            Content::Text(json) => Self::Text(json),
            Content::Foreign(json) => Self::Foreign(json),
        }
    }

    pub(super) fn to_owned(self) -> Content {
        match self {
            Self::Text(json) => Content::Text(json.into()),
            Self::Foreign(json) => Content::Foreign(json.to_owned()),
        }
    }

    pub(super) fn json(self) -> &'r str {
        match self {
            Self::Text(json) | Self::Foreign(json) => json,
        }
    }
}

impl SourceRow {
    pub(super) fn by_ref(&self) -> RowRef<'_> {
        RowRef {
            key: self.key.as_deref(),
            text: Some(&self.key_text),
            base: &self.base,
            content: ContentRef::of(&self.content),
        }
    }
}

impl<'s> Source<'s> {
    /// A document whose rows are these.
    pub(super) fn of_document(copies: Copies<'s>, def: StoreDef, rows: RowsOf<'s>) -> Result<Self> {
        let mut late = BTreeMap::new();
        match &rows {
            RowsOf::Document(loaded) => {
                late.extend(loaded.late_edits.iter().map(|(key, stored)| (stored.id, key.parts)));
            }
            RowsOf::File(view) => {
                let document = copies.name.to_string();
                for (text, id, _) in view.bookkeeping(&document, &Root::Forwarded.name())? {
                    match LateEditKey::parse(&text) {
                        Some(key) => late.insert(id, key.parts),
                        // Of format 1: it is not known what it stands for.
                        None => late.insert(id, unknown_copy(copies.name, id)),
                    };
                }
            }
            RowsOf::One(..) | RowsOf::Group(..) => {}
        }
        let frontier = copies.engine.frontier(copies.name)?;
        Ok(Self { name: copies.name, def, rows, copies: Some((copies, frontier)), late })
    }

    /// A single row, or the entries of a group, of a document.
    pub(super) fn alone(name: DocName, def: StoreDef, rows: RowsOf<'s>) -> Self {
        Self { name, def, rows, copies: None, late: BTreeMap::new() }
    }
}

impl Source<'_> {
    /// The same, for a `migrate` function to read.
    pub(super) fn into_read_store(self, is_large: bool) -> Result<ReadStore> {
        let source = match self.rows {
            RowsOf::File(view) => return Ok(ReadStore::File(view, self.def)),
            rows => Self { rows, ..self },
        };
        let scratch = ScratchStore::new(source.def, is_large)?;
        for table_idx in source.def.table_idxs() {
            source.for_each_row(table_idx, &mut |row| match (row.key, row.content) {
                (Some(key), ContentRef::Text(json)) => scratch.put(table_idx, key, row.base, json),
                _ => Ok(()),
            })?;
        }
        for (group_idx, group) in source.def.groups_by_idx() {
            for (name, base, content) in source.entries(group.name)? {
                if let Content::Text(json) = content {
                    scratch.set_entry(group_idx, &name, &base, &json)?;
                }
            }
        }
        Ok(ReadStore::ScratchStore(Box::new(scratch)))
    }

    /// Returns the parts that an item stands for, with cells over it.
    fn base_of(&self, id: ItemId, cells: &[Cell]) -> Base {
        let copied = || {
            let (copies, frontier) = self.copies.as_ref()?;
            let is_copy = copies.claim.is_some_and(|claim| claim.is_copy(id));
            let base = frontier.base_of(id.clock);
            let unknown = || Base::Parts(Arc::new(unknown_copy(self.name, id)));
            is_copy.then(|| base.unwrap_or_else(unknown))
        };
        let base = match self.late.get(&id) {
            Some(parts) => Base::Parts(Arc::new(parts.clone())),
            None => copied().unwrap_or(Base::Edit(self.name, id)),
        };
        if cells.is_empty() {
            return base;
        }
        let mut parts = base.parts("", "", "");
        parts.extend(cells.iter().map(|cell| Part::edit(self.name, cell.id)));
        Base::Parts(Arc::new(parts))
    }

    pub(super) fn len(&self, table_idx: TableIdx) -> Result<u64> {
        match &self.rows {
            RowsOf::File(view) => view.len(table_idx),
            RowsOf::Document(loaded) => {
                let mut len = 0;
                let root = Root::Table(self.def.tables[table_idx].name.to_owned()).name();
                self.each_of(loaded, &root, |_, _| {
                    len += 1;
                    Ok(())
                })?;
                Ok(len)
            }
            RowsOf::One(of, _) => Ok(u64::from(*of == table_idx)),
            RowsOf::Group(..) => Ok(0),
        }
    }

    /// Calls `visit` with every row of a table, in the order of the file where it is read of that.
    pub(super) fn for_each_row(
        &self,
        table_idx: TableIdx,
        visit: &mut dyn FnMut(RowRef<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = &self.def.tables[table_idx];
        let view = match &self.rows {
            RowsOf::Document(loaded) => {
                let root = Root::Table(table.name.to_owned()).name();
                return self.each_of(loaded, &root, |key, entry| {
                    let base = self.base_of(entry.id, &loaded.document.cells(&root, key));
                    visit(RowRef {
                        key: (table.read_key)(key).as_deref(),
                        text: Some(key),
                        base: &base,
                        content: ContentRef::of(&entry.content),
                    })
                });
            }
            RowsOf::File(view) => view,
            RowsOf::One(of, row) if *of == table_idx => return visit(row.by_ref()),
            RowsOf::One(..) | RowsOf::Group(..) => return Ok(()),
        };
        let root = Root::Table(table.name.to_owned()).name();
        let document = StoredDocument::new(view.clone(), view.document_name());
        let cells_of = |key: &[u8]| match KeyForm::of(table).text_of(key) {
            Some(key) => document.cells(&root, &key),
            None => Ok(Vec::new()),
        };
        let mut rows = view.rows(table_idx)?;
        while let Some(visited) = rows.next_with(|key, row| {
            if row.is_damaged() {
                return Err(damaged_row(table, key));
            }
            let json = String::from_utf8_lossy(row.json());
            let content = match row.is_foreign() {
                false => ContentRef::Text(&json),
                true => ContentRef::Foreign(&json),
            };
            let cells = if row.is_late() { cells_of(key)? } else { Vec::new() };
            let base = &self.base_of(row.id(), &cells);
            visit(RowRef { key: Some(key), text: None, base, content })
        }) {
            visited??;
        }
        for (key_text, id, content) in view.stray_entries(table_idx)? {
            let base = self.base_of(id, &[]);
            visit(SourceRow { key: None, key_text, base, content }.by_ref())?;
        }
        Ok(())
    }

    /// Calls `visit` with everything that readers see under a root of a document.
    fn each_of(
        &self,
        loaded: &Loaded,
        root: &str,
        visit: impl FnMut(&str, Entry) -> Result<()>,
    ) -> Result<()> {
        let Some((copies, _)) = &self.copies else { return Ok(()) };
        late_edits::for_each(&loaded.document, &loaded.late_edits, *copies, root, visit)
    }

    /// The entries of a kv group: stored name, what it stands for, content.
    pub(super) fn entries(&self, group: &str) -> Result<Vec<(String, Base, Content)>> {
        match &self.rows {
            RowsOf::File(view) => {
                let entries = view.whole_entries(view.document_name(), group)?;
                let entries = entries.into_iter();
                Ok(entries
                    .map(|(name, id, content)| (name, self.base_of(id, &[]), content))
                    .collect())
            }
            RowsOf::Document(loaded) => {
                let mut entries = Vec::new();
                let root = Root::Group(group.to_owned()).name();
                self.each_of(loaded, &root, |name, entry| {
                    entries.push((name.to_owned(), self.base_of(entry.id, &[]), entry.content));
                    Ok(())
                })?;
                Ok(entries)
            }
            RowsOf::One(..) => Ok(Vec::new()),
            RowsOf::Group(group_idx, entries) => {
                let is_meant = self.def.groups[*group_idx].name == group;
                let entries = entries.iter().filter(|_| is_meant).cloned();
                Ok(entries
                    .map(|(name, base, json)| (name, base, Content::Text(json.into())))
                    .collect())
            }
        }
    }
}

/// A damaged row would be missing from what is made of the document, on every device: there it might be
/// whole.
#[cold]
fn damaged_row(table: &TableDef, key: &[u8]) -> Error {
    let error = Error::new(ErrorKind::Corrupt, "the row is damaged: its checksum does not match")
        .at_table(table.name)
        .help(
            "nothing was changed; replace, repair or remove the row with the code of its epoch, \
             or restore a backup",
        );
    match KeyForm::of(table).text_of(key) {
        Some(key) => error.at_key(key),
        None => error,
    }
}

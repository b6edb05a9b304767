//! What a migration reads: the rows of a document, with the document that each stands in unchanged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::incorporate::{Incorporated, knows};
use super::scratch_store::{ReadStore, ScratchStore};
use crate::disk::{StoredDocument, View};
use crate::doc::Root;
use crate::doc::items::ReadItems;
use crate::engine::{Claim, CopySource, DocName, LateEdit, LateEditKey, Loaded, late_edits};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId, KeyForm};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableDef, TableIdx};
use crate::schema::step::Entries;

/// A document that is migrated, by what is read of it.
pub(super) struct Source<'s> {
    pub(super) name: DocName,
    pub(super) claim: Option<&'s Claim>,
    pub(super) def: StoreDef,
    pub(super) rows: RowsOf<'s>,
    /// The late edits that it carries, and where they are from.
    pub(super) shown: BTreeMap<ItemId, CopySource>,
}

/// Where its rows are.
pub(super) enum RowsOf<'s> {
    /// In the file, as readers see them.
    File(Arc<View>),
    /// In the document, where the file does not have them.
    Document(&'s Loaded),
    /// One row of a table.
    One(TableIdx, Box<SourceRow>),
    /// The entries of one group.
    Group(GroupIdx, Entries),
}

/// A row where it is stored.
#[derive(Clone, Copy)]
pub(super) struct RowRef<'r> {
    /// `None` if its text does not parse as the table's key type.
    pub(super) key: Option<&'r [u8]>,
    /// `None` where the key tells.
    pub(super) text: Option<&'r str>,
    pub(super) source: CopySource,
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
    pub(super) source: CopySource,
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
            source: self.source,
            content: ContentRef::of(&self.content),
        }
    }
}

impl<'s> Source<'s> {
    /// A document whose rows are these.
    pub(super) fn new(
        name: DocName,
        claim: Option<&'s Claim>,
        def: StoreDef,
        rows: RowsOf<'s>,
        complete: &Incorporated,
    ) -> Result<Self> {
        let mut shown = BTreeMap::new();
        // If a document is not known whole, what is carried from it may be out of date.
        let mut add = |id: ItemId, key: LateEditKey, edit: &LateEdit| {
            let is_known = knows(complete, key.source, &edit.items) && !edit.made;
            let kind = if is_known { CopySource::Document } else { CopySource::LateEdit };
            shown.insert(id, kind(key.source));
        };
        match &rows {
            RowsOf::Document(loaded) => {
                let late_edits = loaded.late_edits.iter();
                late_edits.for_each(|(key, stored)| add(stored.id, key, &stored.edit));
            }
            RowsOf::File(view) => {
                let late = view.bookkeeping(&name.to_string(), &Root::Forwarded.name())?;
                for (text, id, content) in late {
                    if let (Some(key), Some(edit)) =
                        (LateEditKey::parse(&text), LateEdit::read(&content))
                    {
                        add(id, key, &edit);
                    }
                }
            }
            RowsOf::One(..) | RowsOf::Group(..) => {}
        }
        Ok(Self { name, claim, def, rows, shown })
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
                (Some(key), ContentRef::Text(json)) => {
                    scratch.put(table_idx, key, row.source, json)
                }
                _ => Ok(()),
            })?;
        }
        for (group_idx, group) in source.def.groups_by_idx() {
            for (name, copied, content) in source.entries(group.name)? {
                if let Content::Text(json) = content {
                    scratch.set_entry(group_idx, &name, copied, &json)?;
                }
            }
        }
        Ok(ReadStore::ScratchStore(Box::new(scratch)))
    }

    /// Where a copy of an item comes from: an edit stands in this document.
    fn copy_source(&self, id: ItemId) -> CopySource {
        let copied = || self.claim.and_then(|claim| claim.copy_source(id));
        let shown = self.shown.get(&id).copied();
        shown.or_else(copied).unwrap_or(CopySource::Document(self.name))
    }

    /// Where a copy of a row comes from: one with cells of its own is an edit of this document.
    fn source_of_row(&self, id: ItemId, has_cells: bool) -> CopySource {
        match self.copy_source(id) {
            source if !has_cells => source,
            CopySource::Document(name) if self.shown.contains_key(&id) => {
                CopySource::LateEdit(name)
            }
            CopySource::LateEdit(name) => CopySource::LateEdit(name),
            CopySource::Made | CopySource::Document(_) => CopySource::Document(self.name),
        }
    }

    pub(super) fn len(&self, table_idx: TableIdx) -> Result<u64> {
        match &self.rows {
            RowsOf::File(view) => view.len(table_idx),
            RowsOf::Document(loaded) => {
                let mut len = 0;
                let root = Root::Table(self.def.tables[table_idx].name.to_owned()).name();
                late_edits::for_each(
                    &loaded.document,
                    &loaded.late_edits,
                    self.claim,
                    &root,
                    |_, _| {
                        len += 1;
                        Ok::<(), crate::Error>(())
                    },
                )?;
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
                let claim = self.claim;
                return late_edits::for_each(
                    &loaded.document,
                    &loaded.late_edits,
                    claim,
                    &root,
                    |key, entry| {
                        visit(RowRef {
                            key: (table.read_key)(key).as_deref(),
                            text: Some(key),
                            source: self.source_of_row(
                                entry.id,
                                !loaded.document.cells(&root, key).is_empty(),
                            ),
                            content: ContentRef::of(&entry.content),
                        })
                    },
                );
            }
            RowsOf::File(view) => view,
            RowsOf::One(of, row) if *of == table_idx => return visit(row.by_ref()),
            RowsOf::One(..) | RowsOf::Group(..) => return Ok(()),
        };
        let root = Root::Table(table.name.to_owned()).name();
        let document = StoredDocument::new(view.clone(), view.document_name());
        let has_cells = |key: &[u8]| match KeyForm::of(table).text_of(key) {
            Some(key) => Ok::<_, Error>(!document.cells(&root, &key)?.is_empty()),
            None => Ok(false),
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
            visit(RowRef {
                key: Some(key),
                text: None,
                source: self.source_of_row(row.id(), row.is_late() && has_cells(key)?),
                content,
            })
        }) {
            visited??;
        }
        for (key_text, id, content) in view.stray_entries(table_idx)? {
            let source = self.copy_source(id);
            visit(SourceRow { key: None, key_text, source, content }.by_ref())?;
        }
        Ok(())
    }

    /// The entries of a kv group: stored name, where it comes from, content.
    pub(super) fn entries(&self, group: &str) -> Result<Vec<(String, CopySource, Content)>> {
        match &self.rows {
            RowsOf::File(view) => {
                let entries = view.whole_entries(view.document_name(), group)?;
                let entries = entries.into_iter();
                Ok(entries
                    .map(|(name, id, content)| (name, self.copy_source(id), content))
                    .collect())
            }
            RowsOf::Document(loaded) => {
                entries_of(loaded, self.claim, group, |id| self.copy_source(id))
            }
            RowsOf::One(..) => Ok(Vec::new()),
            RowsOf::Group(group_idx, entries) => {
                let is_meant = self.def.groups[*group_idx].name == group;
                let entries = entries.iter().filter(|_| is_meant);
                let own = CopySource::Document(self.name);
                let text = |json: &String| Content::Text(json.as_str().into());
                Ok(entries.map(|(name, json)| (name.clone(), own, text(json))).collect())
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

fn entries_of(
    loaded: &Loaded,
    claim: Option<&Claim>,
    group: &str,
    copy_source: impl Fn(ItemId) -> CopySource,
) -> Result<Vec<(String, CopySource, Content)>> {
    let mut entries = Vec::new();
    let root = Root::Group(group.to_owned()).name();
    late_edits::for_each(&loaded.document, &loaded.late_edits, claim, &root, |name, entry| {
        entries.push((name.to_owned(), copy_source(entry.id), entry.content));
        Ok::<(), crate::Error>(())
    })?;
    Ok(entries)
}

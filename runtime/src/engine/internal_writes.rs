//! Writes to a document that are not a transaction of the app's, and what a change of it means for the
//! late edits that it carries.

use std::collections::BTreeSet;

use super::document::Loaded;
use super::late_edits::{Copies, LateEdits, Showing, StoredEdit};
use super::part::Part;
use crate::disk::StagedDocument;
use crate::doc::cells::row_of;
use crate::doc::items::ReadItems;
use crate::doc::{ChangedKeys, Entry, EntryOp, EntryWrite, Root, write};
use crate::error::Result;
use crate::row::{CellWrite, EntryRef};

/// The content that is to stand under a key of a root map.
#[derive(Debug, Clone)]
pub(crate) struct RootOp {
    root: Root,
    key: String,
    /// The JSON text; `None` removes.
    value: Option<String>,
    /// The fields of a row that are written, if it stands.
    cells: Vec<CellWrite>,
}

/// The content of a mark, which says nothing: the mark is there.
pub(crate) const MARK: &str = "1";

impl RootOp {
    /// Says that a part was decided on.
    pub(crate) fn mark(part: &Part) -> Self {
        Self::put(Root::Seen, part.to_text(), MARK.to_owned())
    }

    pub(crate) fn put(root: Root, key: String, json: String) -> Self {
        Self { root, key, value: Some(json), cells: Vec::new() }
    }

    pub(crate) fn remove(root: Root, key: String) -> Self {
        Self { root, key, value: None, cells: Vec::new() }
    }

    /// Writes fields of a row, or the row whole if it does not stand.
    pub(crate) fn edit(root: Root, key: String, cells: Vec<CellWrite>, row: String) -> Self {
        Self { root, key, value: Some(row), cells }
    }

    fn write(&self) -> EntryWrite<'_> {
        match &self.value {
            Some(row) if !self.cells.is_empty() => {
                EntryWrite::Edit { cells: &self.cells, row, late: None }
            }
            value => EntryWrite::of(value.as_deref()),
        }
    }
}

/// Writes entries to a document inside a commit, and adds the keys to those that have changed.
pub(crate) fn write_ops(
    document: &mut StagedDocument<'_>,
    client: u64,
    ops: &[RootOp],
    changed: &mut ChangedKeys,
) -> Result<()> {
    let roots: Vec<String> = ops.iter().map(|op| op.root.name()).collect();
    let entries =
        ops.iter().zip(&roots).map(|(op, root)| EntryOp { root, key: &op.key, write: op.write() });
    write(document, client, entries)?;
    for (RootOp { key, .. }, root) in ops.iter().zip(&roots) {
        changed.entry(root.as_str().into()).or_default().insert(key.as_str().into());
    }
    Ok(())
}

impl Loaded {
    /// Plans to write entries to a document, without a commit.
    pub(crate) fn plan(&mut self, client: u64, ops: &[RootOp], copies: Copies<'_>) -> Result<()> {
        let mut reviewed = BTreeSet::new();
        for RootOp { root, key, value, .. } in ops {
            self.document.plan(client, &root.name(), key, value.as_deref());
            match root {
                Root::Forwarded => {
                    let entry = self.document.entry(&root.name(), key);
                    reviewed.extend(self.late_edits.update(key, entry.as_ref()));
                }
                Root::Seen => {
                    if let Some(part) = Part::parse(key) {
                        let stored = self.document.stored();
                        reviewed.extend(copies.entries_of(&*stored, part.origin)?);
                        reviewed.extend(self.late_edits.entries_of(part.origin).cloned());
                    }
                }
                _ => {}
            }
        }
        for at in reviewed {
            let main = self.document.entry(&at.root, &at.key).map(|entry| entry.id);
            let standing = self.late_edits.standing(&self.document, copies, &at, main)?;
            let is_over = matches!(standing.shown, Showing::Nothing);
            if is_over && self.document.cells(&at.root, &at.key).is_empty() {
                self.document.plan(client, &at.root, &at.key, None);
            }
        }
        Ok(())
    }

    /// Brings what is known of late edits up to date with what has changed in the document, and adds the
    /// keys under which that may show.
    pub(crate) fn update_late_edits(
        &mut self,
        changed: &mut ChangedKeys,
        document: &StagedDocument<'_>,
        copies: Copies<'_>,
    ) -> Result<()> {
        let mut entries = BTreeSet::new();
        let root = Root::Forwarded.name();
        for key in changed.get(root.as_str()).into_iter().flatten() {
            let entry = document.value(&root, key)?.map(Entry::from);
            entries.extend(self.late_edits.update(key, entry.as_ref()));
        }
        for key in changed.get(Root::Seen.name().as_str()).into_iter().flatten() {
            if let Some(part) = Part::parse(key) {
                entries.extend(self.late_edits.entries_of(part.origin).cloned());
                entries.extend(copies.entries_of(document, part.origin)?);
            }
        }
        for at in entries {
            let keys = changed.entry(at.root.into()).or_default();
            keys.insert(at.key.into());
        }
        Ok(())
    }
}

/// The entry that something under a key shows in: a cell shows in its row.
pub(crate) fn entry_of(root: &str, key: &str) -> Option<EntryRef> {
    match (Root::parse(root), row_of(root, key)) {
        (Some(Root::Table(_) | Root::Group(_)), _) => Some(EntryRef::new(root, key)),
        (_, Some((table, row, _))) => Some(EntryRef::new(table, row)),
        _ => None,
    }
}

/// Has readers see what they are to see under the keys that have changed. Returns what is to be removed:
/// copies of which nothing is left to decide on.
pub(crate) fn show(
    late_edits: &LateEdits,
    document: &mut StagedDocument<'_>,
    copies: Copies<'_>,
    changed: &ChangedKeys,
) -> Result<Vec<RootOp>> {
    let mut over = Vec::new();
    for (root, keys) in changed {
        for at in keys.iter().filter_map(|key| entry_of(root, key)) {
            let main = document.value(&at.root, &at.key)?.map(|(id, _)| id);
            let standing = late_edits.standing(document, copies, &at, main)?;
            let late = match standing.shown {
                Showing::Late(late) => late.stored.map(StoredEdit::shown),
                Showing::Main => None,
                Showing::Nothing => {
                    if document.cells(&at.root, &at.key)?.is_empty()
                        && let Some(root) = Root::parse(&at.root)
                    {
                        over.push(RootOp::remove(root, at.key.clone()));
                    }
                    None
                }
            };
            document.show_late(at, late);
        }
    }
    Ok(over)
}

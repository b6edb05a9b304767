//! Writes to a document that are not a transaction of the app's, and what a change of it means for the
//! late edits that it carries.

use super::claim::Claim;
use super::document::Loaded;
use super::late_edits::{LateEditKey, LateEdits, are_later};
use crate::disk::StagedDocument;
use crate::doc::cells::row_of;
use crate::doc::items::ReadItems;
use crate::doc::{ChangedKeys, Entry, EntryOp, EntryWrite, Root, write};
use crate::error::Result;
use crate::row::{CellWrite, EntryRef};

/// What is to stand under a key of a root map.
#[derive(Debug, Clone)]
pub(crate) struct RootOp {
    root: Root,
    key: String,
    /// The JSON text; `None` removes.
    value: Option<String>,
    /// The fields of a row that are written, if it stands.
    cells: Vec<CellWrite>,
}

impl RootOp {
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

/// What has changed of the late edits that a document carries.
#[derive(Debug, Default)]
pub(crate) struct LateEditChanges {
    /// Those that changed, or were resolved.
    pub(crate) late_edits: Vec<LateEditKey>,
    /// Entries about them that older ones have taken the place of, to be written again: two devices had
    /// each written theirs, and the document has kept the one of the device that knew less.
    pub(crate) outrun: Vec<RootOp>,
}

/// Writes entries to a document inside a commit, and adds the keys to those that have changed.
pub(super) fn write_ops(
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

fn is_about_late_edits(root: &Root) -> bool {
    matches!(root, Root::Forwarded | Root::Settled)
}

impl Loaded {
    /// Plans to write entries to a document, without a commit.
    pub(crate) fn plan(&mut self, client: u64, ops: &[RootOp]) {
        for RootOp { root, key, value, .. } in ops {
            self.document.plan(client, &root.name(), key, value.as_deref());
            if is_about_late_edits(root) {
                let entry = self.document.entry(&root.name(), key);
                self.late_edits.update(root, key, entry.as_ref());
            }
        }
    }

    /// Brings what is known of late edits up to date with what has changed in the document, and adds
    /// the keys where they show.
    pub(crate) fn update_late_edits(
        &mut self,
        changed: &mut ChangedKeys,
        document: &StagedDocument<'_>,
    ) -> Result<LateEditChanges> {
        let mut changes = LateEditChanges::default();
        for root in [Root::Forwarded, Root::Settled] {
            for key in changed.get(root.name().as_str()).cloned().unwrap_or_default() {
                let edit_key = LateEditKey::parse(&key);
                let entry_of = |late_edits: &LateEdits| {
                    let (items, json) = late_edits.entry_of(&root, edit_key.as_ref()?)?;
                    Some((items.to_vec(), json))
                };
                let before = entry_of(&self.late_edits);
                let entry = document.value(&root.name(), &key)?.map(Entry::from);
                // A late edit shows elsewhere than where it is kept.
                if let Some(at) = self.late_edits.update(&root, &key, entry.as_ref()) {
                    let keys = changed.entry(at.root.as_str().into()).or_default();
                    keys.insert(at.key.as_str().into());
                }
                if let (Some((ours, json)), Some((theirs, _))) =
                    (before, entry_of(&self.late_edits))
                    && are_later(&ours, &theirs)
                {
                    changes.outrun.push(RootOp::put(root.clone(), key.to_string(), json));
                }
                changes.late_edits.extend(edit_key);
            }
        }
        Ok(changes)
    }
}

/// Has readers see what they are to see under the keys that have changed.
pub(crate) fn show(
    late_edits: &LateEdits,
    document: &mut StagedDocument<'_>,
    claim: Option<&Claim>,
    changed: &ChangedKeys,
) -> Result<()> {
    for (root, keys) in changed {
        for key in keys {
            // A cell shows in its row.
            let at = match (Root::parse(root), row_of(root, key)) {
                (Some(Root::Table(_) | Root::Group(_)), _) => EntryRef::new(&**root, &**key),
                (_, Some((table, row, _))) => EntryRef::new(table, row),
                _ => continue,
            };
            let main = document.value(&at.root, &at.key)?.map(|(id, _)| id);
            let showing = late_edits.showing(claim, &at, main);
            document.show_late(at, showing.map(|(_, stored)| stored.shown()));
        }
    }
    Ok(())
}

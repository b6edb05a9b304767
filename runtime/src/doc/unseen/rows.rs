//! Rows that merge by field, where edits of them met: a row whose cells a removal did not know is written
//! again, and an edit of a cell is told as one of its row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    At, Lost, LostCell, MAX_AGAIN_FOR, Outcome, OwnIds, Rewrite, UnseenEdit, Writes, is_marked,
};
use crate::doc::cells::{cells_of, row_of, row_text, row_with};
use crate::doc::items::{Cell, WriteItems};
use crate::doc::rules::{Rule, says};
use crate::doc::writing::put_after_tip;
use crate::error::Result;
use crate::row::{ItemId, cell_key, is_added_element, is_told, overlay};

/// A row with its cells as it was before updates were taken in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RowBefore {
    pub(super) base: Option<String>,
    pub(super) cells: Vec<Cell>,
}

/// The row that an entry belongs to, if it has cells or is one.
pub(super) fn row_at<W: WriteItems + ?Sized>(
    items: &W,
    root: &str,
    key: &str,
) -> Result<Option<At>> {
    if let Some((table, row, _)) = row_of(root, key) {
        return Ok(Some((Arc::from(table), Arc::from(row))));
    }
    Ok(items.has_cells(root)?.then(|| (Arc::from(root), Arc::from(key))))
}

/// The kind of row that an entry is a part of, as far as it says whether an edit of it is written
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A row or an entry: it stands for itself.
    Alone,
    /// An element of a set, of a row that stands.
    Element,
    /// Another cell of a row that stands: the row was written whole.
    Field,
    /// A cell of a row that does not stand: with it, the row is written again.
    Removed,
}

impl EntryKind {
    pub(super) fn of<W: WriteItems + ?Sized>(items: &W, root: &str, key: &str) -> Result<Self> {
        let Some((table, row, path)) = row_of(root, key) else { return Ok(Self::Alone) };
        Ok(match items.tip(&table, row)? {
            Some(tip) if tip.is_live && is_added_element(path) => Self::Element,
            Some(tip) if tip.is_live => Self::Field,
            _ => Self::Removed,
        })
    }
}

/// Writes the base of a row again that a removal took without having seen an edit of this device, of the
/// base or of a cell.
pub(super) fn revive_row<W: WriteItems + ?Sized>(
    items: &mut W,
    own: OwnIds<'_>,
    (root, key): &At,
    before: &RowBefore,
    outcome: &mut Outcome,
) -> Result<()> {
    let is_live = items.tip(root, key)?.is_some_and(|tip| tip.is_live);
    let Some(cells_root) = cells_of(root).filter(|_| !is_live && says(Rule::EditWins, true)) else {
        return Ok(());
    };
    let cells_root: Arc<str> = Arc::from(cells_root);
    let standing = items.cells(root, key)?;
    let mut is_unknown = false;
    for cell in standing.iter().filter(|cell| own.contains(cell.id.client)) {
        // Counts stay when a row is removed, with a mark.
        is_unknown |= !is_marked(items, &cells_root, cell.id)?;
    }
    // Of what the removal took, and what lost before: its own edits alone.
    let is_gone = |cell: &&Cell| !standing.iter().any(|other| other.path == cell.path);
    let mut over: BTreeMap<String, String> = before
        .cells
        .iter()
        .filter(is_gone)
        .map(|cell| (cell.path.clone(), cell.json.to_string()))
        .collect();
    let mut again_for = Vec::new();
    let mut rewritten: Vec<(At, ItemId)> = Vec::new();
    for path in items.unseen_cells(root, key)? {
        let cell: Arc<str> = Arc::from(cell_key(key, &path));
        let mut unseen = items.unseen(&cells_root, &cell)?;
        let last = unseen.edits.iter().rposition(|edit| edit.is_own && edit.json.is_some());
        let is_standing = standing.iter().any(|other| other.path == path);
        let Some(last) = last else { continue };
        is_unknown = true;
        // The cell that it lost to lies over the base that is written.
        if is_standing {
            continue;
        }
        let edit = unseen.edits.remove(last);
        again_for.push(edit.id);
        rewritten.push(((Arc::clone(&cells_root), Arc::clone(&cell)), edit.id));
        over.insert(path, edit.json.unwrap_or_default());
        items.set_unseen(&cells_root, &cell, unseen)?;
    }
    let mut unseen = items.unseen(root, key)?;
    let own_base = unseen.edits.iter().rposition(|edit| edit.is_own && edit.json.is_some());
    let base = match own_base {
        Some(at) => {
            let edit = unseen.edits.remove(at);
            again_for.extend(edit.again_for);
            again_for.push(edit.id);
            rewritten.push(((Arc::clone(root), Arc::clone(key)), edit.id));
            edit.json
        }
        None if is_unknown => before.base.clone(),
        None => None,
    };
    let Some(base) = base else { return Ok(()) };
    let row = overlay(&base, over.iter().map(|(path, json)| (path.as_str(), json.as_str())));
    let id = put_after_tip(items, own.device, root, key, &row)?;
    again_for.drain(..again_for.len().saturating_sub(MAX_AGAIN_FOR));
    unseen.rewrite = Some(Rewrite { id, again_for, is_seen: false });
    items.set_unseen(root, key, unseen)?;
    outcome.found.extend(rewritten);
    outcome.rewritten.push((Arc::clone(root), Arc::clone(key)));
    Ok(())
}

/// Lists the cells that stand while their row was removed, those of this device only if it does not write
/// the row again; those whose row stands again leave the list.
pub(super) fn list_orphans<W: WriteItems + ?Sized>(
    items: &mut W,
    own: OwnIds<'_>,
    (root, key): &At,
    writes: Writes,
    outcome: &mut Outcome,
) -> Result<()> {
    let Some(cells_root) = cells_of(root) else { return Ok(()) };
    let is_live = items.tip(root, key)?.is_some_and(|tip| tip.is_live);
    if is_live && (!items.has_unseen()? || items.unseen_cells(root, key)?.is_empty()) {
        return Ok(());
    }
    let cells_root: Arc<str> = Arc::from(cells_root);
    for Cell { path, id, json } in items.cells(root, key)? {
        let is_written_again = own.contains(id.client) && writes == Writes::Again;
        if !is_told(&path) || is_written_again {
            continue;
        }
        let cell: Arc<str> = Arc::from(cell_key(key, &path));
        let mut unseen = items.unseen(&cells_root, &cell)?;
        let listed = unseen.edits.iter().position(|edit| edit.id == id);
        let at = (Arc::clone(&cells_root), Arc::clone(&cell));
        match (listed, is_live) {
            (Some(listed), true) => {
                unseen.edits.remove(listed);
                outcome.found.push((at, id));
            }
            (None, false) => {
                let json = json.to_string();
                outcome.lost.push(Lost {
                    at,
                    id,
                    json: json.clone(),
                    is_removed: true,
                    was_listed: false,
                    cell: None,
                });
                unseen.push(UnseenEdit {
                    id,
                    json: Some(json),
                    is_own: false,
                    is_reported: false,
                    is_displaced: true,
                    again_for: Vec::new(),
                });
            }
            _ => continue,
        }
        items.set_unseen(&cells_root, &cell, unseen)?;
    }
    Ok(())
}

impl Outcome {
    /// Names the rows that cells belong to: an edit of a cell is an edit of its row.
    pub(super) fn name_rows<W: WriteItems + ?Sized>(
        &mut self,
        items: &W,
        rows: &BTreeMap<At, RowBefore>,
    ) -> Result<()> {
        for lost in &mut self.lost {
            let (root, key) = lost.at.clone();
            let Some((table, row, path)) = row_of(&root, &key) else { continue };
            lost.at = (Arc::from(table), Arc::from(row));
            let before = || {
                let before = rows.get(&lost.at)?;
                Some(row_with(before.base.as_ref()?, &before.cells))
            };
            let text = row_text(items, &lost.at.0, row)?.or_else(before);
            let is_alone = text.is_none();
            let json = std::mem::take(&mut lost.json);
            lost.json = overlay(text.as_deref().unwrap_or("{}"), [(path, json.as_str())]);
            lost.cell = Some(LostCell { path: path.to_owned(), json, is_alone });
        }
        for (at, _) in &mut self.found {
            if let Some((table, row, _)) = row_of(&at.0, &at.1) {
                *at = (Arc::from(table), Arc::from(row));
            }
        }
        self.rewritten.dedup();
        Ok(())
    }
}

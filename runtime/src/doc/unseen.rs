//! Edits that lost under their key, and that no write is known to have seen.
//!
//! Two devices write one key without knowing of each other, and one of the two edits loses. The loser is
//! *unseen* until a write arrives whose author had both: one that was made upon it, or one that says so by a
//! mark under the root `seen:`. As long as an edit of this device is unseen, a removal of the key did not
//! know it, and this device writes it again. `docs/design/concurrent-edits.md` states the rule.

mod rows;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::rows::{EntryKind, RowBefore, list_orphans, revive_row, row_at};
use super::cells::row_of;
use super::items::{ReadItems, Value, WriteItems};
use super::rules::{Rule, says};
use super::writing::put_after_tip;
use crate::error::{ErrorKind, Result};
use crate::row::{ItemId, is_count, is_told};

/// So many unseen edits of one key are kept; of more, the oldest of other devices are given up.
const MAX_UNSEEN: usize = 64;

/// So many edits are kept that one was written again for.
const MAX_AGAIN_FOR: usize = 16;

/// An edit that lost under its key, and that no write is known to have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnseenEdit {
    pub(crate) id: ItemId,
    /// The JSON that it wrote, as long as it may be written again or listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<String>,
    /// Whether it is an edit of this device.
    #[serde(default, skip_serializing_if = "is_false")]
    is_own: bool,
    /// Whether its loss was reported.
    #[serde(default, skip_serializing_if = "is_false")]
    is_reported: bool,
    /// Whether it is listed as displaced by a removal.
    #[serde(default, skip_serializing_if = "is_false")]
    is_displaced: bool,
    /// The edits of this device that it was written again for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    again_for: Vec<ItemId>,
}

/// The edit of this device that it wrote again, and that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rewrite {
    id: ItemId,
    again_for: Vec<ItemId>,
    /// Whether a write has seen one of those that it stands for.
    #[serde(default, skip_serializing_if = "is_false")]
    is_seen: bool,
}

/// The edits that met under a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unseen {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edits: Vec<UnseenEdit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rewrite: Option<Rewrite>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Unseen {
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.rewrite.is_none()
    }

    /// Takes note of a write whose author had seen an edit; gives the edit, if it was unseen.
    fn see(&mut self, id: ItemId) -> Option<UnseenEdit> {
        match &mut self.rewrite {
            Some(rewrite) if rewrite.id == id => self.rewrite = None,
            Some(rewrite) => {
                let stands_for = rewrite.again_for.contains(&id);
                rewrite.is_seen |= says(Rule::MarksChain, stands_for);
            }
            None => {}
        }
        for edit in &mut self.edits {
            // The edit that it stands for was seen, so that it is not to be written again.
            edit.is_own &= !says(Rule::MarksChain, edit.again_for.contains(&id));
        }
        let at = self.edits.iter().position(|edit| edit.id == id)?;
        Some(self.edits.remove(at))
    }

    fn push(&mut self, edit: UnseenEdit) {
        if self.edits.len() >= MAX_UNSEEN {
            let oldest = self.edits.iter().position(|edit| !edit.is_own).unwrap_or_default();
            self.edits.remove(oldest);
        }
        self.edits.push(edit);
    }

    /// Gives up an edit of this device: it is not written again. Tells whether it was there.
    fn give_up(&mut self, id: ItemId) -> bool {
        let edit = self.edits.iter_mut().find(|edit| edit.id == id);
        edit.is_some_and(|edit| {
            edit.json = None;
            std::mem::take(&mut edit.is_own)
        })
    }
}

/// The ids under which this device has written: of a copy or a restored backup, those of the original, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnIds<'a> {
    pub(crate) device: u64,
    pub(crate) earlier: &'a [u64],
}

impl OwnIds<'_> {
    /// Whether this device has written under an id.
    pub(crate) fn contains(self, client: u64) -> bool {
        client == self.device || self.earlier.contains(&client)
    }
}

impl From<u64> for OwnIds<'_> {
    fn from(device: u64) -> Self {
        Self { device, earlier: &[] }
    }
}

/// A root and a key.
pub(crate) type At = (Arc<str>, Arc<str>);

/// The keys where edits met while updates were taken in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    keys: BTreeSet<At>,
    /// Edits of this device that were displaced by a write whose author had seen them.
    own_seen: Vec<(At, UnseenEdit)>,
    /// Edits that were listed as displaced by a removal, and that a write has seen since.
    seen: Vec<(At, ItemId)>,
    /// Rows with cells that something was taken in of, as they were before.
    rows: BTreeMap<At, RowBefore>,
}

/// An edit that lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) at: At,
    pub(crate) id: ItemId,
    pub(crate) json: String,
    /// Whether nothing stands in its place: a removal has displaced it.
    pub(crate) is_removed: bool,
    /// Whether it was listed as displaced by a removal before.
    pub(crate) was_listed: bool,
    /// The cell that it wrote: `json` is the row with it.
    pub(crate) cell: Option<LostCell>,
}

/// A cell that lost, or that stands without a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostCell {
    pub(crate) path: String,
    pub(crate) json: String,
    /// Whether nothing else of its row is known.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) is_alone: bool,
}

/// Whether this device writes its displaced edits again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// It does, in the current document.
    Again,
    /// It does not write to the document any more, and so they are lost.
    Nothing,
}

/// The consequences of edits that met.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) lost: Vec<Lost>,
    /// Edits that are not lost any more.
    pub(crate) found: Vec<(At, ItemId)>,
    /// The keys under which an edit of this device was written again.
    pub(crate) rewritten: Vec<At>,
}

/// Whether edits under a root may meet: rows, cells and entries, which apps write.
pub(super) fn is_watched(root: &str) -> bool {
    ["table:", "kv:", "cells:"].iter().any(|kind| root.starts_with(kind))
}

/// The root of the marks that say which edits a write has seen.
fn marks_of(root: &str) -> String {
    format!("seen:{}", root.split_once(':').map_or(root, |(_, name)| name))
}

/// The key of the mark of an edit.
fn mark_of(id: ItemId) -> String {
    format!("{}.{}", id.client, id.clock)
}

/// Whether a root holds marks, which come dead.
pub(crate) fn holds_marks(root: &str) -> bool {
    root.starts_with("seen:")
}

/// The edit that an entry is the mark of.
pub(super) fn marked(root: &str, key: &str) -> Option<ItemId> {
    if !holds_marks(root) {
        return None;
    }
    let (client, clock) = key.split_once('.')?;
    let id = ItemId { client: client.parse().ok()?, clock: clock.parse().ok()? };
    // Another spelling is not a mark.
    (mark_of(id) == key).then_some(id)
}

fn is_marked<R: ReadItems + ?Sized>(items: &R, root: &str, id: ItemId) -> Result<bool> {
    Ok(items.tip(&marks_of(root), &mark_of(id))?.is_some())
}

/// Whether an item is a count that a removal of its row knew: it stays, with a mark.
///
/// # Errors
///
/// Those of `items`.
pub(crate) fn is_removed_count<R: ReadItems + ?Sized>(
    items: &R,
    id: ItemId,
    (root, key): (&str, &str),
) -> Result<bool> {
    let counts = row_of(root, key).is_some_and(|(_, _, path)| is_count(path));
    Ok(counts && is_marked(items, root, id)?)
}

impl Met {
    /// Takes note of a write whose author had seen an edit.
    pub(super) fn see<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        root: &Arc<str>,
        key: &Arc<str>,
        id: ItemId,
    ) -> Result<()> {
        if !items.has_unseen()? {
            return Ok(());
        }
        let mut unseen = items.unseen(root, key)?;
        if unseen.is_empty() {
            return Ok(());
        }
        let at = (Arc::clone(root), Arc::clone(key));
        if let Some(edit) = unseen.see(id) {
            if edit.is_displaced {
                self.seen.push((at.clone(), id));
            } else if edit.is_own && !edit.is_reported {
                self.own_seen.push((at.clone(), edit));
            }
        }
        items.set_unseen(root, key, unseen)?;
        self.keys.insert(at);
        Ok(())
    }

    /// Takes note of an edit that has lost, with the text that it wrote.
    pub(super) fn lose<W: WriteItems + ?Sized>(
        &mut self,
        items: &mut W,
        own: OwnIds<'_>,
        (root, key): (&Arc<str>, &Arc<str>),
        id: ItemId,
        json: Option<String>,
    ) -> Result<()> {
        let mut unseen = items.unseen(root, key)?;
        let mut is_own = json.is_some() && own.contains(id.client);
        let mut again_for = Vec::new();
        if let Some(rewrite) = unseen.rewrite.take_if(|rewrite| rewrite.id == id) {
            is_own &= !rewrite.is_seen;
            again_for = rewrite.again_for;
        }
        let at = (Arc::clone(root), Arc::clone(key));
        // A cell that stood without its row is listed already.
        let listed = unseen.edits.iter().position(|edit| edit.id == id);
        let is_displaced =
            listed.map(|at| unseen.edits.remove(at)).is_some_and(|edit| edit.is_displaced);
        let is_reported = false;
        let edit = UnseenEdit { id, json, is_own, is_reported, is_displaced, again_for };
        if !is_marked(items, root, id)? {
            unseen.push(edit);
        } else if is_own {
            self.own_seen.push((at.clone(), edit));
        }
        items.set_unseen(root, key, unseen)?;
        self.keys.insert(at);
        Ok(())
    }

    /// Takes note of a row with cells before something of it changes.
    pub(super) fn remember_row<W: WriteItems + ?Sized>(
        &mut self,
        items: &W,
        root: &str,
        key: &str,
    ) -> Result<()> {
        let Some(at) = row_at(items, root, key)? else { return Ok(()) };
        if let Entry::Vacant(row) = self.rows.entry(at) {
            let (root, key) = row.key();
            let base = standing(items, root, key)?.flatten();
            let cells = items.cells(root, key)?;
            row.insert(RowBefore { base, cells });
        }
        Ok(())
    }

    /// Concludes what follows of edits that met, once everything is taken in. An edit of this device
    /// that a removal displaced without having seen it is written again, if `writes` says so.
    pub(crate) fn conclude<W: WriteItems + ?Sized>(
        self,
        items: &mut W,
        own: OwnIds<'_>,
        writes: Writes,
    ) -> Result<Outcome> {
        let mut outcome = Outcome { found: self.seen, ..Outcome::default() };
        for (at, before) in self.rows.iter().filter(|_| writes == Writes::Again) {
            revive_row(items, own, at, before, &mut outcome)?;
        }
        for ((root, key), UnseenEdit { id, json, .. }) in self.own_seen {
            if let (Some(json), Some(winner)) = (json, standing(items, &root, &key)?)
                && Some(&json) != winner.as_ref()
            {
                let (is_removed, was_listed) = (false, false);
                let at = (root, key);
                outcome.lost.push(Lost { at, id, json, is_removed, was_listed, cell: None });
            }
        }
        for at in self.keys {
            let (root, key) = &at;
            let mut unseen = items.unseen(root, key)?;
            let stands = standing(items, root, key)?;
            let is_live = stands.is_some();
            let kind = EntryKind::of(items, root, key)?;
            let shown = if is_live || kind != EntryKind::Field { stands } else { Some(None) };
            if row_of(root, key).is_none_or(|(_, _, path)| is_told(path)) {
                let shown = shown.as_ref().map(Option::as_deref);
                report(&mut unseen, &at, shown, writes, &mut outcome);
            }
            let again = unseen.edits.iter().rposition(|edit| edit.is_own && edit.json.is_some());
            let may_rewrite = writes == Writes::Again
                && !is_live
                && matches!(kind, EntryKind::Alone | EntryKind::Element);
            let Some(again) = again.filter(|_| may_rewrite && says(Rule::EditWins, true)) else {
                items.set_unseen(root, key, unseen)?;
                continue;
            };
            let edit = unseen.edits.remove(again);
            let Some(json) = edit.json else { continue };
            let id = put_after_tip(items, own.device, root, key, &json)?;
            let mut again_for = edit.again_for;
            again_for.push(edit.id);
            again_for.drain(..again_for.len().saturating_sub(MAX_AGAIN_FOR));
            unseen.rewrite = Some(Rewrite { id, again_for, is_seen: false });
            items.set_unseen(root, key, unseen)?;
            outcome.found.push((at.clone(), edit.id));
            outcome.rewritten.push(at);
        }
        for at in self.rows.keys() {
            list_orphans(items, own, at, writes, &mut outcome)?;
        }
        outcome.name_rows(items, &self.rows)?;
        Ok(outcome)
    }
}

/// Reports which of the unseen edits of a key are lost, each once.
fn report(
    unseen: &mut Unseen,
    at: &At,
    stands: Option<Option<&str>>,
    writes: Writes,
    outcome: &mut Outcome,
) {
    for edit in &mut unseen.edits {
        let Some(json) = &edit.json else { continue };
        let lost = |is_removed| Lost {
            at: at.clone(),
            id: edit.id,
            json: json.clone(),
            is_removed,
            was_listed: edit.is_displaced,
            cell: None,
        };
        let Some(winner) = stands else {
            let is_written_again = edit.is_own && writes == Writes::Again;
            if !is_written_again && !edit.is_displaced {
                outcome.lost.push(lost(true));
                edit.is_displaced = true;
            }
            continue;
        };
        if winner != Some(json) {
            if !edit.is_reported {
                outcome.lost.push(lost(false));
                edit.is_reported = true;
            }
        } else if edit.is_displaced {
            outcome.found.push((at.clone(), edit.id));
        }
        edit.is_displaced = false;
        if !edit.is_own {
            edit.json = None;
        }
    }
}

/// The text that stands under a key: `None` if nothing does, and nothing within if the text is damaged.
pub(super) fn standing<W: WriteItems + ?Sized>(
    items: &W,
    root: &str,
    key: &str,
) -> Result<Option<Option<String>>> {
    Ok(match items.value(root, key) {
        Ok(value) => value.map(|(_, value)| match value {
            Value::Text(json) => Some(json.to_string()),
            Value::Other { json, .. } => Some(json),
        }),
        Err(error) if error.kind() == ErrorKind::Corrupt => Some(None),
        Err(error) => return Err(error),
    })
}

/// Returns the edits that a local write of a key has seen, which are to be marked. They are unseen
/// no more.
pub(super) fn seen_by_write<W: WriteItems + ?Sized>(
    items: &mut W,
    root: &str,
    key: &str,
) -> Result<Vec<ItemId>> {
    let unseen = items.unseen(root, key)?;
    if unseen.is_empty() {
        return Ok(Vec::new());
    }
    items.set_unseen(root, key, Unseen::default())?;
    Ok(unseen.edits.into_iter().map(|edit| edit.id).collect())
}

/// Marks edits as seen that are not marked yet: one item each that is dead from the start, so that other
/// programs see an empty map.
pub(super) fn mark<W: WriteItems + ?Sized>(
    items: &mut W,
    client: u64,
    root: &str,
    ids: &[ItemId],
) -> Result<()> {
    let marks = marks_of(root);
    for id in ids {
        let key = mark_of(*id);
        if items.tip(&marks, &key)?.is_none() {
            super::writing::add_dead(items, client, &marks, &key)?;
        }
    }
    Ok(())
}

/// Gives up an edit of this device, which is not written again.
///
/// # Errors
///
/// Those of `items`.
pub(crate) fn give_up<W: WriteItems + ?Sized>(
    items: &mut W,
    root: &str,
    key: &str,
    id: ItemId,
) -> Result<()> {
    let mut unseen = items.unseen(root, key)?;
    if unseen.give_up(id) {
        items.set_unseen(root, key, unseen)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Late edits that a document carries from others, and what shows under a key because of them.
//!
//! An edit that was made in another document is never written over an entry of this one: two
//! devices that carry it would each overwrite what the other's user writes on top. It is stored
//! beside the entry, in the root map `forwarded`, and shows as long as there is no entry, or only the
//! migration's own. A write of the entry while the edit shows has seen it, and the root map `settled`
//! records so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::claim::{Claim, CopySource};
use super::document::Document;
use super::documents::DocName;
use crate::disk::{Shown, StagedDocument};
use crate::doc::cells::row_with;
use crate::doc::{Entry, Root};
use crate::error::{Error, Result};
use crate::row::{Content, EntryRef, ItemId};

/// A late edit, or an edit that could not be carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LateEdit {
    /// The entry that it was made in, in the document that it comes from.
    pub(crate) of: EntryRef,
    /// The items of that document that it was made from.
    pub(crate) items: Vec<ItemId>,
    /// What shows here because of it, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Why it could not be converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What was written, if it could not be converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
    /// The entry that could not be taken further, if that is another one than `of`.
    #[serde(default, rename = "stood", skip_serializing_if = "Option::is_none")]
    pub(crate) stopped_at: Option<StoppedAt>,
    /// Whether a `migrate` function made the value from what was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) made: bool,
}

/// The row or entry of an epoch that could not be taken further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoppedAt {
    pub(crate) epoch: u32,
    pub(crate) root: String,
    pub(crate) key: String,
    /// Whether the `migrate` function of that epoch has not seen it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unseen: bool,
}

/// Records that an edit is resolved: a user has seen it, and decided on it or written over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    pub(crate) items: Vec<ItemId>,
    /// The checksums of values that a `migrate` function made, and that were written over or removed
    /// in this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<String>,
}

/// Returns the checksum of a value that a `migrate` function made.
pub(crate) fn checksum(json: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot(json.as_bytes()))
}

/// The document that a late edit comes from and the entry that it belongs to: the key of the edit
/// and of its resolution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LateEditKey {
    pub(crate) source: DocName,
    pub(crate) at: EntryRef,
    /// The number of an entry in quarantine, of several for one row; a displaced edit is never the
    /// first.
    pub(crate) nth: u32,
}

impl LateEditKey {
    pub(crate) fn new(source: DocName, at: EntryRef) -> Self {
        Self { source, at, nth: 0 }
    }

    pub(crate) fn to_text(&self) -> String {
        let (source, EntryRef { root, key }) = (self.source.to_string(), &self.at);
        match self.nth {
            0 => serde_json::json!([source, root, key]),
            nth => serde_json::json!([source, root, key, nth]),
        }
        .to_string()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (source, root, key, nth): (String, String, String, u32) = serde_json::from_str(text)
            .or_else(|_| {
                serde_json::from_str(text).map(|(source, root, key)| (source, root, key, 0))
            })
            .ok()?;
        Some(Self { source: DocName::parse(&source)?, at: EntryRef { root, key }, nth })
    }

    /// Returns the key of the next entry in quarantine for the same row.
    pub(crate) fn next(self) -> Self {
        Self { nth: self.nth.wrapping_add(1), ..self }
    }
}

impl StoppedAt {
    pub(crate) fn new(epoch: u32, EntryRef { root, key }: EntryRef) -> Self {
        Self { epoch, root, key, is_unseen: false }
    }

    /// Returns the same, unless it is the entry itself of the document that an edit was made in.
    pub(crate) fn unless_in(self, source: DocName, of: &EntryRef) -> Option<Self> {
        let is_same = !self.is_unseen && self.epoch == source.epoch;
        Some(self).filter(|it| !is_same || (&it.root, &it.key) != (&of.root, &of.key))
    }
}

impl LateEdit {
    /// Returns the entry that could not be taken further.
    pub(crate) fn stopped_at(&self, source: DocName) -> StoppedAt {
        let own = || StoppedAt::new(source.epoch, self.of.clone());
        self.stopped_at.clone().unwrap_or_else(own)
    }

    pub(crate) fn read(content: &Content) -> Option<Self> {
        let Content::Text(json) = content else { return None };
        serde_json::from_str(json).ok()
    }
}

impl Resolution {
    /// The resolution of an edit that was made from these items.
    pub(crate) fn of(items: Vec<ItemId>) -> Self {
        Self { items, made: Vec::new() }
    }

    pub(crate) fn read(content: &Content) -> Option<Self> {
        let Content::Text(json) = content else { return None };
        serde_json::from_str(json).ok()
    }
}

/// A late edit in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEdit {
    pub(crate) id: ItemId,
    pub(crate) edit: LateEdit,
}

impl StoredEdit {
    /// What readers see because of it.
    pub(crate) fn shown(&self) -> Shown {
        (self.id, self.edit.value.clone().unwrap_or_default())
    }

    /// The entry that readers see because of it: of a row, with the cells that the document has.
    fn entry_in(&self, document: &Document, root: &str, key: &str) -> Entry {
        let value = self.edit.value.as_deref().unwrap_or_default();
        let row = row_with(value, &document.cells(root, key));
        Entry { id: self.id, content: Content::Text(row.into()) }
    }
}

/// The late edits of a document, by the entry that they belong to and the document they come from.
#[derive(Debug, Default)]
pub(crate) struct LateEdits {
    by_entry: BTreeMap<Arc<EntryRef>, BTreeMap<DocName, StoredEdit>>,
    /// The entries that late edits belong to, by the entry that the edit was made in.
    by_source: BTreeMap<(DocName, EntryRef), BTreeSet<Arc<EntryRef>>>,
    /// The same, by the items that the edit was made from.
    by_item: BTreeSet<(DocName, ItemId, Arc<EntryRef>)>,
    resolved: BTreeMap<LateEditKey, Resolution>,
}

impl LateEdits {
    /// Reads those of a document.
    pub(crate) fn of(document: &Document) -> Result<Self> {
        let mut late_edits = Self::default();
        for root in [Root::Forwarded, Root::Settled] {
            document.for_each::<Error>(&root.name(), |key, entry| {
                late_edits.update(&root, key, Some(&entry));
                Ok(())
            })?;
        }
        Ok(late_edits)
    }

    /// Reads those of a document inside a commit.
    pub(crate) fn of_staged(document: &StagedDocument<'_>) -> Result<Self> {
        let mut late_edits = Self::default();
        for root in [Root::Forwarded, Root::Settled] {
            for (key, entry) in document.entries_of(&root.name())? {
                late_edits.update(&root, &key, Some(&entry));
            }
        }
        Ok(late_edits)
    }

    /// Takes in what was written to `settled`.
    pub(crate) fn resolve(&mut self, key: &str, json: &str) {
        let entry =
            Entry { id: ItemId { client: 0, clock: 0 }, content: Content::Text(json.into()) };
        self.update(&Root::Settled, key, Some(&entry));
    }

    /// Takes in what stands now under a key of `forwarded` or `settled`. Returns the entry that it
    /// is about.
    pub(crate) fn update(
        &mut self,
        root: &Root,
        key: &str,
        entry: Option<&Entry>,
    ) -> Option<Arc<EntryRef>> {
        let parsed = LateEditKey::parse(key).filter(|key| key.nth == 0)?;
        let known = self.by_entry.get_key_value(&parsed.at).map(|(known, _)| known.clone());
        let target = known.unwrap_or_else(|| Arc::new(parsed.at.clone()));
        if *root == Root::Settled {
            match entry.and_then(|entry| Resolution::read(&entry.content)) {
                Some(resolution) => self.resolved.insert(parsed, resolution),
                None => self.resolved.remove(&parsed),
            };
            return Some(target);
        }
        let stored = self.by_entry.entry(target.clone()).or_default();
        if let Some(before) = stored.remove(&parsed.source) {
            for item in before.edit.items {
                self.by_item.remove(&(parsed.source, item, target.clone()));
            }
            if let Some(targets) = self.by_source.get_mut(&(parsed.source, before.edit.of)) {
                targets.remove(&target);
            }
        }
        if let Some((id, edit)) = entry.and_then(|e| Some((e.id, LateEdit::read(&e.content)?))) {
            let targets = self.by_source.entry((parsed.source, edit.of.clone())).or_default();
            targets.insert(target.clone());
            let items = edit.items.iter();
            self.by_item.extend(items.map(|item| (parsed.source, *item, target.clone())));
            stored.insert(parsed.source, StoredEdit { id, edit });
        }
        if stored.is_empty() {
            self.by_entry.remove(&target);
        }
        Some(target)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_entry.is_empty()
    }

    /// Returns the entries of a root that late edits belong to.
    pub(crate) fn entries<'s>(&'s self, root: &'s str) -> impl Iterator<Item = &'s EntryRef> {
        let of_root = self.by_entry.range::<EntryRef, _>(EntryRef::new(root, "")..);
        of_root.map(|(at, _)| &**at).take_while(move |at| at.root == root)
    }

    /// Returns all late edits, resolved ones included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LateEditKey, &StoredEdit)> {
        self.by_entry.iter().flat_map(|(at, stored)| {
            let key = |source: &DocName| LateEditKey::new(*source, (**at).clone());
            stored.iter().map(move |(source, stored)| (key(source), stored))
        })
    }

    /// Returns the late edits that were made in an entry of a document.
    pub(crate) fn made_in(&self, source: DocName, of: &EntryRef) -> Vec<LateEditKey> {
        let targets = self.by_source.get(&(source, of.clone())).into_iter().flatten();
        targets.map(|at| LateEditKey::new(source, (**at).clone())).collect()
    }

    /// Returns the late edits that were made from what a client wrote in a document, from one clock
    /// to another.
    pub(crate) fn made_from(
        &self,
        source: DocName,
        client: u64,
        clocks: Range<u32>,
    ) -> impl Iterator<Item = LateEditKey> {
        let at = move |clock| (source, ItemId { client, clock }, Arc::<EntryRef>::default());
        // A range that ends before it begins is empty, and `range` would panic on it.
        let from = clocks.start.min(clocks.end);
        let of = self.by_item.range(at(from)..at(clocks.end));
        of.map(move |(_, _, at)| LateEditKey::new(source, (**at).clone()))
    }

    pub(crate) fn get(&self, key: &LateEditKey) -> Option<&StoredEdit> {
        self.by_entry.get(&key.at)?.get(&key.source)
    }

    /// Returns the items that a late edit or its resolution is about, and its text.
    pub(crate) fn entry_of(&self, root: &Root, key: &LateEditKey) -> Option<(&[ItemId], String)> {
        let (items, json) = match root {
            Root::Forwarded => {
                let edit = &self.get(key)?.edit;
                (&edit.items, serde_json::to_string(edit))
            }
            _ => {
                let resolution = self.resolution(key)?;
                (&resolution.items, serde_json::to_string(resolution))
            }
        };
        Some((items, json.ok()?))
    }

    pub(crate) fn resolution(&self, key: &LateEditKey) -> Option<&Resolution> {
        self.resolved.get(key)
    }

    /// Returns the unresolved late edits of an entry, the highest source first.
    pub(crate) fn open(&self, at: &EntryRef) -> Vec<(DocName, &StoredEdit)> {
        let Some(stored) = self.by_entry.get(at) else {
            return Vec::new();
        };
        let open = stored.iter().rev().filter(|(source, stored)| {
            let key = LateEditKey::new(**source, at.clone());
            self.resolved.get(&key).is_none_or(|resolution| resolution.items != stored.edit.items)
        });
        open.map(|(source, stored)| (*source, stored)).collect()
    }

    /// Returns the entries for `settled`, as key and JSON, which record that a write or a removal of
    /// an entry in the document `source` has seen what stands there of other documents: late edits,
    /// and what a `migrate` function made.
    pub(crate) fn seen(
        &self,
        document: &Document,
        claim: Option<&Claim>,
        source: DocName,
        at: &EntryRef,
        is_removed: bool,
    ) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        let mut record = |source: DocName, resolution: &Resolution| {
            if let Ok(json) = serde_json::to_string(resolution) {
                seen.push((LateEditKey::new(source, at.clone()).to_text(), json));
            }
        };
        let entry = document.entry(&at.root, &at.key);
        let showing = self.showing(claim, at, entry.as_ref().map(|entry| entry.id));
        let mut made = Vec::new();
        if let Some(Entry { id, content: Content::Text(json) }) = &entry
            && claim.and_then(|claim| claim.copy_source(*id)).is_some_and(CopySource::is_made)
        {
            made.push(checksum(json));
        }
        let shown = showing.filter(|(_, stored)| stored.edit.made);
        made.extend(shown.and_then(|(_, stored)| stored.edit.value.as_deref()).map(checksum));
        if !made.is_empty() {
            let own = LateEditKey::new(source, at.clone());
            made.extend(self.resolution(&own).into_iter().flat_map(|it| it.made.clone()));
            record(source, &Resolution { items: Vec::new(), made });
        }
        let showing = showing.map(|(source, _)| source);
        for (source, stored) in self.open(at) {
            // Once the row is removed, no edit of it is to come up again.
            if Some(source) == showing || is_removed {
                record(source, &Resolution::of(stored.edit.items.clone()));
            }
        }
        seen
    }

    /// Returns the late edit that shows in place of an entry whose own item is `main`.
    pub(crate) fn showing(
        &self,
        claim: Option<&Claim>,
        at: &EntryRef,
        main: Option<ItemId>,
    ) -> Option<(DocName, &StoredEdit)> {
        if self.by_entry.is_empty() {
            return None;
        }
        let copied_from = match main {
            None => None,
            // An entry that was written in this document stands.
            Some(id) => claim?.copy_source(id)?.document(),
        };
        let mut open = self.open(at).into_iter();
        // What was edited in an epoch is newer than what comes from the one before.
        open.find(|(source, stored)| {
            stored.edit.value.is_some()
                && copied_from.is_none_or(|copied_from| *source >= copied_from)
        })
    }
}

/// Whether each of `than` was written by a client that wrote one of `items` later.
pub(crate) fn are_later(items: &[ItemId], than: &[ItemId]) -> bool {
    let is_before =
        |id: &ItemId| items.iter().any(|later| later.client == id.client && later.clock > id.clock);
    !than.is_empty() && than.iter().all(is_before)
}

/// Returns what stands under a key of a document, late edits included.
pub(crate) fn entry(
    document: &Document,
    late_edits: &LateEdits,
    claim: Option<&Claim>,
    at: &EntryRef,
) -> Option<Entry> {
    let main = document.entry(&at.root, &at.key);
    match late_edits.showing(claim, at, main.as_ref().map(|entry| entry.id)) {
        Some((_, stored)) => Some(stored.entry_in(document, &at.root, &at.key)),
        None => main,
    }
}

/// Calls `visit` with everything that stands under a root, late edits included.
pub(crate) fn for_each<E: From<Error>>(
    document: &Document,
    late_edits: &LateEdits,
    claim: Option<&Claim>,
    root: &str,
    mut visit: impl FnMut(&str, Entry) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    if late_edits.is_empty() {
        return document.for_each(root, visit);
    }
    let mut at = EntryRef::new(root, "");
    document.for_each(root, |key, main| {
        key.clone_into(&mut at.key);
        let showing = late_edits.showing(claim, &at, Some(main.id));
        visit(key, showing.map_or(main, |(_, stored)| stored.entry_in(document, root, key)))
    })?;
    for at in late_edits.entries(root) {
        if document.entry(root, &at.key).is_none()
            && let Some(entry) = entry(document, late_edits, claim, at)
        {
            visit(&at.key, entry)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_edit_is_written_as_pairs() {
        let json = r#"{"of":["table:notes","a"],"items":[[7,3],[9007199254740991,4294967295]],"raw":"{}","stood":{"epoch":1,"root":"table:notes","key":"b","is_unseen":true}}"#;
        let edit = LateEdit::read(&Content::Text(json.into())).unwrap();
        assert_eq!(edit.of, EntryRef::new("table:notes", "a"));
        assert_eq!(edit.items[0], ItemId { client: 7, clock: 3 });
        assert_eq!(edit.stopped_at.as_ref().map(|it| (it.epoch, it.is_unseen)), Some((1, true)));
        assert_eq!(serde_json::to_string(&edit).unwrap(), json);

        let text = r#"["0","table:notes","a",2]"#;
        let key = LateEditKey::parse(text).unwrap();
        assert_eq!((key.at.root.as_str(), key.nth), ("table:notes", 2));
        assert_eq!(key.to_text(), text);
        assert_eq!(LateEditKey::new(key.source, key.at).to_text(), r#"["0","table:notes","a"]"#);
    }
}

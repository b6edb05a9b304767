//! Late edits that a document carries from others, and what stands under a key because of them.
//!
//! An edit that was made in another document is never written over an entry of this one: two
//! devices that carry it would each overwrite what the other's user writes on top. It is kept beside
//! the entry, in the root map `forwarded`, and shows as long as the entry is the migration's own or
//! is none. Who writes the entry while it shows has seen it, and notes so in the root map `settled`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::claim::{Claim, is_made, origin_document};
use super::documents::DocName;
use crate::doc::{Document, Entry, Root};
use crate::row::{Content, ItemId};

/// A late edit, or an edit that could not be carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LateEdit {
    /// The root and key in the document that it comes from.
    pub(crate) of: (String, String),
    /// The items that it was made from there, as client and clock.
    pub(crate) items: Vec<(u64, u32)>,
    /// What stands here because of it, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Why it stands nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What was written there, where it could not be converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
    /// Where that stood, if on its way it was another place than `of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stood: Option<Stood>,
    /// Whether a `migrate` function has made it of what was written there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) made: bool,
}

/// The epoch, root and key under which a row or entry stood that could not be taken further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stood {
    pub(crate) epoch: u32,
    pub(crate) root: String,
    pub(crate) key: String,
    /// Whether the `migrate` function of that epoch has not seen it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unseen: bool,
}

/// That an edit has been dealt with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    pub(crate) items: Vec<(u64, u32)>,
    /// The checksums of what a `migrate` function had made, and somebody has written over or removed
    /// in this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<String>,
}

/// Of what a `migrate` function made.
pub(crate) fn checksum(json: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot(json.as_bytes()))
}

/// Where a late edit comes from and where it belongs: the key of its entry in both maps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LateEditKey {
    pub(crate) source: DocName,
    pub(crate) root: String,
    pub(crate) key: String,
    /// Which of several notes in quarantine about one place; what a late edit has displaced is never
    /// the first.
    pub(crate) nth: u32,
}

impl LateEditKey {
    pub(crate) fn new(source: DocName, root: String, key: String) -> Self {
        Self { source, root, key, nth: 0 }
    }

    fn under(source: DocName, (root, key): &Under) -> Self {
        Self::new(source, root.clone(), key.clone())
    }

    pub(crate) fn to_text(&self) -> String {
        let source = self.source.to_string();
        match self.nth {
            0 => serde_json::json!([source, self.root, self.key]),
            nth => serde_json::json!([source, self.root, self.key, nth]),
        }
        .to_string()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (source, root, key, nth): (String, String, String, u32) = serde_json::from_str(text)
            .or_else(|_| {
                serde_json::from_str(text).map(|(source, root, key)| (source, root, key, 0))
            })
            .ok()?;
        Some(Self { source: DocName::parse(&source)?, root, key, nth })
    }

    /// The next note about the same place.
    pub(crate) fn next(self) -> Self {
        Self { nth: self.nth.wrapping_add(1), ..self }
    }
}

impl Stood {
    /// The same, where it is another place than that of an edit in a document.
    pub(crate) fn beside(self, source: DocName, of: &(String, String)) -> Option<Self> {
        let is_same = !self.is_unseen && self.epoch == source.epoch;
        Some(self).filter(|stood| !is_same || (&stood.root, &stood.key) != (&of.0, &of.1))
    }
}

impl LateEdit {
    /// Where what was written stood, and could not be taken further.
    pub(crate) fn stood(&self, source: DocName) -> Stood {
        let (root, key) = self.of.clone();
        let own = || Stood { epoch: source.epoch, root, key, is_unseen: false };
        self.stood.clone().unwrap_or_else(own)
    }

    pub(crate) fn read(content: &Content) -> Option<Self> {
        let Content::Text(json) = content else { return None };
        serde_json::from_str(json).ok()
    }
}

impl Resolution {
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
    fn entry(&self) -> Entry {
        let value = self.edit.value.as_deref().unwrap_or_default();
        Entry { id: self.id, content: Content::Text(value.into()) }
    }
}

/// A root and a key.
pub(crate) type Under = (String, String);

/// The late edits of a document, by the root and key they belong under and by where they are from.
#[derive(Debug, Default)]
pub(crate) struct LateEdits {
    held: BTreeMap<Arc<Under>, BTreeMap<DocName, StoredEdit>>,
    /// Where they are, by what they were made of.
    made_of: BTreeMap<(DocName, Under), BTreeSet<Arc<Under>>>,
    /// The same, by the document and the items.
    of_items: BTreeSet<(DocName, (u64, u32), Arc<Under>)>,
    resolved: BTreeMap<LateEditKey, Resolution>,
}

impl LateEdits {
    /// Those of a document.
    pub(crate) fn of(document: &Document) -> Self {
        let mut late_edits = Self::default();
        for root in [Root::Forwarded, Root::Settled] {
            let name = root.name();
            let read = document.for_each(&name, |key, entry| {
                late_edits.note(&root, key, Some(&entry));
                Ok::<(), std::convert::Infallible>(())
            });
            let Ok(()) = read;
        }
        late_edits
    }

    /// Notes an entry of one of the two maps; gives the root and key that it concerns.
    pub(crate) fn note(
        &mut self,
        root: &Root,
        key: &str,
        entry: Option<&Entry>,
    ) -> Option<Arc<Under>> {
        let parsed = LateEditKey::parse(key).filter(|key| key.nth == 0)?;
        let target = (parsed.root.clone(), parsed.key.clone());
        let known = self.held.get_key_value(&target).map(|(known, _)| known.clone());
        let target = known.unwrap_or_else(|| Arc::new(target));
        if *root == Root::Settled {
            match entry.and_then(|entry| Resolution::read(&entry.content)) {
                Some(resolution) => self.resolved.insert(parsed, resolution),
                None => self.resolved.remove(&parsed),
            };
            return Some(target);
        }
        let held = self.held.entry(target.clone()).or_default();
        if let Some(before) = held.remove(&parsed.source) {
            for item in before.edit.items {
                self.of_items.remove(&(parsed.source, item, target.clone()));
            }
            if let Some(made) = self.made_of.get_mut(&(parsed.source, before.edit.of)) {
                made.remove(&target);
            }
        }
        if let Some((id, edit)) = entry.and_then(|e| Some((e.id, LateEdit::read(&e.content)?))) {
            let made = self.made_of.entry((parsed.source, edit.of.clone())).or_default();
            made.insert(target.clone());
            let items = edit.items.iter();
            self.of_items.extend(items.map(|item| (parsed.source, *item, target.clone())));
            held.insert(parsed.source, StoredEdit { id, edit });
        }
        if held.is_empty() {
            self.held.remove(&target);
        }
        Some(target)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The keys under a root for which there are late edits.
    pub(crate) fn keys<'s>(&'s self, root: &'s str) -> impl Iterator<Item = &'s str> {
        let from = (root.to_owned(), String::new());
        let of_root = self.held.range::<Under, _>(from..);
        of_root
            .map(|(under, _)| &**under)
            .take_while(move |of| of.0 == root)
            .map(|of| of.1.as_str())
    }

    /// All late edits, those that were dealt with included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LateEditKey, &StoredEdit)> {
        self.held.iter().flat_map(|(under, held)| {
            held.iter().map(|(source, held)| (LateEditKey::under(*source, under), held))
        })
    }

    /// The late edits that were made of an entry of a document.
    pub(crate) fn made_of(&self, source: DocName, of: &(String, String)) -> Vec<LateEditKey> {
        let made = self.made_of.get(&(source, of.clone())).into_iter().flatten();
        made.map(|under| LateEditKey::under(source, under)).collect()
    }

    /// Those that were made of what a client wrote in a document, from one clock to another.
    pub(crate) fn of_items(
        &self,
        source: DocName,
        client: u64,
        clocks: Range<u32>,
    ) -> impl Iterator<Item = LateEditKey> {
        let at = move |clock| (source, (client, clock), Arc::<Under>::default());
        // A range that ends before it begins is empty, and `range` would panic on it.
        let from = clocks.start.min(clocks.end);
        let of = self.of_items.range(at(from)..at(clocks.end));
        of.map(move |(_, _, under)| LateEditKey::under(source, under))
    }

    pub(crate) fn get(&self, key: &LateEditKey) -> Option<&StoredEdit> {
        self.held.get(&(key.root.clone(), key.key.clone()))?.get(&key.source)
    }

    /// What an entry of one of the two maps is of, and its text.
    pub(crate) fn entry_of(
        &self,
        root: &Root,
        key: &LateEditKey,
    ) -> Option<(&[(u64, u32)], String)> {
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

    /// Those for a key that nobody has dealt with, the highest source first.
    pub(crate) fn open(&self, root: &str, key: &str) -> Vec<(DocName, &StoredEdit)> {
        let Some(held) = self.held.get(&(root.to_owned(), key.to_owned())) else {
            return Vec::new();
        };
        let open = held.iter().rev().filter(|(source, held)| {
            let key = LateEditKey::new(**source, root.to_owned(), key.to_owned());
            self.resolved.get(&key).is_none_or(|resolution| resolution.items != held.edit.items)
        });
        open.map(|(source, held)| (*source, held)).collect()
    }

    /// The notes, for `settled`, that whoever writes or removes an entry of the document `source` has
    /// seen what stands there of other documents: late edits, and what a `migrate` function made.
    pub(crate) fn seen(
        &self,
        document: &Document,
        claim: Option<&Claim>,
        source: DocName,
        (root, key): &(String, String),
        is_removed: bool,
    ) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        let mut note = |source: DocName, resolution: &Resolution| {
            if let Ok(json) = serde_json::to_string(resolution) {
                seen.push((LateEditKey::new(source, root.clone(), key.clone()).to_text(), json));
            }
        };
        let entry = document.entry(root, key);
        let showing = self.showing(claim, root, key, entry.as_ref().map(|entry| entry.id));
        let mut made = Vec::new();
        if let Some(Entry { id, content: Content::Text(json) }) = &entry
            && claim.and_then(|claim| claim.origin(*id)).is_some_and(is_made)
        {
            made.push(checksum(json));
        }
        let shown = showing.filter(|(_, held)| held.edit.made);
        made.extend(shown.and_then(|(_, held)| held.edit.value.as_deref()).map(checksum));
        if !made.is_empty() {
            let own = LateEditKey::new(source, root.clone(), key.clone());
            made.extend(self.resolution(&own).into_iter().flat_map(|it| it.made.clone()));
            note(source, &Resolution { items: Vec::new(), made });
        }
        let showing = showing.map(|(source, _)| source);
        for (source, held) in self.open(root, key) {
            // Where the row is removed, nothing that was kept of it is to come up again.
            if Some(source) == showing || is_removed {
                note(source, &Resolution { items: held.edit.items.clone(), made: Vec::new() });
            }
        }
        seen
    }

    /// The late edit that shows under a key whose own entry is `main`.
    pub(crate) fn showing(
        &self,
        claim: Option<&Claim>,
        root: &str,
        key: &str,
        main: Option<ItemId>,
    ) -> Option<(DocName, &StoredEdit)> {
        if self.held.is_empty() {
            return None;
        }
        let origin = match main {
            None => None,
            // An entry that somebody has written here stands.
            Some(id) => Some(claim?.origin(id)?),
        };
        let origin = origin.and_then(origin_document);
        let mut open = self.open(root, key).into_iter();
        // What was edited in an epoch is newer than what comes from the one before.
        open.find(|(source, held)| {
            held.edit.value.is_some() && origin.is_none_or(|origin| *source >= origin)
        })
    }
}

/// Whether whoever wrote these items has written the others before.
pub(crate) fn are_later(items: &[(u64, u32)], than: &[(u64, u32)]) -> bool {
    let is_before = |(client, clock): &(u64, u32)| {
        items.iter().any(|(other, later)| other == client && later > clock)
    };
    !than.is_empty() && than.iter().all(is_before)
}

/// What stands under a key of a document, late edits included.
pub(crate) fn entry(
    document: &Document,
    late_edits: &LateEdits,
    claim: Option<&Claim>,
    root: &str,
    key: &str,
) -> Option<Entry> {
    let main = document.entry(root, key);
    match late_edits.showing(claim, root, key, main.as_ref().map(|entry| entry.id)) {
        Some((_, held)) => Some(held.entry()),
        None => main,
    }
}

/// Calls `visit` with everything that stands under a root, late edits included.
pub(crate) fn for_each<E>(
    document: &Document,
    late_edits: &LateEdits,
    claim: Option<&Claim>,
    root: &str,
    mut visit: impl FnMut(&str, Entry) -> Result<(), E>,
) -> Result<(), E> {
    if late_edits.is_empty() {
        return document.for_each(root, visit);
    }
    document.for_each(root, |key, main| {
        let showing = late_edits.showing(claim, root, key, Some(main.id));
        visit(key, showing.map_or(main, |(_, held)| held.entry()))
    })?;
    for key in late_edits.keys(root) {
        if document.entry(root, key).is_none()
            && let Some(entry) = entry(document, late_edits, claim, root, key)
        {
            visit(key, entry)?;
        }
    }
    Ok(())
}

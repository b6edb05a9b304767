//! Late edits as files of format 1 have them: by the document and the entry that they belong to. They are read
//! where they stand.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{LateEdit, LateEditKey, StoppedAt, StoredEdit};
use crate::doc::Entry;
use crate::engine::documents::DocName;
use crate::engine::part::{Part, PartOf, Parts};
use crate::row::{Content, EntryRef, ItemId};

/// The root map of what was decided on.
pub(super) const SETTLED: &str = "settled";
/// The root map of what could not be converted, or was displaced.
pub(super) const QUARANTINE: &str = "quarantine";

#[derive(Deserialize)]
struct Edit {
    of: EntryRef,
    items: Vec<ItemId>,
    value: Option<String>,
    reason: Option<String>,
    raw: Option<String>,
    #[serde(rename = "stood")]
    stopped_at: Option<StoppedAt>,
}

#[derive(Deserialize)]
struct Resolution {
    items: Vec<ItemId>,
}

/// The entries of the root maps.
#[derive(Default)]
pub(super) struct Entries {
    edits: Vec<(String, bool, Entry)>,
    resolved: BTreeMap<String, Vec<ItemId>>,
}

impl Entries {
    pub(super) fn add(&mut self, root: &str, key: &str, entry: Entry) {
        if root != SETTLED {
            self.edits.push((key.to_owned(), root == QUARANTINE, entry));
        } else if let Content::Text(json) = &entry.content
            && let Ok(resolution) = serde_json::from_str::<Resolution>(json)
        {
            self.resolved.insert(key.to_owned(), resolution.items);
        }
    }

    /// Those that were not decided on.
    pub(super) fn open(self) -> impl Iterator<Item = (LateEditKey, StoredEdit)> {
        let Self { edits, resolved } = self;
        edits.into_iter().filter_map(move |(key, is_quarantined, Entry { id, content })| {
            let Content::Text(json) = content else { return None };
            let edit: Edit = serde_json::from_str(&json).ok()?;
            if !is_quarantined && resolved.get(&key) == Some(&edit.items) {
                return None;
            }
            let (from, at) = parse(&key)?;
            let mut parts: Parts = edit.items.iter().map(|id| Part::edit(from, *id)).collect();
            if parts.is_empty() {
                parts.insert(Part::whole(PartOf::made(&at.root, &at.key, &json)));
            }
            let edit = LateEdit {
                from,
                of: edit.of,
                value: edit.value,
                reason: edit.reason,
                raw: edit.raw,
                stopped_at: edit.stopped_at,
            };
            Some((LateEditKey { at, parts }, StoredEdit { id, edit }))
        })
    }
}

/// The document and the entry that a key names.
fn parse(key: &str) -> Option<(DocName, EntryRef)> {
    let texts: Vec<serde_json::Value> = serde_json::from_str(key).ok()?;
    let [from, root, key, ..] = texts.as_slice() else { return None };
    let from = DocName::parse(from.as_str()?)?;
    Some((from, EntryRef::new(root.as_str()?, key.as_str()?)))
}

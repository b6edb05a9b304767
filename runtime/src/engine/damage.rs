//! [`Damage`]: the known damage of a file. It is recorded in the file, so that a device asks others
//! for it after a restart, too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::meta_keys;
use super::store::to_json;
use crate::disk::{Commit, DamagedBlock, Meta, StoredDocument, View};
use crate::doc::items::ReadItems;
use crate::doc::{Root, live_items};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{EntryRef, ItemId};

/// At most so many entries are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// At most so many are named to others at a time.
pub(crate) const MAX_LISTED: usize = 256;

/// The entries that are withheld from other devices, by document and item.
pub(super) type DamagedItems = BTreeMap<(String, ItemId), EntryRef>;

/// The known damage of a file.
#[derive(Debug, Default)]
pub(super) struct Damage(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    items: DamagedItems,
    /// Keys of the current document under which a reader has come upon damage: which items they are is
    /// not known yet.
    noticed: BTreeSet<EntryRef>,
    blocks: Vec<DamagedBlock>,
    /// Counts up with each change.
    version: u64,
    recorded: u64,
    /// The record that the running commit writes.
    recording: u64,
}

/// An entry as the file records its damage: document, client, clock, root, key. A damaged block has
/// no root, and the clock of its first item.
type RecordedItem = (String, u64, u32, String, String);

impl Damage {
    /// Reads the record of a file.
    pub(super) fn of_file(meta: &Meta) -> Self {
        let recorded = meta.text(meta_keys::DAMAGED);
        let recorded: Vec<RecordedItem> =
            recorded.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let mut known = Known::default();
        for (document, client, clock, root, key) in recorded.into_iter().take(MAX_REMEMBERED) {
            if root.is_empty() {
                known.blocks.push((document, client, clock));
            } else {
                known.items.insert((document, ItemId { client, clock }), EntryRef { root, key });
            }
        }
        Self(Mutex::new(known))
    }

    /// The damaged blocks of which the file says so.
    pub(super) fn recorded_blocks(&self) -> Vec<DamagedBlock> {
        self.known().blocks.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, document: &str, found: Vec<(EntryRef, ItemId)>) {
        let mut known = self.known();
        for (at, id) in found {
            known.insert(document, id, at);
        }
    }

    /// Notes that a reader has come upon damage under a key of the current document.
    pub(super) fn notice(&self, error: &Error) {
        let root = match (error.table(), error.group()) {
            (Some(table), _) => Root::Table(table.to_owned()),
            (None, Some(group)) => Root::Group(group.to_owned()),
            (None, None) => return,
        };
        let Some(key) = error.key().or_else(|| error.field()) else { return };
        let mut known = self.known();
        if known.noticed.len() < MAX_REMEMBERED {
            known.noticed.insert(EntryRef::new(root.name(), key));
        }
    }

    /// The damaged items of a document.
    pub(super) fn of(&self, document: &str) -> BTreeSet<ItemId> {
        let known = self.known();
        let items = known.items.keys().filter(|(of, _)| of == document);
        items.map(|(_, id)| *id).collect()
    }

    /// Returns the items that are still damaged. One that was written over, removed or healed is
    /// not.
    pub(super) fn left(&self, view: &Arc<View>) -> Result<DamagedItems> {
        let mut known = self.known();
        if view.is_of_older_format() {
            // It has no items yet. What was noticed is looked for once it has.
            return Ok(DamagedItems::new());
        }
        if !known.noticed.is_empty() {
            let document = StoredDocument::new(view.clone(), view.document_name());
            let noticed = std::mem::take(&mut known.noticed);
            for (at, id) in live_items(&document, &noticed)? {
                known.insert(view.document_name(), id, at);
            }
        }
        let blocks = view.damaged_blocks();
        if known.blocks != blocks {
            known.blocks = blocks;
            known.version += 1;
        }
        let mut failed = None;
        let before = known.items.len();
        known.items.retain(|(document, id), at| {
            let document = StoredDocument::new(view.clone(), document);
            is_damaged(&document, *id, at).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                true
            })
        });
        if known.items.len() != before {
            known.version += 1;
        }
        failed.map_or_else(|| Ok(known.items.clone()), Err)
    }

    /// The first of what is still damaged.
    pub(super) fn first_left(&self, view: &Arc<View>) -> Result<Option<EntryRef>> {
        Ok(self.left(view)?.into_values().next())
    }

    /// Records in a commit what the file does not say yet.
    pub(super) fn record(&self, commit: &Commit) -> Result<()> {
        let mut known = self.known();
        if known.recorded == known.version {
            return Ok(());
        }
        let items: Vec<RecordedItem> = known
            .items
            .iter()
            .map(|((document, id), at)| {
                (document.clone(), id.client, id.clock, at.root.clone(), at.key.clone())
            })
            .chain(known.blocks.iter().map(|(document, client, start)| {
                (document.clone(), *client, *start, String::new(), String::new())
            }))
            .collect();
        commit.set_meta(meta_keys::DAMAGED, &to_json(&items)?)?;
        known.recording = known.version;
        Ok(())
    }

    /// Notes that the commit was made.
    pub(super) fn is_recorded(&self) {
        let mut known = self.known();
        known.recorded = known.recorded.max(known.recording);
    }
}

impl Known {
    fn insert(&mut self, document: &str, id: ItemId, at: EntryRef) {
        if self.items.len() < MAX_REMEMBERED
            && self.items.insert((document.to_owned(), id), at).is_none()
        {
            self.version += 1;
        }
    }
}

fn is_damaged(document: &StoredDocument, id: ItemId, at: &EntryRef) -> Result<bool> {
    if id.clock >= document.clock(id.client)? || document.is_dead(id)? {
        return Ok(false);
    }
    match document.value(&at.root, &at.key) {
        Ok(value) => Ok(value.is_none_or(|(found, _)| found != id)),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(true),
        Err(error) => Err(error),
    }
}

//! What of the file was found to be damaged since it was opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{StoredDocument, View};
use crate::doc::items::ReadItems;
use crate::error::{ErrorKind, Result};
use crate::row::{EntryRef, ItemId};

/// At most so many entries are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// The entries that were withheld from other devices, by document and item.
#[derive(Debug, Default)]
pub(super) struct Damage(Mutex<BTreeMap<(String, ItemId), EntryRef>>);

impl Damage {
    pub(super) fn add(&self, document: &str, found: Vec<(EntryRef, ItemId)>) {
        if found.is_empty() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, id) in found {
            if known.len() < MAX_REMEMBERED {
                known.insert((document.to_owned(), id), at);
            }
        }
    }

    /// The first of them that is still damaged. What was written over or removed is not.
    pub(super) fn first_left(&self, view: &Arc<View>) -> Result<Option<EntryRef>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failed = None;
        known.retain(|(document, id), at| {
            let document = StoredDocument::new(view.clone(), document);
            is_damaged(&document, *id, at).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                true
            })
        });
        failed.map_or_else(|| Ok(known.values().next().cloned()), Err)
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

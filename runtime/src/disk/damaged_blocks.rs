//! From which clock on the items of a client are not known, since a block of them is damaged.
//!
//! The known items of a client end before its first damaged block: so a summary says, and another
//! device that has the items gives them again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::TableDefinition;

use super::failure::guarded;
use super::seal::unseal;
use super::view::View;
use super::{keys, names};
use crate::error::Result;

/// A damaged block: its document, its client, and the clock of its first item.
pub(crate) type DamagedBlock = (String, u64, u32);

/// The damaged blocks that were come upon in one view.
#[derive(Debug, Default)]
pub(super) struct DamagedBlocks {
    /// Whether there are any, so that looking for one mostly takes no lock.
    has_any: AtomicBool,
    first: Mutex<BTreeMap<(String, u64), u32>>,
}

impl DamagedBlocks {
    fn first(&self) -> MutexGuard<'_, BTreeMap<(String, u64), u32>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, document: &str, client: u64, start: u32) {
        let mut first = self.first();
        let known = first.entry((document.to_owned(), client)).or_insert(start);
        *known = start.min(*known);
        self.has_any.store(true, Ordering::Release);
    }

    /// The clock from which on the items of a client are not known.
    pub(super) fn start(&self, document: &str, client: u64) -> Option<u32> {
        if !self.has_any.load(Ordering::Acquire) {
            return None;
        }
        self.first().get(&(document.to_owned(), client)).copied()
    }
}

impl View {
    /// The first damaged block of each client that was come upon.
    pub(crate) fn damaged_blocks(&self) -> Vec<DamagedBlock> {
        if !self.blocks.has_any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let first = self.blocks.first();
        first
            .iter()
            .map(|((document, client), start)| (document.clone(), *client, *start))
            .collect()
    }

    /// Looks at blocks that were damaged before, and takes note of those that still are.
    pub(crate) fn look_at_blocks(&self, blocks: Vec<DamagedBlock>) -> Result<()> {
        for (document, client, start) in blocks {
            let is_damaged = guarded(|| {
                let key = keys::of_item(keys::BLOCK, client, start);
                for name in [names::tail(&document), names::items(&document)] {
                    let table = self.open(TableDefinition::<&[u8], _>::new(&name))?;
                    let block = table.map(|table| table.get(key.as_slice())).transpose()?.flatten();
                    if let Some(block) = block {
                        return Ok(unseal(&key, block.value()).is_err());
                    }
                }
                Ok(false)
            })?;
            if is_damaged {
                self.blocks.add(&document, client, start);
            }
        }
        Ok(())
    }
}

//! Updates that came before what they depend on.
//!
//! An update whose device has written something earlier that is not here yet waits as a whole, so
//! that the writes of one transaction are not seen in parts. What an update needs of *other*
//! devices yrs finds out item by item; it holds such items back itself.

use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, StateVector, Transact, TransactionMut, Update, WriteTxn};

use super::BadUpdate;
use super::document::{Document, decode};
use crate::row::ItemId;

impl Document {
    /// Keeps an update until what came before it is here; tells whether it is news.
    pub(crate) fn wait(&mut self, update: &[u8]) -> bool {
        let is_new = !self.waiting.iter().any(|waiting| waiting == update);
        if is_new {
            self.waiting.push(update.to_vec());
        }
        is_new
    }

    /// The updates that wait.
    pub(crate) fn waiting(&self) -> &[Vec<u8>] {
        &self.waiting
    }

    /// Ends the loading of a document: takes in what waited for records that came after it in the
    /// log.
    pub(crate) fn settle(&mut self) -> Result<(), BadUpdate> {
        release(&mut self.doc.transact_mut(), &mut self.waiting)?;
        self.find_gaps()
    }

    /// Notes whether there are gaps now.
    pub(super) fn find_gaps(&mut self) -> Result<(), BadUpdate> {
        // A version counts each device up to its first gap, so that beyond it there is nothing
        // unless there are gaps. They come of damaged log records only.
        let beyond = decode(&self.changes_since(&self.version()))?;
        self.gaps = !beyond.insertions(true).is_empty();
        Ok(())
    }

    /// Whether updates, or parts of them, wait for others that have not arrived.
    pub(crate) fn has_pending(&self) -> bool {
        !self.waiting.is_empty() || self.doc.transact().has_missing_updates()
    }

    /// What yrs holds back.
    pub(super) fn held_back(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let txn = self.doc.transact();
        let store = txn.store();
        (
            store.pending_update().map(|pending| pending.update.encode_v1()),
            store.pending_ds().map(Encode::encode_v1),
        )
    }
}

/// Whether a device has written something before the update that `state` does not have.
pub(super) fn must_wait(state: &StateVector, update: &Update) -> bool {
    let lower = update.state_vector_lower();
    lower.iter().any(|(client, clock)| *clock > state.get(client))
}

/// Whether an update holds writes of `next`'s device from that one on.
pub(super) fn reaches(update: &Update, next: ItemId) -> bool {
    let insertions = update.insertions(true);
    let mut own = insertions.iter().filter(|(client, _)| client.get() == next.client);
    own.any(|(_, ranges)| ranges.iter().any(|range| range.end > next.clock))
}

/// Whether an update itself leaves out writes between others of the same device.
pub(super) fn has_gap(update: &Update) -> bool {
    update.insertions(true).iter().any(|(_, ranges)| ranges.len() > 1)
}

/// Integrates an update, and what yrs held back and no longer has to.
pub(super) fn apply(txn: &mut TransactionMut<'_>, update: Update) -> Result<(), BadUpdate> {
    txn.apply_update(update).map_err(|error| BadUpdate(error.to_string()))?;
    // yrs tries again only when the last clock of a device moves, and not when an update fills a
    // gap before it.
    while let Some(held_back) = txn.prune_pending() {
        let before = (txn.insert_set().clone(), txn.delete_set().clone());
        txn.apply_update(held_back).map_err(|error| BadUpdate(error.to_string()))?;
        if (txn.insert_set(), txn.delete_set()) == (&before.0, &before.1) {
            break;
        }
    }
    Ok(())
}

/// Integrates those of the waiting updates that no longer have to wait.
pub(super) fn release(
    txn: &mut TransactionMut<'_>,
    waiting: &mut Vec<Vec<u8>>,
) -> Result<(), BadUpdate> {
    loop {
        let mut ready = None;
        for (index, update) in waiting.iter().enumerate() {
            let update = decode(update)?;
            if !must_wait(&txn.state_vector(), &update) {
                ready = Some((index, update));
                break;
            }
        }
        let Some((index, update)) = ready else { return Ok(()) };
        waiting.swap_remove(index);
        apply(txn, update)?;
    }
}

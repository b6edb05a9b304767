//! Updates from elsewhere: what they changed, and what of them to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use yrs::updates::encoder::Encode;
use yrs::{Map, Observable, ReadTxn, Transact};

use super::document::{Document, decode};
use super::{BadUpdate, DocVersion};

/// The name under which our observers are registered and removed again.
const OBSERVER: &str = "heirloom";

type ChangedKeys = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What an update did.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The keys that may have changed, by root name.
    pub(crate) changed: ChangedKeys,
    /// What the log must keep of it; `None` where everything was known before.
    pub(crate) record: Option<Vec<u8>>,
}

impl Document {
    /// Integrates an update from elsewhere.
    ///
    /// Parts whose dependencies are missing wait inside the document. After an error the document
    /// is in no defined state and must be dropped.
    pub(crate) fn merge(&mut self, update: &[u8]) -> Result<Merged, BadUpdate> {
        let decoded = decode(update)?;
        let known = self.maps();
        let changed = Arc::new(Mutex::new(ChangedKeys::new()));
        for root in &known {
            self.observe(root, &changed);
        }
        let outcome = self.integrate(decoded);
        for root in &known {
            if let Some(map) = self.doc.transact().get_map(&**root) {
                map.unobserve(OBSERVER);
            }
        }
        let (effect, pending_changed) = outcome?;

        let mut changed =
            std::mem::take(&mut *changed.lock().unwrap_or_else(PoisonError::into_inner));
        // A root that this update made had no observer: all that is in it is new.
        for root in self.maps() {
            if !known.contains(&root) {
                let txn = self.doc.transact();
                if let Some(map) = txn.get_map(&*root) {
                    changed.insert(root, map.keys(&txn).map(Arc::from).collect());
                }
            }
        }
        // Waiting parts are in no effect yet, so that only the update itself keeps them.
        let record = if pending_changed { Some(update.to_vec()) } else { effect };
        Ok(Merged { changed, record })
    }

    fn observe(&self, root: &Arc<str>, changed: &Arc<Mutex<ChangedKeys>>) {
        // A root that came in an update has no type yet, and without one yrs tells of no change.
        let map = self.doc.get_or_insert_map(&**root);
        let (root, changed) = (root.clone(), changed.clone());
        map.observe(OBSERVER, move |txn, event| {
            let mut changed = changed.lock().unwrap_or_else(PoisonError::into_inner);
            changed.entry(root.clone()).or_default().extend(event.keys(txn).keys().cloned());
        });
    }

    /// The update's effect on what is integrated, and whether what waits has changed.
    fn integrate(&mut self, update: yrs::Update) -> Result<(Option<Vec<u8>>, bool), BadUpdate> {
        let waiting_before = self.waiting();
        let effect = {
            let mut txn = self.doc.transact_mut();
            txn.apply_update(update).map_err(|error| BadUpdate(error.to_string()))?;
            txn.commit();
            let changed = !txn.insert_set().is_empty() || !txn.delete_set().is_empty();
            changed.then(|| txn.encode_update_v1())
        };
        Ok((effect, self.waiting() != waiting_before))
    }

    /// The updates and deletions that wait for others.
    fn waiting(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let txn = self.doc.transact();
        let store = txn.store();
        (
            store.pending_update().map(|pending| pending.update.encode_v1()),
            store.pending_ds().map(Encode::encode_v1),
        )
    }

    /// Whether a copy at `theirs` lacks nothing that this one holds.
    pub(crate) fn is_known_to(&self, theirs: &DocVersion) -> bool {
        let ours = self.version();
        let covered = ours
            .clocks
            .iter()
            .all(|(client, clock)| theirs.clocks.get(client).is_some_and(|theirs| theirs >= clock));
        covered
            && (ours.deletions == 0 || ours.deletions == theirs.deletions)
            && !self.has_pending()
    }
}

//! Updates from elsewhere: what they changed, and what of them to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use yrs::types::EntryChange;
use yrs::{Map, Observable, ReadTxn, Transact, Update};

use super::document::{Document, decode};
use super::entry::content;
use super::waiting::{apply, has_gap, must_wait, reaches, release};
use super::{BadUpdate, DocVersion};
use crate::row::Content;

/// The name under which our observers are registered and removed again.
const OBSERVER: &str = "heirloom";

/// Keys by root name.
pub(crate) type ChangedKeys = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What an observer has seen.
#[derive(Debug, Default)]
struct Seen {
    changed: ChangedKeys,
    removed: Vec<Removed>,
}

/// An entry that is gone, and what it was.
#[derive(Debug)]
pub(crate) struct Removed {
    pub(crate) root: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) content: Content,
}

/// What an update did.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The keys that may have changed, by root name.
    pub(crate) changed: ChangedKeys,
    /// Those among them that were there before and are gone.
    pub(crate) removed: Vec<Removed>,
    /// What the log must keep of it; `None` where everything was known before.
    pub(crate) record: Option<Vec<u8>>,
    /// Whether the record is that of an update that waits.
    pub(crate) waits: bool,
    /// Whether it holds writes under the id of this device that this device does not know.
    pub(crate) is_of_own_id: bool,
}

impl Document {
    /// Integrates an update from elsewhere, and what waited for it.
    ///
    /// An update whose dependencies are missing waits inside the document. After an error the
    /// document is in no defined state and must be dropped.
    pub(crate) fn merge(&mut self, update: &[u8]) -> Result<Merged, BadUpdate> {
        let decoded = decode(update)?;
        let is_of_own_id = reaches(&decoded, self.next_id());
        if must_wait(&self.doc.transact().state_vector(), &decoded) {
            let record = self.wait(update).then(|| update.to_vec());
            return Ok(Merged {
                changed: ChangedKeys::new(),
                removed: Vec::new(),
                record,
                waits: true,
                is_of_own_id,
            });
        }
        self.gaps |= has_gap(&decoded);
        let had_gaps = self.gaps;
        let known = self.maps();
        let seen = Arc::new(Mutex::new(Seen::default()));
        for root in &known {
            self.observe(root, &seen);
        }
        let outcome = self.integrate(decoded);
        for root in &known {
            if let Some(map) = self.doc.transact().get_map(&**root) {
                map.unobserve(OBSERVER);
            }
        }
        let (effect, held_changed) = outcome?;
        if had_gaps {
            self.find_gaps()?;
        }

        let Seen { mut changed, removed } =
            std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        // A root that this update made had no observer: all that is in it is new.
        for root in self.maps() {
            if !known.contains(&root) {
                let txn = self.doc.transact();
                if let Some(map) = txn.get_map(&*root) {
                    changed.insert(root, map.keys(&txn).map(Arc::from).collect());
                }
            }
        }
        // What yrs holds back is in no effect yet, and it encodes no effect beyond a gap, so that
        // only the update itself keeps them.
        let keep_whole = held_changed || had_gaps;
        let record = effect.map(|effect| if keep_whole { update.to_vec() } else { effect });
        let record = record.or_else(|| held_changed.then(|| update.to_vec()));
        Ok(Merged { changed, removed, record, waits: false, is_of_own_id })
    }

    fn observe(&self, root: &Arc<str>, seen: &Arc<Mutex<Seen>>) {
        // A root that came in an update has no type yet, and without one yrs tells of no change.
        let map = self.doc.get_or_insert_map(&**root);
        let (root, seen) = (root.clone(), seen.clone());
        map.observe(OBSERVER, move |txn, event| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let keys = event.keys(txn);
            for (key, change) in keys {
                if let EntryChange::Removed(was) = change {
                    let content = content(txn, was.clone());
                    seen.removed.push(Removed { root: root.clone(), key: key.clone(), content });
                }
            }
            seen.changed.entry(root.clone()).or_default().extend(keys.keys().cloned());
        });
    }

    /// The update's effect on what is integrated, and whether what yrs holds back has changed.
    fn integrate(&mut self, update: Update) -> Result<(Option<Vec<u8>>, bool), BadUpdate> {
        let held_before = self.held_back();
        let effect = {
            let mut txn = self.doc.transact_mut();
            apply(&mut txn, update)?;
            release(&mut txn, &mut self.waiting)?;
            txn.commit();
            let changed = !txn.insert_set().is_empty() || !txn.delete_set().is_empty();
            changed.then(|| txn.encode_update_v1())
        };
        Ok((effect, self.held_back() != held_before))
    }

    /// Whether a copy at `theirs` lacks nothing that this one holds.
    pub(crate) fn is_known_to(&self, theirs: &DocVersion) -> bool {
        self.version().is_known_to(theirs) && self.held_back() == (None, None) && !self.gaps
    }
}

//! How much of a document's history a copy holds, in a form that travels.

use std::collections::BTreeMap;

use twox_hash::XxHash3_64;
use yrs::block::ClientID;
use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, StateVector};

/// The writes and deletions that a copy of a document has integrated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DocVersion {
    /// How many clocks of each device.
    pub(crate) clocks: BTreeMap<u64, u32>,
    /// A hash of the deletions, which the clocks do not show; 0 where there are none.
    pub(crate) deletions: u64,
}

impl DocVersion {
    pub(super) fn of<T: ReadTxn>(txn: &T) -> Self {
        let snapshot = txn.snapshot();
        let clocks = snapshot.state_map.iter().map(|(client, clock)| (client.get(), *clock));
        let deletions = if snapshot.delete_set.is_empty() {
            0
        } else {
            XxHash3_64::oneshot(&snapshot.delete_set.encode_v1())
        };
        Self { clocks: clocks.collect(), deletions }
    }

    /// Whether a copy at `theirs` has integrated all that one at this version has.
    pub(crate) fn is_known_to(&self, theirs: &Self) -> bool {
        let covered =
            self.clocks.iter().all(|(client, clock)| theirs.clocks.get(client) >= Some(clock));
        covered && (self.deletions == 0 || self.deletions == theirs.deletions)
    }

    pub(super) fn state_vector(&self) -> StateVector {
        let mut state = StateVector::default();
        for (&client, &clock) in &self.clocks {
            state.set_max(ClientID::new(client), clock);
        }
        state
    }
}

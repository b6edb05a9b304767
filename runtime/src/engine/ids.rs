//! Ids that no other device has.

use std::sync::Arc;

use uuid::{Builder, Uuid};

use super::documents::DocName;
use super::open::Engine;

/// Gives the bits of ids in place of chance, so that a test runs twice the same way.
pub type IdSource = Arc<dyn Fn() -> u128 + Send + Sync>;

/// Random numbers that are the same for the same seed.
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

impl Engine {
    /// A client id no other device has: random, and below 2^53, which is what Yjs can represent.
    pub(crate) fn new_device(&self) -> u64 {
        let bits = match &self.settings.ids {
            Some(ids) => ids(),
            None => Uuid::new_v4().as_u128(),
        };
        let (_, low) = Uuid::from_u128(bits).as_u64_pair();
        low & ((1 << 53) - 1)
    }

    /// A document for what this device migrates now.
    pub(crate) fn new_claim(&self, generation: u32) -> DocName {
        let claim = match &self.settings.ids {
            Some(ids) => {
                let bits = ids().to_be_bytes();
                let (mut millis, mut rest) = ([0; 6], [0; 10]);
                millis.copy_from_slice(&bits[..6]);
                rest.copy_from_slice(&bits[6..]);
                let millis = millis.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
                Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
            }
            None => Uuid::now_v7(),
        };
        DocName { epoch: self.def.epoch, generation, claim: Some(claim) }
    }
}

//! How much of a document's history a copy holds, in a form that travels.

use std::collections::BTreeMap;
use std::ops::Range;

use twox_hash::XxHash3_64;

use super::items::ClockRanges;

/// The writes and deletions that a copy of a document has integrated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DocVersion {
    /// How many clocks of each device.
    pub(crate) clocks: BTreeMap<u64, u32>,
    /// A hash of the deletions, which the clocks do not show; 0 if there are none.
    pub(crate) deletions: u64,
}

impl DocVersion {
    /// Whether a copy at `theirs` has integrated all that one at this version has.
    pub(crate) fn is_known_to(&self, theirs: &Self) -> bool {
        let covered =
            self.clocks.iter().all(|(client, clock)| theirs.clocks.get(client) >= Some(clock));
        covered && (self.deletions == 0 || self.deletions == theirs.deletions)
    }
}

/// Hashes deletions of one client so that the sum of the hashes is that of all deletions, in
/// whatever parts they are given: the sum of the powers of an odd number at their clocks.
pub(crate) fn deletion_hash(client: u64, clocks: Range<u32>) -> u64 {
    // 5 modulo 8, so that no two clocks have the same power.
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    if clocks.is_empty() {
        return 0;
    }
    let of_client = XxHash3_64::oneshot(&client.to_le_bytes()) | 1;
    let (first, _) = power_and_sum(BASE, clocks.start);
    let (_, sum) = power_and_sum(BASE, clocks.end.saturating_sub(clocks.start));
    of_client.wrapping_mul(first).wrapping_mul(sum)
}

/// A power of a number, and the sum of all lower ones.
fn power_and_sum(base: u64, exponent: u32) -> (u64, u64) {
    let (mut power, mut sum) = (1u64, 0u64);
    // Those of the bits seen so far, from the highest: doubled, and one more if a bit is set.
    for bit in (0..u32::BITS).rev() {
        sum = sum.wrapping_add(power.wrapping_mul(sum));
        power = power.wrapping_mul(power);
        if exponent >> bit & 1 == 1 {
            sum = sum.wrapping_add(power);
            power = power.wrapping_mul(base);
        }
    }
    (power, sum)
}

/// The hash of deletions of several clients.
pub(crate) fn deletions_hash(deletions: &[(u64, ClockRanges)]) -> u64 {
    let of_ranges = |(client, ranges): &(u64, ClockRanges)| {
        let hashes = ranges.iter().map(|range| deletion_hash(*client, range.clone()));
        hashes.fold(0_u64, u64::wrapping_add)
    };
    deletions.iter().map(of_ranges).fold(0_u64, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hash_is_the_sum_of_its_parts(
            client in 0u64..1 << 53,
            mut cuts in proptest::collection::vec(any::<u32>(), 2..8),
        ) {
            cuts.sort_unstable();
            let parts = cuts.windows(2).map(|pair| deletion_hash(client, pair[0]..pair[1]));
            let sum = parts.fold(0, u64::wrapping_add);
            prop_assert_eq!(sum, deletion_hash(client, cuts[0]..cuts[cuts.len() - 1]));
        }

        #[test]
        fn sets_of_few_deletions_differ(
            one in proptest::collection::btree_set((0u64..4, 0u32..50), 0..6),
            other in proptest::collection::btree_set((0u64..4, 0u32..50), 0..6),
        ) {
            let hash = |set: &std::collections::BTreeSet<(u64, u32)>| {
                let hashes = set.iter().map(|(client, clock)| deletion_hash(*client, *clock..clock + 1));
                hashes.fold(0, u64::wrapping_add)
            };
            prop_assert_eq!(one == other, hash(&one) == hash(&other));
        }
    }

    #[test]
    fn an_empty_range_has_no_hash() {
        assert_eq!(deletion_hash(7, 5..5), 0);
        assert_ne!(deletion_hash(7, 0..u32::MAX), 0);
    }
}

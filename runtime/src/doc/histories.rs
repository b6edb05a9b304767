//! The common parts of random histories: copies that know which operations they have, and their
//! exchange.
//!
//! The test command runs 300 seeds. `HEIRLOOM_SEEDS=5000` runs as many, `HEIRLOOM_FIRST_SEED` says where to
//! begin, and `HEIRLOOM_SEED=123` runs one.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ops::Range;

use super::changes::changes_since;
use super::items::ReadItems;
use super::memory::Memory;
use super::merging::merge;
use super::oracle::random::Random;
use super::unseen::{Outcome, OwnIds, Writes};

/// As many seeds the test command runs.
const SEEDS: u64 = 300;

/// Indexes of operations.
pub(super) type Known = BTreeSet<usize>;

/// An update from one copy to another, and the operations in it.
pub(super) type Sent = (Vec<u8>, Known);

/// A copy of a document in memory.
pub(super) struct Copy {
    pub(super) items: Memory,
    pub(super) id: u64,
    earlier: Vec<u64>,
    pub(super) known: Known,
}

impl Copy {
    /// Some copies, whose ids are in no order.
    pub(super) fn some(random: &mut Random) -> Vec<Self> {
        let mut ids: Vec<u64> = (1..=9).collect();
        random.shuffle(&mut ids);
        let count = 3 + random.below(3);
        let copy = |id| Self {
            items: Memory::default(),
            id: id * 100,
            earlier: Vec::new(),
            known: Known::new(),
        };
        ids.into_iter().take(count).map(copy).collect()
    }

    /// Becomes a copy of its file, or a restored backup, which writes under another id.
    pub(super) fn renew(&mut self, nth: u64) {
        let id = self.id / 100 * 100 + nth % 100;
        if !self.earlier.contains(&id) && id != self.id {
            self.earlier.push(std::mem::replace(&mut self.id, id));
        }
    }

    /// Returns the changes of this copy that another lacks.
    pub(super) fn changes_for(&self, other: &Self) -> Sent {
        let clocks: BTreeMap<u64, u32> = other.items.clients().unwrap().into_iter().collect();
        let deletions = self.items.deletions().unwrap();
        let given = changes_since(&self.items, &clocks, &deletions).unwrap();
        (given.update, self.known.clone())
    }

    pub(super) fn take_in(&mut self, (update, ops): &Sent) -> Outcome {
        let own = OwnIds { device: self.id, earlier: &self.earlier };
        let merged = merge(&mut self.items, own, update).unwrap();
        assert!(!merged.waits, "an exchange is causal");
        self.known.extend(ops);
        merged.met.conclude(&mut self.items, own, Writes::Again).unwrap()
    }
}

/// The updates between copies: some of them come late, or twice.
#[derive(Default)]
pub(super) struct Network {
    /// The updates on their way, and the copy that each is for.
    flight: Vec<(usize, Sent)>,
    renewals: u64,
}

impl Network {
    /// Lets a copy become another one, or gives what it, or another, takes in now.
    pub(super) fn step<D: AsMut<Copy>>(
        &mut self,
        random: &mut Random,
        devices: &mut [D],
        at: usize,
    ) -> Option<(usize, Sent)> {
        if random.percent(4) {
            self.renewals += 1;
            devices[at].as_mut().renew(self.renewals);
            return None;
        }
        if !random.percent(66) && !self.flight.is_empty() {
            return Some(self.flight[random.below(self.flight.len())].clone());
        }
        let from = random.below(devices.len());
        let [from, to] = devices.get_disjoint_mut([from, at]).ok()?;
        let sent = from.as_mut().changes_for(to.as_mut());
        let comes = random.percent(60).then(|| (at, sent.clone()));
        if random.percent(55) {
            self.flight.push((at, sent));
        }
        comes
    }
}

/// All pairs of copies, from and to, in some order.
pub(super) fn pairs(random: &mut Random, count: usize) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> =
        (0..count * count).map(|pair| (pair / count, pair % count)).collect();
    pairs.retain(|(from, to)| from != to);
    random.shuffle(&mut pairs);
    pairs
}

pub(super) fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds that the environment names, or the first ones.
pub(super) fn seeds() -> Range<u64> {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        return seed..seed + 1;
    }
    let first = number("HEIRLOOM_FIRST_SEED").unwrap_or_default();
    first..first + number("HEIRLOOM_SEEDS").unwrap_or(SEEDS)
}

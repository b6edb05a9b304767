//! Random histories of several copies, of yrs and ours side by side, that must agree in rows, item
//! ids, clocks and deletions.
//!
//! The test command runs 200 seeds. `HEIRLOOM_SEEDS=5000` runs as many, `HEIRLOOM_FIRST_SEED` says
//! where to begin, and `HEIRLOOM_SEED=123` runs one. With `HEIRLOOM_YJS`, copies of Yjs take part.

mod copies;
mod damage;
pub(in crate::doc) mod random;
mod view;
mod writes;
mod yjs;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::updates::encoder::Encode;
use yrs::{diff_updates_v1, merge_updates_v1};

use self::copies::{Copy, Kinds, Op};
use self::random::Random;
use self::view::{ROOTS, View};
use crate::doc::rules::{Rule, with_broken};

const KEYS: [&str; 4] = ["k", "é", "x1", "key-number-three"];

/// As many seeds the test command runs.
const SEEDS: u64 = 200;

struct History {
    random: Random,
    copies: Vec<Copy>,
    /// Every update that was written.
    updates: Vec<Vec<u8>>,
    /// Whether copies exchange what they lack, or single updates in any order.
    is_causal: bool,
    kinds: Kinds,
    /// Whether only few keys are written.
    is_narrow: bool,
    written: u32,
}

fn run_seed(seed: u64) {
    let mut history = History::new(seed);
    let is_long = history.random.percent(10);
    let steps = if is_long { 100..300 } else { 5..60 };
    for _ in 0..history.random.in_range(steps) {
        history.step();
    }
    for round in 0..2 {
        history.exchange_all();
        history.check_fresh_copies();
        if round == 0 {
            history.write_on_top();
        }
    }
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = 2 + random.below(4);
        let mut clients = BTreeSet::new();
        while clients.len() < count {
            clients.insert(match random.below(4) {
                0 => random.in_range(1..4),
                1 => (1 << 53) - random.in_range(1..4),
                _ => random.in_range(1..1 << 53),
            });
        }
        let mut clients: Vec<u64> = clients.into_iter().collect();
        random.shuffle(&mut clients);
        let kinds = Kinds {
            others: random.percent(60),
            overwritten: random.percent(25),
            nested: random.percent(15),
        };
        let copies = clients.iter().enumerate().map(|(index, client)| {
            if index == 0 || (index > 1 && random.percent(50)) {
                Copy::ours(*client)
            } else if yjs::folder().is_some() && random.percent(60) {
                Copy::yjs(*client, random.percent(25))
            } else {
                // Documents that keep what is dead write updates with its content.
                Copy::yrs(*client, random.percent(25) && !kinds.overwritten && !kinds.nested)
            }
        });
        let copies = copies.collect();
        Self {
            copies,
            updates: Vec::new(),
            is_causal: kinds.nested || random.percent(50),
            kinds,
            is_narrow: random.percent(35),
            written: 0,
            random,
        }
    }

    fn step(&mut self) {
        let at = self.random.below(self.copies.len());
        if self.random.percent(45) {
            self.write(at, self.kinds);
        } else if self.is_causal {
            let from = self.random.below(self.copies.len());
            if from != at {
                let update = match self.random.below(4) {
                    0 => self.copies[from].since(&BTreeMap::new()),
                    1 => self.copies[from].lacking_in(&self.copies[at].view()),
                    _ => self.copies[from].since(&self.copies[at].view().clocks),
                };
                self.copies[at].apply(&update);
            }
        } else if !self.updates.is_empty() {
            let update = self.any_update(at);
            self.copies[at].apply(&update);
        }
        if self.is_causal {
            self.copies[at].check_shadow();
        }
    }

    fn write(&mut self, at: usize, kinds: Kinds) {
        let ops = self.ops();
        let update = self.copies[at].write(&ops, kinds, &mut self.random);
        self.updates.push(update);
    }

    fn ops(&mut self) -> Vec<Op> {
        let (roots, keys) = if self.is_narrow { (1, 2) } else { (ROOTS.len(), KEYS.len()) };
        let mut seen = BTreeSet::new();
        let mut ops = Vec::new();
        for _ in 0..self.random.in_range(1..4) {
            let entry = (self.random.below(roots), self.random.below(keys));
            if seen.insert(entry) {
                self.written += 1;
                let text = self.random.percent(66).then(|| format!("{{\"n\":{}}}", self.written));
                ops.push((ROOTS[entry.0], KEYS[entry.1], text));
            }
        }
        ops
    }

    /// An update that was written, several in one, a part of one, or what a copy would send.
    fn any_update(&mut self, at: usize) -> Vec<u8> {
        match self.random.below(8) {
            // yrs does not merge blocks of nothing with others.
            0 | 1 if !self.kinds.overwritten => {
                let count = 1 + self.random.below(4);
                let some: Vec<_> =
                    (0..count).map(|_| self.random.pick(&self.updates).clone()).collect();
                merge_updates_v1(some).unwrap()
            }
            2 if !self.kinds.overwritten => {
                let known = self.random.pick(&self.copies).view().clocks;
                let known = self.cut(&known);
                let update = self.random.pick(&self.updates);
                diff_updates_v1(update, &view::state_vector(&known).encode_v1()).unwrap()
            }
            3 => {
                let from = self.random.below(self.copies.len());
                self.copies[from].since(&BTreeMap::new())
            }
            4 => {
                let from = self.random.below(self.copies.len());
                self.copies[from].since(&self.copies[at].view().clocks)
            }
            _ => self.random.pick(&self.updates).clone(),
        }
    }

    fn cut(&mut self, clocks: &BTreeMap<u64, u32>) -> BTreeMap<u64, u32> {
        let random = &mut self.random;
        clocks
            .iter()
            .map(|(client, clock)| (*client, random.below(*clock as usize + 1) as u32))
            .collect()
    }

    /// Everybody gets every update, in any order, and all agree.
    fn exchange_all(&mut self) {
        for copy in &mut self.copies {
            let mut updates: Vec<&Vec<u8>> = self.updates.iter().collect();
            self.random.shuffle(&mut updates);
            for update in updates {
                copy.apply(update);
            }
        }
        if self.kinds.nested {
            self.exchange_deletions();
        }
        let agreed = self.copies[0].view();
        for copy in &self.copies {
            assert_eq!(copy.view(), agreed, "after all updates");
            copy.check_shadow();
            if let Copy::Ours(ours) = copy {
                assert_eq!(ours.items.waiting_count(), 0, "nothing has to wait any more");
            }
        }
    }

    /// Everybody gets what everybody has, since only yrs deletes what hangs on something dead.
    fn exchange_deletions(&mut self) {
        let all: Vec<_> = self.copies.iter().map(|copy| copy.since(&BTreeMap::new())).collect();
        for copy in &mut self.copies {
            all.iter().for_each(|update| copy.apply(update));
        }
    }

    /// Checks that all that a copy would send makes a fresh one of it, at once or in two parts.
    fn check_fresh_copies(&mut self) {
        let agreed = self.copies[0].view();
        let cut = self.cut(&agreed.clocks);
        for copy in &self.copies {
            let (whole, part) = (copy.since(&BTreeMap::new()), copy.since(&cut));
            let fresh = || {
                let yjs = yjs::folder().map(|_| Copy::yjs(97, false));
                [Copy::yrs(99, false), Copy::ours(98)].into_iter().chain(yjs)
            };
            check_fresh(&agreed, fresh(), &[&whole]);
            if self.kinds.overwritten || self.kinds.nested {
                // yrs takes blocks of nothing of which it has the end twice.
                check_fresh(&agreed, [Copy::ours_alone(98)], &[&part, &whole]);
            } else {
                check_fresh(&agreed, fresh(), &[&part, &whole]);
            }
        }
    }

    fn write_on_top(&mut self) {
        let kinds = Kinds { overwritten: false, ..self.kinds };
        for at in 0..self.copies.len() {
            for _ in 0..self.random.below(4) {
                self.write(at, kinds);
            }
        }
    }
}

fn check_fresh(agreed: &View, copies: impl IntoIterator<Item = Copy>, updates: &[&Vec<u8>]) {
    for mut fresh in copies {
        for update in updates {
            fresh.apply(update);
        }
        assert_eq!(fresh.view(), *agreed, "a fresh copy");
        fresh.check_shadow();
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

#[test]
fn copies_agree_with_those_of_yrs() {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        return run_seed(seed);
    }
    let first = number("HEIRLOOM_FIRST_SEED").unwrap_or(0);
    let count = number("HEIRLOOM_SEEDS").unwrap_or(SEEDS);
    for seed in first..first + count {
        if let Err(panic) = catch_unwind(|| run_seed(seed)) {
            println!("HEIRLOOM_SEED={seed} cargo test -p heirloom --lib doc::oracle::copies_agree");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn a_broken_rule_is_noticed() {
    for rule in [
        Rule::HighestFirst,
        Rule::HighestAfter,
        Rule::HighestInRun,
        Rule::OffTip,
        Rule::OldTipDies,
        Rule::AfterRemoved,
        Rule::WaitsWhole,
        Rule::DeadWithoutContent,
    ] {
        let notices = |seed| {
            catch_unwind(AssertUnwindSafe(|| with_broken(Some(rule), || run_seed(seed)))).is_err()
        };
        let noticed = (0..SEEDS).find(|seed| notices(*seed));
        assert!(noticed.is_some(), "{rule:?} is broken, and nothing tells");
    }
}

//! Damaged updates: refused, or taken as what they say, and never a panic.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::copies::{Copy, Kinds};
use super::random::Random;
use super::{History, number, view};
use crate::doc::changes::changes_since;
use crate::doc::items::ReadItems;
use crate::doc::memory::Memory;
use crate::doc::merging::{check_update, merge};

/// As many seeds the test command runs.
const SEEDS: u64 = 40;

const OWN: u64 = 5;

fn run_seed(seed: u64) -> [u32; 3] {
    let updates = updates(seed);
    let mut random = Random::new(seed);
    let (mut refused, mut waiting, mut taken) = (0, 0, 0);
    for _ in 0..25 {
        let mut items = Memory::default();
        for _ in 0..random.below(6) {
            merge(&mut items, OWN.into(), &updates[random.below(updates.len())]).unwrap();
        }
        let damaged = damage(updates[random.below(updates.len())].clone(), &mut random);
        let before = items.clone();
        let is_update = check_update(&damaged).is_ok();
        match merge(&mut items, OWN.into(), &damaged) {
            Ok(merged) => {
                assert!(is_update);
                if merged.waits {
                    waiting += 1;
                } else {
                    taken += 1;
                }
                check_passed_on(&items);
            }
            Err(_) => {
                assert!(!is_update && items == before, "refused, and changed something");
                refused += 1;
            }
        }
    }
    [refused, waiting, taken]
}

/// Updates of a history, and states that hold them.
fn updates(seed: u64) -> Vec<Vec<u8>> {
    let mut history = History::new(seed);
    history.kinds =
        Kinds { others: true, overwritten: seed.is_multiple_of(3), nested: seed.is_multiple_of(2) };
    // Nested types come in order: out of order, yrs writes updates that it cannot read.
    history.is_causal |= history.kinds.nested;
    history.copies.push(Copy::yrs(77, false));
    for _ in 0..25 {
        history.step();
    }
    let states = history.copies.iter().map(|copy| copy.since(&BTreeMap::new()));
    let states: Vec<_> = states.collect();
    history.updates.into_iter().chain(states).collect()
}

fn damage(mut damaged: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..1 + random.below(3) {
        if damaged.is_empty() {
            break;
        }
        let at = random.below(damaged.len());
        match random.below(6) {
            0 => damaged.truncate(at),
            1 => drop(damaged.remove(at)),
            2 => damaged.insert(at, random.below(256) as u8),
            3 => damaged[at] ^= 1 << random.below(8),
            4 => damaged[at] = *random.pick(&[0, 1, 10, 127, 128, 255, 7, 8, 0x27, 0xA8, 0xC7]),
            _ => damaged[at] = random.below(256) as u8,
        }
    }
    damaged
}

/// A fresh copy can be made of what is here.
fn check_passed_on(items: &Memory) {
    let deletions = items.deletions().unwrap();
    let whole = changes_since(items, &BTreeMap::new(), &deletions).unwrap().update;
    let mut fresh = Memory::default();
    let merged = merge(&mut fresh, OWN.into(), &whole).unwrap();
    assert!(!merged.waits, "a copy gives out an update that no other copy can take in");
    assert_eq!(view::of_items(&fresh), view::of_items(items), "a copy of damage");
}

#[test]
fn damaged_updates_do_no_harm() {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        run_seed(seed);
        return;
    }
    let first = number("HEIRLOOM_FIRST_SEED").unwrap_or(0);
    let count = number("HEIRLOOM_SEEDS").unwrap_or(SEEDS);
    let mut sums = [0; 3];
    for seed in first..first + count {
        match catch_unwind(AssertUnwindSafe(|| run_seed(seed))) {
            Ok(counts) => sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count),
            Err(panic) => {
                println!("HEIRLOOM_SEED={seed} cargo test -p heirloom --lib damaged_updates");
                std::panic::resume_unwind(panic);
            }
        }
    }
    let [refused, waiting, taken] = sums;
    println!("{refused} refused, {waiting} wait, {taken} taken");
    assert!(refused > 0 && waiting > 0 && taken > 0);
}

//! A model of late edits: documents as sets that only grow, the rule of `docs/design/late-edits.md`, and
//! random histories in which shown and waiting must be exactly the edits that no author decided.
//!
//! It needs nothing of the runtime. The test command runs 300 seeds. `HEIRLOOM_SEEDS=5000` runs as many,
//! `HEIRLOOM_FIRST_SEED` says where to begin, and `HEIRLOOM_SEED=123` runs one.

mod check;
mod document;
mod examples;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "every test file uses a part of it")]
mod random;
mod rule;
mod schema;
mod world;

use rule::{REJECTED, Rule};
use world::World;

const SEEDS: u64 = 300;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn run(seed: u64, rule: Rule) -> Result<(), String> {
    let mut world = World::new(seed, rule);
    world.tells = number("HEIRLOOM_SEED").is_some() && rule == Rule::Final;
    for _ in 0..20 + world.random.below(70) {
        for device in world.step() {
            world.check(device, false)?;
        }
    }
    world.end();
    world.check_end()
}

#[test]
fn shown_and_waiting_are_what_is_not_decided() {
    let one = number("HEIRLOOM_SEED");
    let first = one.or(number("HEIRLOOM_FIRST_SEED")).unwrap_or(0);
    let count = if one.is_some() { 1 } else { number("HEIRLOOM_SEEDS").unwrap_or(SEEDS) };
    let failed: Vec<(u64, String)> = (first..first + count)
        .filter_map(|seed| Some((seed, run(seed, Rule::Final).err()?)))
        .collect();
    for (seed, what) in failed.iter().take(3) {
        println!("HEIRLOOM_SEED={seed} cargo test -p heirloom-tests --test model shown\n{what}");
    }
    assert!(failed.is_empty(), "{} of {count} seeds fail", failed.len());
}

#[test]
fn rejected_variants_fail() {
    let is_missed = |rule: &Rule| (0..SEEDS).all(|seed| run(seed, *rule).is_ok());
    let missed: Vec<_> = REJECTED.into_iter().filter(is_missed).collect();
    assert!(missed.is_empty(), "rejected, and no history shows why: {missed:?}");
}

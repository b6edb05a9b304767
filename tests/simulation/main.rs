//! Several devices with code of several epochs, random histories, and an outside model that says
//! what must have become of every edit.
//!
//! The test command runs 200 seeds, 100 more that edit fields of cards, add to their counters, put into their sets,
//! and in three of four insert, remove and write them whole, and the [`scenarios`].
//! `HEIRLOOM_SEEDS=5000` runs as many, `HEIRLOOM_FIRST_SEED` says where to begin; `HEIRLOOM_SEED=123`
//! runs one, and where it fails, leaves out step after step as long as it still fails, and prints what is
//! left. `HEIRLOOM_STEPS` is how many steps a run has.

mod cards;
mod code;
#[allow(dead_code, reason = "every test file uses a part of it")]
mod faults;
mod frames;
mod model;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "every test file uses a part of it")]
mod random;
mod scenarios;
mod steps;
mod stores;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use random::Random;
use steps::{Step, draw};
use world::{WITH_FIELDS, World};

const SEEDS: u64 = 200;

const STEPS: u64 = 45;
const THREADS: u64 = 2;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What went wrong, and what had happened.
struct Failure {
    what: String,
    log: Vec<String>,
    /// How many steps it took.
    taken: usize,
}

fn run(seed: u64, steps: &[Step]) -> Result<(), Failure> {
    let mut world = World::new(seed).map_err(|what| Failure { what, log: Vec::new(), taken: 0 })?;
    for (taken, step) in steps.iter().enumerate() {
        let outcome = catch_unwind(AssertUnwindSafe(|| world.take(step)));
        let what = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(what)) => what,
            Err(panic) => format!("panicked at {step:?}: {}", text_of_panic(&*panic)),
        };
        return Err(Failure { what, log: world.log, taken: taken + 1 });
    }
    let taken = steps.len();
    match catch_unwind(AssertUnwindSafe(|| world.end())) {
        Ok((Ok(()), _)) => Ok(()),
        Ok((Err(what), log)) => Err(Failure { what, log, taken }),
        Err(panic) => {
            let what = format!("panicked at the end: {}", text_of_panic(&*panic));
            Err(Failure { what, log: Vec::new(), taken })
        }
    }
}

fn text_of_panic(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}

fn steps_of(seed: u64) -> Vec<Step> {
    draw(&mut Random::new(seed), number("HEIRLOOM_STEPS").unwrap_or(STEPS) as usize)
}

/// What went wrong, whichever the key, device and edit.
fn kind(failure: &Failure) -> String {
    let mut lines = failure.what.lines();
    let first = lines.next().unwrap_or_default();
    let line = if first.ends_with("is wrong:") { lines.next().unwrap_or(first) } else { first };
    let text = line.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    text.split('{').next().unwrap_or_default().to_owned()
}

/// Leaves out whatever it fails without.
fn shrunk(seed: u64, mut steps: Vec<Step>, mut failure: Failure) -> (Vec<Step>, Failure) {
    let wanted = kind(&failure);
    let fails = |steps: &[Step]| run(seed, steps).err().filter(|found| kind(found) == wanted);
    steps.truncate(failure.taken);
    let mut size = (steps.len() / 2).max(1);
    loop {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match fails(&fewer) {
                Some(found) => {
                    fewer.truncate(found.taken);
                    (steps, failure, has_shrunk) = (fewer, found, true);
                }
                None => at += size,
            }
        }
        for at in 0..steps.len() {
            if steps[at].fault.is_some() {
                let mut simpler = steps.clone();
                simpler[at].fault = None;
                if let Some(found) = fails(&simpler) {
                    (steps, failure, has_shrunk) = (simpler, found, true);
                }
            }
        }
        if size == 1 && !has_shrunk {
            return (steps, failure);
        }
        size = (size / 2).max(1);
    }
}

fn print(seed: u64, steps: &[Step], failure: &Failure) {
    eprintln!("--- seed {seed}, {} steps", steps.len());
    failure.log.iter().for_each(|line| eprintln!("  {line}"));
    eprintln!("{}", failure.what);
}

/// The history of a seed ends as the model says.
#[track_caller]
fn holds(seed: u64) {
    let steps = draw(&mut Random::new(seed), STEPS as usize);
    if let Err(failure) = run(seed, &steps) {
        print(seed, &steps[..failure.taken], &failure);
        panic!("seed {seed} fails; replay it, made short, with `{}`", replay(seed));
    }
}

fn replay(seed: u64) -> String {
    let test = if seed < WITH_FIELDS { "no_edit" } else { "no_field" };
    let seed = seed % WITH_FIELDS;
    format!("HEIRLOOM_SEED={seed} cargo test -p heirloom-tests --test simulation {test}")
}

#[test]
fn no_edit_is_lost_whatever_happens() {
    search(0, SEEDS);
}

#[test]
fn no_field_is_lost_beside_another() {
    search(WITH_FIELDS, SEEDS / 2);
}

/// Runs histories of so many seeds from this one on, or what is asked for.
fn search(from: u64, count: u64) {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        let seed = from + seed % WITH_FIELDS;
        let steps = steps_of(seed);
        if let Err(failure) = run(seed, &steps) {
            let (steps, failure) = shrunk(seed, steps, failure);
            print(seed, &steps, &failure);
            panic!("seed {seed} fails");
        }
        return;
    }
    let (asked, first) = (number("HEIRLOOM_SEEDS"), number("HEIRLOOM_FIRST_SEED"));
    let seeds: Vec<u64> =
        (from + first.unwrap_or(0)..).take(asked.unwrap_or(count) as usize).collect();
    let next = AtomicUsize::new(0);
    let failing: Vec<(u64, Failure)> = thread::scope(|scope| {
        let search = || {
            let mut failing = Vec::new();
            loop {
                let Some(&seed) = seeds.get(next.fetch_add(1, SeqCst)) else { return failing };
                if let Err(failure) = run(seed, &steps_of(seed)) {
                    failing.push((seed, failure));
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(search)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for (seed, failure) in &failing {
        let what = failure.what.lines().take(3).collect::<Vec<_>>().join(" ");
        eprintln!("seed {seed} after {} steps: {what}", failure.taken);
    }
    if let Some((seed, failure)) = failing.first() {
        print(*seed, &steps_of(*seed)[..failure.taken], failure);
        panic!(
            "{} of {} seeds fail; replay one, made short, with `{}`",
            failing.len(),
            seeds.len(),
            replay(*seed)
        );
    }
}

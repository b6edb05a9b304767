//! Random histories of whole stores that edit and remove the same few rows, with restarts and copied files,
//! held against a model that knows which write knew which.
//!
//! The test command runs 100 seeds. `HEIRLOOM_SEEDS=5000` runs as many, `HEIRLOOM_FIRST_SEED` says where to
//! begin, and `HEIRLOOM_SEED=123` runs one.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use heirloom::Store;

use crate::support::random::Random;
use crate::support::{Notebook, give, note, rows};

const SEEDS: u64 = 100;
const KEYS: u32 = 2;

/// An edit, with its text, or a removal.
struct Op {
    device: usize,
    key: u32,
    text: Option<String>,
    known: BTreeSet<usize>,
}

/// A device, and which operations it has.
pub(super) struct Device<S> {
    /// Where its file is; `None` for a store in memory.
    path: Option<PathBuf>,
    app: Option<S>,
    pub(super) known: BTreeSet<usize>,
}

impl<S: Store> Device<S> {
    /// The next device, with a file in a folder or in memory.
    pub(super) fn new(random: &mut Random, folder: &Path, index: usize) -> Self {
        let path = random.percent(40).then(|| folder.join(format!("{index}.redb")));
        let app = match &path {
            Some(path) => S::open(path).unwrap(),
            None => S::in_memory().unwrap(),
        };
        Self { path, app: Some(app), known: BTreeSet::new() }
    }

    pub(super) fn app(&self) -> &S {
        self.app.as_ref().expect("it is open")
    }

    /// Closes its file and opens it again: the same, or as a copy, which is another device.
    pub(super) fn restart(&mut self, as_copy: bool) {
        let Some(path) = self.path.clone() else { return };
        self.app = None;
        if as_copy {
            let moved = path.with_extension("moved");
            std::fs::copy(&path, &moved).unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::copy(&moved, &path).unwrap();
        }
        self.app = Some(S::open(&path).unwrap());
    }
}

pub(super) fn exchange<S: Store>(devices: &mut [Device<S>], from: usize, to: usize) {
    give(devices[from].app(), devices[to].app());
    let known = devices[from].known.clone();
    devices[to].known.extend(known);
}

/// Exchanges until all have the same.
pub(super) fn exchange_all<S: Store>(seed: u64, devices: &mut [Device<S>]) {
    let count = devices.len();
    for round in 0.. {
        assert!(round < 20, "seed {seed}: it does not end");
        for pair in 0..count * count {
            if pair / count != pair % count {
                exchange(devices, pair / count, pair % count);
            }
        }
        let first = devices[0].app().summary().unwrap();
        if devices.iter().all(|device| device.app().summary().unwrap() == first) {
            break;
        }
    }
}

fn run_seed(seed: u64) {
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut devices: Vec<Device<Notebook>> = Vec::new();
    for index in 0..3 + random.below(2) {
        devices.push(Device::new(&mut random, folder.path(), index));
    }
    let mut ops: Vec<Op> = Vec::new();
    for _ in 0..6 + random.below(30) {
        let at = random.below(devices.len());
        if random.percent(50) {
            let key = random.below(KEYS as usize) as u32;
            let app = devices[at].app();
            let is_there = app.notes.contains(&key).unwrap();
            let text = (!is_there || random.percent(60)).then(|| format!("v{}", ops.len()));
            match &text {
                Some(text) => app.notes.put(&note(key, text)).unwrap(),
                None => assert!(app.notes.remove(&key).unwrap()),
            }
            let index = ops.len();
            let known = devices[at].known.clone();
            devices[at].known.insert(index);
            ops.push(Op { device: at, key, text, known });
        } else if random.percent(8) {
            let as_copy = random.percent(50);
            devices[at].restart(as_copy);
        } else {
            let from = random.below(devices.len());
            if from != at {
                exchange(&mut devices, from, at);
            }
        }
    }
    exchange_all(seed, &mut devices);
    let expected = rows(&devices[0].app().notes);
    for device in &devices {
        assert_eq!(rows(&device.app().notes), expected, "seed {seed}: copies differ");
    }
    for key in 0..KEYS {
        let of_key: Vec<usize> = (0..ops.len()).filter(|op| ops[*op].key == key).collect();
        let stands = expected.iter().find(|note| note.id == key).map(|note| note.title.as_str());
        for edit in of_key.iter().copied() {
            let Some(text) = ops[edit].text.as_deref() else { continue };
            let is_seen = |op: &&usize| ops[**op].known.contains(&edit);
            let is_removed = of_key.iter().filter(is_seen).any(|op| ops[*op].text.is_none());
            assert!(
                is_removed || stands.is_some(),
                "seed {seed}: {key} is gone though no removal knew {text}"
            );
            let lost = devices[ops[edit].device].app().lost_edits().unwrap();
            if of_key.iter().find(is_seen).is_none() && stands != Some(text) {
                let is_listed = lost.iter().any(|lost| lost.loser().contains(text));
                assert!(is_listed, "seed {seed}: the author of {text} was not told");
            }
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Runs the seeds that the environment names, or the first ones.
pub(super) fn run_seeds(count: u64, run: impl Fn(u64)) {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        return run(seed);
    }
    let first = number("HEIRLOOM_FIRST_SEED").unwrap_or_default();
    (first..first + number("HEIRLOOM_SEEDS").unwrap_or(count)).for_each(run);
}

#[test]
fn no_edit_is_lost_to_a_removal_that_did_not_know_it_and_every_loss_is_told() {
    run_seeds(SEEDS, run_seed);
}

//! Random histories of whole stores that edit fields of the same few rows, with restarts, copied files and
//! rebuilt histories, held against a model that knows which write knew which.
//!
//! The test command runs 60 seeds; `HEIRLOOM_SEEDS`, `HEIRLOOM_FIRST_SEED` and `HEIRLOOM_SEED` as for the
//! histories of whole rows.

use std::collections::BTreeSet;

use super::conflicts_random::{Device, exchange, exchange_all, run_seeds};
use super::fields::{Address, Contacts, Person};
use crate::support::random::Random;
use crate::support::rows;

const SEEDS: u64 = 60;
const KEYS: u32 = 2;

#[derive(Debug, Clone, PartialEq)]
enum Did {
    Name(String),
    City(String),
    Visits(i64),
    Insert(u8),
    Take(u8),
}

struct Op {
    key: u32,
    did: Did,
    known: BTreeSet<usize>,
}

fn edit(random: &mut Random, app: &Contacts, key: u32, nth: usize) -> Option<Did> {
    let text = format!("v{nth}");
    let element = random.below(3) as u8;
    let mut did = match random.below(5) {
        0 => Did::Name(text),
        1 => Did::City(text),
        2 => Did::Visits(random.below(5) as i64 + 1),
        3 => Did::Insert(element),
        _ => Did::Take(element),
    };
    let mut is_change = true;
    let edited = app.people.update(&key, |person| match &mut did {
        Did::Name(text) => person.name.clone_from(text),
        Did::City(text) => person.address.city.clone_from(text),
        Did::Visits(by) => person.visits += *by,
        Did::Insert(element) => is_change = person.tags.insert(element.to_string()),
        Did::Take(element) => is_change = person.tags.remove(&element.to_string()),
    });
    assert!(edited.unwrap().is_some());
    is_change.then_some(did)
}

fn run_seed(seed: u64) {
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut devices: Vec<Device<Contacts>> = Vec::new();
    for index in 0..3 {
        devices.push(Device::new(&mut random, folder.path(), index));
    }
    let person = |id| Person {
        id,
        name: "first".into(),
        note: None,
        visits: 10,
        tags: BTreeSet::from(["0".to_owned()]),
        address: Address { city: "first".into(), zip: None },
    };
    devices[0].app().people.insert_many((0..KEYS).map(person)).unwrap();
    (1..devices.len()).for_each(|to| exchange(&mut devices, 0, to));
    let is_rebuilt = random.percent(50);
    let mut rebuilds = usize::from(is_rebuilt);
    let mut ops: Vec<Op> = Vec::new();
    for _ in 0..10 + random.below(30) {
        let at = random.below(devices.len());
        if random.percent(60) {
            let key = random.below(KEYS as usize) as u32;
            if let Some(did) = edit(&mut random, devices[at].app(), key, ops.len()) {
                let known = devices[at].known.clone();
                devices[at].known.insert(ops.len());
                ops.push(Op { key, did, known });
            }
        } else if random.percent(8) {
            let as_copy = random.percent(50);
            devices[at].restart(as_copy);
        } else if rebuilds > 0 && random.percent(15) {
            rebuilds -= 1;
            devices[0].app().compact_history().unwrap();
        } else {
            let from = random.below(devices.len());
            if from != at {
                exchange(&mut devices, from, at);
            }
        }
    }
    exchange_all(seed, &mut devices);
    let expected = rows(&devices[0].app().people);
    for device in &devices {
        assert_eq!(rows(&device.app().people), expected, "seed {seed}: copies differ");
    }
    for person in &expected {
        check(seed, person, &ops);
        // Where a late insertion meets a removal of the element in the new document, the removal stands.
        if !is_rebuilt {
            check_tags(seed, person, &ops);
        }
    }
}

/// Each field holds a last edit of it, and counters all that was counted.
fn check(seed: u64, person: &Person, ops: &[Op]) {
    let of_key = || ops.iter().enumerate().filter(|(_, op)| op.key == person.id);
    for (name, value) in [("name", &person.name), ("city", &person.address.city)] {
        let text = |op: &Op| match &op.did {
            Did::Name(text) if name == "name" => Some(text.clone()),
            Did::City(text) if name == "city" => Some(text.clone()),
            _ => None,
        };
        let writes: Vec<usize> =
            of_key().filter(|(_, op)| text(op).is_some()).map(|(at, _)| at).collect();
        let is_last = |at: &&usize| !writes.iter().any(|other| ops[*other].known.contains(at));
        let mut last = writes.iter().filter(is_last).filter_map(|at| text(&ops[*at]));
        let holds =
            if writes.is_empty() { value == "first" } else { last.any(|text| text == *value) };
        assert!(holds, "seed {seed}: the {name} of {} is {value}", person.id);
    }
    let counted: i64 =
        of_key().map(|(_, op)| if let Did::Visits(by) = op.did { by } else { 0 }).sum();
    assert_eq!(person.visits, 10 + counted, "seed {seed}: the visits of {}", person.id);
}

/// Sets hold what was put in and not taken out knowingly.
fn check_tags(seed: u64, person: &Person, ops: &[Op]) {
    let of_key = || ops.iter().enumerate().filter(|(_, op)| op.key == person.id);
    for element in 0..3 {
        let takes: Vec<&Op> =
            of_key().filter(|(_, op)| op.did == Did::Take(element)).map(|(_, op)| op).collect();
        let inserts = of_key().filter(|(_, op)| op.did == Did::Insert(element));
        let mut inserts = inserts.map(|(at, _)| at);
        let is_left = inserts.any(|at| !takes.iter().any(|take| take.known.contains(&at)));
        let is_first = element == 0 && takes.is_empty();
        assert_eq!(
            person.tags.contains(&element.to_string()),
            is_left || is_first,
            "seed {seed}: {element} in the tags of {}",
            person.id
        );
    }
}

#[test]
fn no_edit_of_a_field_is_lost_beside_one_of_another_field() {
    run_seeds(SEEDS, run_seed);
}

//! Random histories of copies that edit fields of the same few rows, put and remove them, held against a
//! model that knows which write knew which. `histories.rs` says how to run more seeds.

use std::collections::{BTreeMap, BTreeSet};

use super::row_text;
use crate::doc::histories::{Copy, Known, Network, Sent, pairs, seeds};
use crate::doc::items::ReadItems;
use crate::doc::memory::Memory;
use crate::doc::oracle::random::Random;
use crate::doc::rules::{Rule, with_broken};
use crate::doc::writing::{EntryOp, EntryWrite, write};
use crate::row::{CellWrite, FieldMerge, ItemId, Object, difference, overlay};

const KEYS: [&str; 3] = ["a", "b", "c"];
const ROOT: &str = "table:notes";
const FIELDS: [&str; 3] = ["x", "y", "z"];

/// An operation of a device on a row.
#[derive(Debug, Clone, PartialEq)]
enum Did {
    Put(String),
    Remove,
    Set(usize, String),
    Add(i64),
    Insert(u8),
    Take(u8),
    /// The row was written again.
    Again,
}

struct Op {
    key: usize,
    did: Did,
    device: usize,
    known: Known,
}

struct Device {
    copy: Copy,
    /// The edits that it was told are lost, by key, field and text.
    told: BTreeSet<(usize, String, String)>,
    told_items: BTreeSet<ItemId>,
    twice: u64,
}

impl AsMut<Copy> for Device {
    fn as_mut(&mut self) -> &mut Copy {
        &mut self.copy
    }
}

/// The mistakes of a run against the model, and how much it looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Counts(BTreeMap<&'static str, u64>);

/// The mistakes that must not occur; of the others, a few in a thousand do.
const NEVER: [&str; 8] = [
    "gone though an edit was unknown to all removals",
    "without a field",
    "another value than a last edit",
    "another sum",
    "an element gone",
    "told twice",
    "untold",
    "endless",
];

impl Counts {
    fn add(&mut self, what: &'static str, count: impl Into<u64>) {
        *self.0.entry(what).or_default() += count.into();
    }

    fn get(&self, what: &'static str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    fn mistakes(&self) -> u64 {
        NEVER.iter().map(|what| self.get(what)).sum()
    }
}

struct World {
    random: Random,
    devices: Vec<Device>,
    ops: Vec<Op>,
    network: Network,
    counts: Counts,
}

fn merge_of(field: &str) -> Option<FieldMerge> {
    match field {
        "n" => Some(FieldMerge::Sum),
        "tags" => Some(FieldMerge::Union),
        _ => None,
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let devices = Copy::some(&mut random).into_iter().map(|copy| Device {
            copy,
            told: BTreeSet::new(),
            told_items: BTreeSet::new(),
            twice: 0,
        });
        let devices = devices.collect();
        Self {
            devices,
            random,
            ops: Vec::new(),
            network: Network::default(),
            counts: Counts::default(),
        }
    }

    fn row(&self, device: usize, key: usize) -> Option<String> {
        row_text(&self.devices[device].copy.items, ROOT, KEYS[key]).unwrap()
    }

    fn write(&mut self, at: usize, key: usize, did: Did, row: Option<String>) {
        let before = self.row(at, key);
        let device = &mut self.devices[at];
        let cells: Vec<CellWrite>;
        let entry_write = match (&did, &row, &before) {
            (Did::Put(_) | Did::Remove, _, _) => EntryWrite::of(row.as_deref()),
            (_, Some(row), Some(before)) => {
                cells = difference(before, row, &merge_of);
                EntryWrite::Edit { cells: &cells, row, late: None }
            }
            _ => return,
        };
        let op = EntryOp { root: ROOT, key: KEYS[key], write: entry_write };
        write(&mut device.copy.items, device.copy.id, [op].into_iter()).unwrap();
        assert_eq!(self.row(at, key), row, "{did:?}");
        self.record(at, key, did);
    }

    fn record(&mut self, device: usize, key: usize, did: Did) {
        let known = self.devices[device].copy.known.clone();
        self.devices[device].copy.known.insert(self.ops.len());
        self.ops.push(Op { key, did, device, known });
    }

    fn put(&mut self, at: usize, key: usize) {
        let value = format!("\"v{}\"", self.ops.len());
        let fields = FIELDS.map(|field| format!("\"{field}\":{value}")).join(",");
        let row = format!("{{{fields},\"n\":10,\"tags\":[0]}}");
        self.write(at, key, Did::Put(value), Some(row));
    }

    /// A local write: mostly an edit of one field.
    fn act(&mut self, at: usize, key: usize, (putting, removing): (u64, u64)) {
        let Some(row) = self.row(at, key) else {
            if self.random.percent(20) {
                self.put(at, key);
            }
            return;
        };
        if self.random.percent(removing) {
            self.write(at, key, Did::Remove, None);
            if self.random.percent(40) {
                self.put(at, key);
            }
            return;
        }
        if self.random.percent(putting) {
            return self.put(at, key);
        }
        let over = |path: &str, json: &str| overlay(&row, [(path, json)]);
        let object = Object::parse(&row).unwrap();
        let (did, after) = match self.random.below(6) {
            0..=2 => {
                let field = self.random.below(FIELDS.len());
                let value = format!("\"v{}\"", self.ops.len());
                let after = over(FIELDS[field], &value);
                (Did::Set(field, value), after)
            }
            3 => {
                let by = i64::try_from(self.random.below(5)).unwrap() - 1;
                let n: i64 = object.get("n").unwrap().parse().unwrap();
                (Did::Add(by), over("n", &(n + by).to_string()))
            }
            kind => {
                let element = u8::try_from(self.random.below(3)).unwrap();
                let mut tags = tags_in(&object);
                let did = if kind == 4 {
                    tags.insert(element);
                    Did::Insert(element)
                } else {
                    tags.remove(&element);
                    Did::Take(element)
                };
                (did, over("tags", &serde_json::to_string(&tags).unwrap()))
            }
        };
        if after != row {
            self.write(at, key, did, Some(after));
        }
    }

    fn deliver(&mut self, to: usize, sent: &Sent) {
        let device = &mut self.devices[to];
        let outcome = device.copy.take_in(sent);
        for lost in outcome.lost.iter().filter(|lost| !lost.is_removed) {
            let key = KEYS.iter().position(|key| **key == *lost.at.1).unwrap();
            let (path, json) = match &lost.cell {
                Some(cell) => (cell.path.clone(), cell.json.clone()),
                None => (String::new(), lost.json.clone()),
            };
            // An edit that was written again is another edit, which may be lost like the first.
            device.twice += u64::from(!device.told_items.insert(lost.id));
            device.told.insert((key, path, json));
        }
        for (root, key) in &outcome.rewritten {
            if **root == *ROOT {
                let key = KEYS.iter().position(|name| **name == **key).unwrap();
                self.record(to, key, Did::Again);
            }
        }
    }

    fn step(&mut self, keys: usize, rates: (u64, u64)) {
        let at = self.random.below(self.devices.len());
        if self.random.percent(60) {
            let key = self.random.below(keys);
            self.act(at, key, rates);
        } else {
            let sent = self.network.step(&mut self.random, &mut self.devices, at);
            if let Some((to, sent)) = sent {
                self.deliver(to, &sent);
            }
        }
    }

    /// Exchanges everything until nothing is written again.
    fn quiesce(&mut self) {
        for round in 0.. {
            let state = |world: &Self| -> Vec<Memory> {
                world.devices.iter().map(|device| device.copy.items.without_waiting()).collect()
            };
            let before = state(self);
            for (from, to) in pairs(&mut self.random, self.devices.len()) {
                let sent = self.devices[from].copy.changes_for(&self.devices[to].copy);
                self.deliver(to, &sent);
            }
            if state(self) == before {
                return;
            }
            if round > 40 {
                self.counts.add("endless", 1_u64);
                return;
            }
        }
    }

    fn check(&mut self, keys: usize) {
        let first = &self.devices[0].copy.items;
        for Device { copy, .. } in &self.devices[1..] {
            assert!(copy.items.entries == first.entries, "copies differ");
            assert_eq!(copy.items.deletions().unwrap(), first.deletions().unwrap());
        }
        let twice: u64 = self.devices.iter().map(|device| device.twice).sum();
        self.counts.add("told twice", twice);
        (0..keys).for_each(|key| self.check_row(key));
    }

    fn check_row(&mut self, key: usize) {
        let row = self.row(0, key);
        let (ops, counts, devices) = (&self.ops, &mut self.counts, &self.devices);
        let of = |is: &dyn Fn(&Did) -> bool| -> Vec<usize> {
            let of_key = ops.iter().enumerate().filter(|(_, op)| op.key == key && is(&op.did));
            of_key.map(|(at, _)| at).collect()
        };
        let knew = |op: usize, edit: usize| ops[op].known.contains(&edit);
        let edits = of(&|did| !matches!(did, Did::Remove | Did::Again));
        let removals = of(&|did| *did == Did::Remove);
        let puts = of(&|did| matches!(did, Did::Put(_)));
        counts.add("rows", 1_u64);
        // To take an element out is the removal of a cell, of which nothing is left.
        let is_left = |edit: &&usize| match ops[**edit].did {
            Did::Take(_) => false,
            Did::Insert(element) => {
                let takes = of(&|did| *did == Did::Take(element));
                !takes.iter().any(|take| knew(*take, **edit))
            }
            _ => true,
        };
        let is_free = |edit: &usize| !removals.iter().any(|op| knew(*op, *edit));
        let has_free = edits.iter().filter(is_left).any(is_free);
        counts.add(NEVER[0], has_free && row.is_none());
        let knew_all = |op: &usize| edits.iter().all(|edit| knew(*op, *edit));
        counts.add("back", !has_free && row.is_some() && removals.iter().any(knew_all));
        let Some(row) = row else { return };
        let row = Object::parse(&row).unwrap();
        let lacks = FIELDS.iter().chain(&["n", "tags"]).any(|field| row.get(field).is_none());
        counts.add("without a field", lacks);
        let is_only_edited = removals.is_empty() && puts.len() == 1;
        for (at, field) in FIELDS.iter().enumerate() {
            let value = |op: usize| match &ops[op].did {
                Did::Put(value) => Some(value),
                Did::Set(of, value) if *of == at => Some(value),
                _ => None,
            };
            let writes: Vec<usize> =
                edits.iter().copied().filter(|op| value(*op).is_some()).collect();
            let is_last = |edit: &&usize| !writes.iter().any(|op| knew(*op, **edit));
            let stands = |op: &usize| value(*op).map(String::as_str) == row.get(field);
            let holds_last = writes.iter().filter(is_last).any(stands);
            if !is_only_edited {
                counts.add("an older value", !holds_last && removals.is_empty());
                continue;
            }
            counts.add("fields", 1_u64);
            counts.add("another value than a last edit", !holds_last);
            for lost in writes.iter().filter(is_last).filter(|op| !stands(op)) {
                let told_of = (key, (*field).to_owned(), value(*lost).unwrap().clone());
                let told = &devices[ops[*lost].device].told;
                counts.add("untold", !told.contains(&told_of));
            }
        }
        // The last one that wrote the row, knowing all who did.
        let whole = of(&|did| matches!(did, Did::Put(_) | Did::Remove | Did::Again));
        let knew_whole = |put: &&usize| whole.iter().all(|op| op == *put || knew(**put, *op));
        if let Some(put) = puts.iter().find(knew_whole) {
            let by = |op: &usize| if let Did::Add(by) = ops[*op].did { by } else { 0 };
            let sum: i64 = edits.iter().filter(|edit| !knew(*put, **edit)).map(by).sum();
            counts.add("sums", 1_u64);
            counts.add("another sum", row.get("n") != Some((10 + sum).to_string().as_str()));
        }
        if !is_only_edited {
            return;
        }
        let tags = tags_in(&row);
        for element in 0..3 {
            let puts_in = |op: &&usize| match &ops[**op].did {
                Did::Put(_) => element == 0,
                did => *did == Did::Insert(element),
            };
            let takes = of(&|did| *did == Did::Take(element));
            let mut added = edits.iter().filter(puts_in);
            let stands = added.any(|add| !takes.iter().any(|take| knew(*take, *add)));
            let is_in = tags.contains(&element);
            counts.add("an element gone", stands && !is_in);
            counts.add("an element back", !stands && is_in);
        }
    }
}

fn tags_in(row: &Object<'_>) -> BTreeSet<u8> {
    serde_json::from_str(row.get("tags").unwrap()).unwrap()
}

fn run_seed(seed: u64, all: &mut Counts) {
    let mut world = World::new(seed);
    let keys = 1 + world.random.below(KEYS.len());
    // A third each: edits alone, with puts, and with removals.
    let rates = match world.random.below(3) {
        0 => (0, 0),
        1 => (world.random.in_range(5..30), 0),
        _ => (world.random.in_range(0..20), world.random.in_range(5..40)),
    };
    (0..keys).for_each(|key| world.put(0, key));
    for to in 1..world.devices.len() {
        let sent = world.devices[0].copy.changes_for(&world.devices[to].copy);
        world.deliver(to, &sent);
    }
    for _ in 0..world.random.in_range(6..50) {
        world.step(keys, rates);
    }
    world.quiesce();
    world.check(keys);
    for (what, count) in world.counts.0 {
        all.add(what, count);
    }
}

#[test]
fn edits_of_different_fields_survive_and_none_is_lost_unsaid() {
    let mut all = Counts::default();
    for seed in seeds() {
        run_seed(seed, &mut all);
        assert_eq!(all.mistakes(), 0, "seed {seed}: {all:?}");
    }
    println!("{all:?}");
    // Two removals that race a rewrite can bring a row back, or an element.
    assert!(all.get("back") * 1_000 <= all.get("rows"), "{all:?}");
    assert!(all.get("an element back") * 1_000 <= all.get("rows"), "{all:?}");
    // A put that loses has taken fields out all the same, so that older ones show.
    assert!(all.get("an older value") * 200 <= all.get("rows"), "{all:?}");
}

#[test]
fn each_part_of_the_rule_is_needed() {
    for rule in [Rule::EditWins, Rule::WritesMark] {
        let mut all = Counts::default();
        with_broken(Some(rule), || (0..1_000).for_each(|seed| run_seed(seed, &mut all)));
        println!("without {rule:?}: {all:?}");
        let back = all.get("back").max(all.get("an element back"));
        let is_noticed = all.mistakes() > 0 || back * 1_000 > all.get("rows");
        assert!(is_noticed, "nothing notices that {rule:?} does not hold: {all:?}");
    }
}

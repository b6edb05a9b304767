//! Several devices that write, exchange documents, migrate, prune, crash and come back from backups.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::document::{Commit, DocName, Document, EditId, Item, Part, Parts, Value};
use crate::random::Random;
use crate::rule::{Reading, Rule, View};
use crate::schema::{Epoch, LAST, keys};

/// So many operations fit into the bits of what is known.
const MAX_OPERATIONS: usize = 127;

/// What an app has done, and decided by that: the outside view of an edit.
pub struct Operation {
    /// What it wrote; nothing if it only decided.
    pub value: Option<Value>,
    /// What its author had before its eyes and replaced, removed or dismissed.
    pub decided: Parts,
}

#[derive(Clone)]
pub struct Device {
    pub code: Epoch,
    pub client: u32,
    pub docs: BTreeMap<DocName, Rc<Document>>,
    pub known: u128,
}

impl Device {
    pub fn current(&self) -> Option<DocName> {
        self.docs.keys().rev().find(|name| name.epoch <= self.code).copied()
    }

    pub fn reading(&self, rule: Rule) -> Option<Reading<'_>> {
        let epoch = self.current()?.epoch;
        let docs =
            self.docs.values().map(Rc::as_ref).filter(|doc| doc.name.epoch <= self.code).collect();
        Some(Reading { rule, docs, epoch })
    }

    pub fn view(&self, rule: Rule) -> View {
        self.reading(rule).map(|reading| reading.view(self.current())).unwrap_or_default()
    }

    /// Whether the content of an edit is in a document of an epoch up to `epoch`.
    pub fn holds(&self, edit: EditId, epoch: Epoch) -> bool {
        self.docs.values().filter(|doc| doc.name.epoch <= epoch).any(|doc| {
            doc.items.get(&edit).is_some_and(|item| item.has_content)
                || doc.entries.keys().flatten().any(|part| part.edit == edit)
        })
    }
}

/// How unkind a history is.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Documents arrive in parts.
    pub is_loose: bool,
    /// What lost is sent without its content.
    pub drops_content: bool,
    /// Much is pruned, and old copies return.
    pub is_hard: bool,
    /// So many of 100 chances to upgrade are taken.
    pub haste: usize,
    /// Devices crash, are copied, and come back from backups.
    pub restarts: bool,
}

pub struct World {
    pub rule: Rule,
    pub weather: Weather,
    pub random: Random,
    pub devices: Vec<Device>,
    /// What is safe on disk of each device.
    durable: Vec<Device>,
    pub operations: Vec<Operation>,
    /// Edits whose only content was on a device that lost it.
    pub gone: BTreeSet<EditId>,
    old_documents: Vec<Rc<Document>>,
    backups: Vec<Device>,
    last_client: u32,
    /// The first of the keys that are written, and their number.
    focus: (usize, usize),
    /// Whether steps are printed.
    pub tells: bool,
}

impl World {
    pub fn new(seed: u64, rule: Rule) -> Self {
        let mut random = Random::new(seed);
        let is_loose = random.percent(25);
        let weather = Weather {
            is_loose,
            drops_content: random.percent(40),
            is_hard: random.percent(60),
            haste: 10 + random.below(91),
            // A part may tell of an operation that the restarts have lost everywhere.
            restarts: !is_loose && random.percent(60),
        };
        let focus = (random.below(7), 1 + random.below(4));
        let count = 2 + random.below(4);
        let mut devices = Vec::new();
        for client in 1..=count as u32 {
            let code = if random.percent(12) { random.below(3) as Epoch } else { 0 };
            let name = DocName { epoch: code, generation: 0, claim: 0 };
            let docs = BTreeMap::from([(name, Rc::new(Document::new(name)))]);
            devices.push(Device { code, client, docs, known: 0 });
        }
        Self {
            rule,
            weather,
            random,
            durable: devices.clone(),
            devices,
            operations: Vec::new(),
            gone: BTreeSet::new(),
            old_documents: Vec::new(),
            backups: Vec::new(),
            last_client: count as u32,
            focus,
            tells: false,
        }
    }

    /// Takes a step, and returns the devices that it has changed.
    pub fn step(&mut self) -> Vec<usize> {
        let at = self.random.below(self.devices.len());
        let mut changed = vec![at];
        let roll = if self.weather.is_hard && self.random.percent(33) {
            36 + self.random.below(4)
        } else if self.weather.restarts && self.random.percent(6) {
            40
        } else {
            self.random.below(40)
        };
        match roll {
            0..18 => self.operate(at),
            18..32 => {
                let to = self.random.below(self.devices.len());
                if to != at {
                    let percent = 20 + self.random.below(81);
                    self.send(at, to, percent);
                    changed.push(to);
                }
            }
            32..35 if self.random.percent(self.weather.haste) => self.upgrade(at),
            35 if self.random.percent(33) => {
                if let Some(name) = self.devices[at].current() {
                    self.migrate(at, (name.epoch, name.generation + 1));
                }
            }
            36 | 37 => self.prune(at),
            38 => self.save(at),
            39 => self.bring_back(at),
            40 => self.restart(at),
            _ => {}
        }
        changed.iter().for_each(|device| self.carry(*device));
        changed
    }

    /// Brings every device to the newest code, and everything to every device.
    pub fn end(&mut self) {
        for device in 0..self.devices.len() {
            while self.devices[device].code < LAST {
                self.upgrade(device);
            }
            self.carry(device);
        }
        for _ in 0..4 {
            for from in 0..self.devices.len() {
                for to in (0..self.devices.len()).filter(|to| *to != from) {
                    self.send(from, to, 100);
                    self.carry(to);
                }
            }
        }
    }

    fn tell(&self, step: impl FnOnce() -> String) {
        if self.tells {
            println!("{}", step());
        }
    }

    fn upgrade(&mut self, at: usize) {
        if self.devices[at].code == LAST {
            return;
        }
        self.devices[at].code += 1;
        let code = self.devices[at].code;
        self.learn(at);
        if self.devices[at].current().is_none_or(|name| name.epoch < code) {
            self.migrate(at, (code, 0));
        }
    }

    fn learn(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let readable = device.docs.values().filter(|doc| doc.name.epoch <= device.code);
        device.known |= readable.fold(0, |known, doc| known | doc.knew);
    }

    pub fn carry(&mut self, at: usize) {
        self.learn(at);
        let Some(current) = self.devices[at].current() else { return };
        let Some(reading) = self.devices[at].reading(self.rule) else { return };
        let commit = reading.to_carry(current);
        if !(commit.entries.is_empty() && commit.marks.is_empty() && commit.contexts.is_empty()) {
            self.commit(at, current, commit);
        }
        let known = self.devices[at].known;
        if let Some(doc) = self.devices[at].docs.get_mut(&current) {
            Rc::make_mut(doc).knew |= known;
        }
    }

    fn commit(&mut self, at: usize, name: DocName, mut commit: Commit) {
        let device = &mut self.devices[at];
        commit.knew |= device.known;
        let written = commit.items.len() + commit.marks.len() + commit.entries.len();
        commit.clocks = written.max(1) as u32;
        if let Some(doc) = device.docs.get_mut(&name) {
            let doc = Rc::make_mut(doc);
            doc.take(device.client, doc.clock(device.client), commit);
        }
    }

    /// Writes, removes, or dismisses what waits.
    fn operate(&mut self, at: usize) {
        self.carry(at);
        let Some(name) = self.devices[at].current() else { return };
        if self.operations.len() == MAX_OPERATIONS {
            return;
        }
        let of_epoch = keys(name.epoch);
        let nth = self.focus.0 + self.random.below(self.focus.1);
        let key = of_epoch[nth % of_epoch.len()];
        let view = self.devices[at].view(self.rule);
        let shown: Parts = view.shown.get(&key).into_iter().flat_map(|v| v.parts.clone()).collect();
        let waiting = view.waiting.get(&key).cloned().unwrap_or_default();
        let some = (!waiting.is_empty()).then(|| waiting[self.random.below(waiting.len())].clone());
        let device = &self.devices[at];
        let Some(doc) = device.docs.get(&name) else { return };
        let Some(reading) = device.reading(self.rule) else { return };
        let (tip, number) = (doc.tip(key), self.operations.len());
        // What lost within this document, by the rule of concurrent edits.
        let losers = doc.items.iter().filter(|(id, item)| item.key == key && Some(**id) != tip);
        let losers = losers.map(|(id, _)| Part::whole(*id)).filter(|part| !reading.is_over(part));
        let mut decided: Parts = losers.collect();
        let mut operation = Operation { value: None, decided: Parts::new() };
        let mut commit = Commit::default();
        let roll = self.random.below(10);
        match (roll, some) {
            (0..6, taken) => {
                decided.extend(shown);
                if let Some(taken) = taken.filter(|_| self.random.percent(16)) {
                    decided.extend(taken.parts);
                }
                let id =
                    EditId { doc: name, client: device.client, clock: doc.clock(device.client) };
                let origin = tip.and_then(|tip| doc.items.get(&tip));
                let mut place = origin.map(|item| item.place.clone()).unwrap_or_default();
                place.push((id.client, id.clock));
                let item = Item { key, edit: number, place, has_content: true };
                commit.items.insert(id, item.clone());
                operation.value = Some(Value {
                    parts: Parts::from([Part::whole(id)]),
                    epoch: name.epoch,
                    key,
                    edit: number,
                    doc: name,
                    place: item.place,
                });
            }
            (6..9, _) if !shown.is_empty() => {
                decided.extend(shown);
                decided.extend(waiting.into_iter().flat_map(|value| value.parts));
            }
            (9, Some(dismissed)) => {
                let others = view.values().filter(|value| value.parts != dismissed.parts);
                let others: Parts = others.flat_map(|value| value.parts.clone()).collect();
                decided = dismissed.parts.difference(&others).cloned().collect();
            }
            _ => return,
        }
        if decided.is_empty() && operation.value.is_none() {
            return;
        }
        let is_set = operation.value.is_some();
        // What it is written upon is over by that, in epochs that can read the edit.
        let is_upon = |part: &&Part| is_set && Some(part.edit) == tip;
        operation.decided = decided.iter().filter(|part| !is_upon(part)).cloned().collect();
        for part in decided {
            let is_own_tip = Some(part.edit) == tip;
            let is_known_here = part.edit.doc == name || doc.claim.frontier.contains(&part);
            match self.rule {
                _ if is_set && is_own_tip => {}
                Rule::SetsDoNotMark if is_set && !is_known_here => {}
                Rule::RemovalsDoNotMark if !is_set && !is_known_here => {}
                Rule::TipIsOnlyDeleted if is_own_tip => _ = commit.deleted.insert(part.edit),
                Rule::MarksAreWhole => _ = commit.marks.insert(Part::whole(part.edit)),
                _ => _ = commit.marks.insert(part),
            }
        }
        self.tell(|| {
            let id = operation.value.as_ref().map(|value| &value.parts);
            format!(
                "{at} writes {key} in {name:?}: {number} {id:?}, decides {:?}",
                operation.decided
            )
        });
        self.operations.push(operation);
        self.devices[at].known |= 1 << number;
        self.commit(at, name, commit);
    }

    fn migrate(&mut self, at: usize, (epoch, generation): (Epoch, u8)) {
        self.carry(at);
        let claim = 1 + self.random.below(1_000_000) as u32;
        let name = DocName { epoch, generation, claim };
        let device = &mut self.devices[at];
        let Some(reading) = device.reading(self.rule) else { return };
        let mut doc = Document::new(name);
        let (claim, mut commit) = reading.migrated(epoch);
        if self.rule == Rule::CopyIsEdit {
            commit.entries.values_mut().for_each(|copy| copy.doc = name);
        }
        if self.tells {
            println!("{at} migrates to {name:?}: {:?}, {:?}", claim.frontier, commit.marks);
        }
        commit.knew = device.known;
        commit.clocks = (commit.entries.len() + commit.marks.len()) as u32;
        doc.claim = claim;
        doc.take(0, 0, commit);
        device.docs.insert(name, Rc::new(doc));
        self.carry(at);
    }

    /// Sends each document, whole or in part, with a chance of `percent`.
    fn send(&mut self, from: usize, to: usize, percent: usize) {
        self.make_durable(from);
        let docs: Vec<Rc<Document>> = self.devices[from].docs.values().cloned().collect();
        for doc in docs {
            if self.random.percent(percent) {
                self.tell(|| format!("{from} sends {:?} to {to}", doc.name));
                self.deliver(&doc, to, self.weather.is_loose && percent < 100);
            }
        }
        self.learn(to);
    }

    fn deliver(&mut self, doc: &Document, to: usize, is_loose: bool) {
        let new = || Document { claim: doc.claim.clone(), ..Document::new(doc.name) };
        let into = self.devices[to].docs.entry(doc.name).or_insert_with(|| Rc::new(new()));
        if into.knew & doc.knew == doc.knew && doc.log.keys().all(|at| into.log.contains_key(at)) {
            return;
        }
        let into = Rc::make_mut(into);
        let mut ends = BTreeMap::new();
        // Until all that is sent and whose origins are here has been taken in.
        loop {
            let mut waits: BTreeSet<u32> = BTreeSet::new();
            let count = into.log.len();
            for ((client, clock), commit) in &doc.log {
                let all = doc.clock(*client) as usize + 1;
                let end = *ends.entry(*client).or_insert_with(|| {
                    if is_loose && *client != 0 { self.random.below(all) } else { all }
                });
                let has_origin = |item: &Item| {
                    let origin = item.place.iter().rev().nth(1);
                    origin.is_none_or(|at| {
                        let id = EditId { doc: doc.name, client: at.0, clock: at.1 };
                        into.items.contains_key(&id)
                    })
                };
                let is_here = commit.items.values().all(has_origin);
                if *clock as usize >= end || waits.contains(client) || !is_here {
                    waits.insert(*client);
                    continue;
                }
                let mut commit = commit.clone();
                for (id, item) in &mut commit.items {
                    let stands = doc.tip(item.key) == Some(*id)
                        && !doc.marks.contains(&Part::whole(*id))
                        && !doc.deleted.contains(id);
                    // The sender's own copy may lack it already.
                    let held = doc.items.get(id).is_some_and(|item| item.has_content);
                    item.has_content = held && (stands || !self.weather.drops_content);
                }
                into.take(*client, *clock, commit);
            }
            if into.log.len() == count {
                break;
            }
        }
        if doc.log.keys().all(|commit| into.log.contains_key(commit)) {
            into.knew |= doc.knew;
        }
    }

    fn prune(&mut self, at: usize) {
        self.carry(at);
        let current = self.devices[at].current();
        let names: Vec<DocName> = self.devices[at].docs.keys().copied().collect();
        for name in names.into_iter().filter(|name| Some(*name) < current) {
            if self.random.percent(50) {
                self.tell(|| format!("{at} prunes {name:?}"));
                self.devices[at].docs.remove(&name);
            }
        }
    }

    fn save(&mut self, at: usize) {
        self.make_durable(at);
        let docs: Vec<&Rc<Document>> = self.devices[at].docs.values().collect();
        self.old_documents.push(Rc::clone(docs[self.random.below(docs.len())]));
        self.backups.push(self.devices[at].clone());
    }

    /// An old copy of a document returns.
    fn bring_back(&mut self, at: usize) {
        if !self.old_documents.is_empty() {
            let doc = self.old_documents[self.random.below(self.old_documents.len())].clone();
            self.tell(|| format!("an old copy of {:?} returns to {at}", doc.name));
            self.deliver(&doc, at, false);
            self.learn(at);
        }
    }

    fn make_durable(&mut self, at: usize) {
        self.durable[at] = self.devices[at].clone();
    }

    /// A device starts again: after a crash, or from a copy of its file or of another device's.
    fn restart(&mut self, at: usize) {
        let code = self.devices[at].code;
        let is_crash = self.backups.is_empty() || self.random.percent(50);
        let mut after = if is_crash {
            self.durable[at].clone()
        } else {
            self.backups[self.random.below(self.backups.len())].clone()
        };
        // Nothing that a crash has lost had left the device, so its clocks are used again.
        if is_crash || self.rule == Rule::RestoredKeepsId {
            after.client = self.devices[at].client;
        } else {
            self.last_client += 1;
            after.client = self.last_client;
        }
        after.code = after.code.max(code);
        self.tell(|| format!("{at} restarts as client {}, crash: {is_crash}", after.client));
        let before = std::mem::replace(&mut self.devices[at], after);
        let edits = self.operations.iter().filter_map(|operation| operation.value.as_ref());
        for edit in edits.flat_map(|value| &value.parts).map(|part| part.edit) {
            if before.holds(edit, LAST) && !self.devices.iter().any(|other| other.holds(edit, LAST))
            {
                self.gone.insert(edit);
            }
        }
        self.learn(at);
        let code = self.devices[at].code;
        if self.devices[at].current().is_none_or(|name| name.epoch < code) {
            self.migrate(at, (code, 0));
        }
        self.make_durable(at);
    }
}

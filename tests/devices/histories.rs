//! The common parts of random histories of whole stores: devices that know which operations they
//! have, some of them killed while they write, and some of them programs that have a plain document
//! of yrs and know no rule.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Store};
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, Out, ReadTxn, StateVector, Transact, Update, WriteTxn};

use crate::faults::{Disk, Fault};
use crate::support::random::Random;
use crate::support::{forge, give};

/// A copy of a store that does things.
pub struct Device<S> {
    copy: Copy<S>,
    /// Indexes of the operations that it has.
    pub known: BTreeSet<usize>,
}

enum Copy<S> {
    /// A store in memory, or in a file on a disk that may fail.
    Store { app: Option<S>, file: Option<(PathBuf, Arc<Disk>)> },
    /// Another program.
    Plain(Doc),
}

impl<S: Store> Device<S> {
    /// The next device, with a file in a folder or in memory.
    pub fn new(random: &mut Random, folder: &Path, index: usize) -> Self {
        let file = random
            .percent(40)
            .then(|| (folder.join(format!("{index}.redb")), Arc::<Disk>::default()));
        let app = Some(open(file.as_ref()));
        Self { copy: Copy::Store { app, file }, known: BTreeSet::new() }
    }

    /// A program that reads and writes the entries of the document, and nothing else.
    pub fn plain() -> Self {
        Self { copy: Copy::Plain(Doc::new()), known: BTreeSet::new() }
    }

    pub fn plain_doc(&self) -> Option<&Doc> {
        if let Copy::Plain(doc) = &self.copy { Some(doc) } else { None }
    }

    /// Its store, unless it is another program.
    pub fn store(&self) -> Option<&S> {
        if let Copy::Store { app, .. } = &self.copy { app.as_ref() } else { None }
    }

    #[track_caller]
    pub fn app(&self) -> &S {
        self.store().expect("it is a store")
    }

    /// Closes its file and opens it again: the same, or as a copy, which is another device.
    pub fn restart(&mut self, as_copy: bool) {
        let Copy::Store { app, file: Some((path, disk)) } = &mut self.copy else { return };
        *app = None;
        if as_copy {
            let moved = path.with_extension("moved");
            std::fs::copy(&*path, &moved).unwrap();
            std::fs::remove_file(&*path).unwrap();
            std::fs::copy(&moved, &*path).unwrap();
        }
        let file = (path.clone(), Arc::clone(disk));
        *app = Some(open(Some(&file)));
    }

    /// Does some work, killed in some of it if it has a file: then it is started again, and false is
    /// returned unless all was done before.
    pub fn survive(
        &mut self,
        random: &mut Random,
        work: impl FnOnce(&S) -> heirloom::Result<()>,
    ) -> bool {
        let Copy::Store { app: Some(app), file } = &self.copy else { panic!("it is a store") };
        let Some((_, disk)) = file.as_ref().filter(|_| random.percent(15)) else {
            work(app).unwrap();
            return true;
        };
        let disk = Arc::clone(disk);
        disk.arm(Fault { after: random.below(25) as u64, lasts: None });
        let done = work(app);
        if let Err(error) = &done {
            assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        }
        // Nothing is written on the way out either.
        if let Copy::Store { app, .. } = &mut self.copy {
            *app = None;
        }
        disk.disarm();
        self.restart(false);
        done.is_ok()
    }

    /// Returns its content, to tell whether an exchange has changed anything.
    fn state(&self) -> (Option<Summary>, Vec<u8>) {
        match &self.copy {
            Copy::Store { .. } => (Some(self.app().summary().unwrap()), Vec::new()),
            Copy::Plain(doc) => (None, all_of(doc)),
        }
    }
}

fn open<S: Store>(file: Option<&(PathBuf, Arc<Disk>)>) -> S {
    match file {
        Some((path, disk)) => S::builder().storage_hook(disk.hook()).open(path).unwrap(),
        None => S::in_memory().unwrap(),
    }
}

fn all_of(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// Returns the text under a key of a plain document; `None` if it is not text.
pub fn text_in(doc: &Doc, root: &str, key: &str) -> Option<String> {
    let txn = doc.transact();
    match txn.get_map(root)?.get(&txn, key)? {
        Out::Any(Any::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// The keys that a plain document has under a root.
pub fn keys_in(doc: &Doc, root: &str) -> Vec<String> {
    let txn = doc.transact();
    let Some(map) = txn.get_map(root) else { return Vec::new() };
    map.keys(&txn).map(str::to_owned).collect()
}

/// Writes entries of a plain document, or takes them out.
pub fn write_in(doc: &Doc, entries: &[(&str, String, Option<String>)]) {
    let mut txn = doc.transact_mut();
    for (root, key, text) in entries {
        let map = txn.get_or_insert_map(*root);
        match text {
            Some(text) => drop(map.insert(&mut txn, key.as_str(), text.as_str())),
            None => drop(map.remove(&mut txn, key)),
        }
    }
}

/// Gives one device what another has: all of the document, if one of them is another program.
pub fn exchange<S: Store>(devices: &mut [Device<S>], from: usize, to: usize, name: &str) {
    match (&devices[from].copy, &devices[to].copy) {
        (Copy::Store { .. }, Copy::Store { .. }) => {
            drop(give(devices[from].app(), devices[to].app()));
        }
        (Copy::Store { .. }, Copy::Plain(doc)) => {
            let all = devices[from].app().changes_since(&Summary::default()).unwrap().to_bytes();
            for update in forge::updates_of(&all, "0") {
                doc.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
            }
        }
        (Copy::Plain(doc), Copy::Store { .. }) => {
            devices[to].app().apply(&framed(doc, name)).unwrap();
        }
        (Copy::Plain(doc), Copy::Plain(other)) => {
            let update = Update::decode_v1(&all_of(doc)).unwrap();
            other.transact_mut().apply_update(update).unwrap();
        }
    }
    let known = devices[from].known.clone();
    devices[to].known.extend(known);
}

fn framed(doc: &Doc, name: &str) -> Changes {
    Changes::from_bytes(&forge::framed(name, "0", &all_of(doc))).unwrap()
}

/// The same, of which the receiver may be killed. What it then has of it, it has whole.
pub fn exchange_with_kills<S: Store>(
    random: &mut Random,
    devices: &mut [Device<S>],
    from: usize,
    to: usize,
    name: &str,
) {
    let Some(app) = devices[to].store() else { return exchange(devices, from, to, name) };
    let before = app.summary().unwrap();
    let changes = match &devices[from].copy {
        Copy::Store { .. } => devices[from].app().changes_since(&before).unwrap(),
        Copy::Plain(doc) => framed(doc, name),
    };
    let is_done = devices[to].survive(random, |app| app.apply(&changes).map(drop));
    if !is_done {
        if devices[to].app().summary().unwrap() == before {
            return;
        }
        devices[to].app().apply(&changes).unwrap();
    }
    let known = devices[from].known.clone();
    devices[to].known.extend(known);
}

/// Exchanges until all have the same.
pub fn exchange_all<S: Store>(seed: u64, devices: &mut [Device<S>], name: &str) {
    let count = devices.len();
    for round in 0.. {
        assert!(round < 20, "seed {seed}: it does not end");
        let states = |devices: &[Device<S>]| devices.iter().map(Device::state).collect::<Vec<_>>();
        let before = states(devices);
        for pair in 0..count * count {
            if pair / count != pair % count {
                exchange(devices, pair / count, pair % count, name);
            }
        }
        if states(devices) == before {
            break;
        }
    }
    let mut stores = devices.iter().filter_map(Device::store).map(|app| app.summary().unwrap());
    let first = stores.next();
    assert!(stores.all(|summary| Some(summary) == first), "seed {seed}: copies differ");
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Runs the seeds that the environment names, or the first ones: `HEIRLOOM_SEEDS=5000` runs as many,
/// `HEIRLOOM_FIRST_SEED` says where to begin, and `HEIRLOOM_SEED=123` runs one.
pub fn run_seeds(count: u64, mut run: impl FnMut(u64)) {
    if let Some(seed) = number("HEIRLOOM_SEED") {
        return run(seed);
    }
    let first = number("HEIRLOOM_FIRST_SEED").unwrap_or_default();
    (first..first + number("HEIRLOOM_SEEDS").unwrap_or(count)).for_each(run);
}

//! A yrs document whose root maps are tables and kv groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, MapRef, Options, ReadTxn, StateVector, Transact, Update, WriteTxn};

use super::{BadUpdate, DocVersion, Entry};
use crate::row::ItemId;

/// A root map of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Root {
    Table(String),
    Group(String),
    /// Late edits of other documents that this one carries.
    Forwarded,
    /// Which of those have been dealt with.
    Settled,
    /// What could not be carried.
    Quarantine,
}

/// The roots that are neither tables nor kv groups.
pub(crate) const BOOKKEEPING: [Root; 3] = [Root::Forwarded, Root::Settled, Root::Quarantine];

impl Root {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Table(name) => format!("table:{name}"),
            Self::Group(name) => format!("kv:{name}"),
            Self::Forwarded => "forwarded".to_owned(),
            Self::Settled => "settled".to_owned(),
            Self::Quarantine => "quarantine".to_owned(),
        }
    }

    /// The root of that name; `None` for one of a later heirloom, which we leave alone.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("table", name)) => Some(Self::Table(name.to_owned())),
            Some(("kv", name)) => Some(Self::Group(name.to_owned())),
            Some(_) => None,
            None => BOOKKEEPING.into_iter().find(|root| root.name() == name),
        }
    }
}

/// One change of a local transaction.
#[derive(Debug)]
pub(crate) struct Op<'a> {
    /// Which of the roots given with it.
    pub(crate) root: usize,
    pub(crate) key: &'a str,
    /// The new JSON text; `None` removes.
    pub(crate) value: Option<&'a str>,
}

/// What one device has written, by its clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writes {
    pub(crate) client: u64,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A document in memory.
pub(crate) struct Document {
    pub(super) doc: Doc,
    /// Updates that wait for earlier ones of the same device.
    pub(super) waiting: Vec<Vec<u8>>,
    /// Whether writes are integrated although earlier ones of the same device are missing.
    pub(super) gaps: bool,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("guid", &self.doc.guid()).finish_non_exhaustive()
    }
}

impl Document {
    /// An empty document that writes as `client`, which is below 2^53.
    pub(crate) fn new(guid: &str, client: u64) -> Self {
        let client = ClientID::new(client);
        let options = Options::with_guid_and_client_id(guid.into(), client);
        Self { doc: Doc::with_options(options), waiting: Vec::new(), gaps: false }
    }

    /// Integrates an update of the document's own log or snapshot.
    pub(crate) fn replay(&mut self, update: &[u8]) -> Result<(), BadUpdate> {
        let update = decode(update)?;
        let mut txn = self.doc.transact_mut();
        txn.apply_update(update).map_err(|error| BadUpdate(error.to_string()))
    }

    /// Whether bytes are an update at all.
    pub(crate) fn check_update(update: &[u8]) -> Result<(), BadUpdate> {
        decode(update).map(drop)
    }

    /// The device, first and end of the writes of each device in an update; `None` where some are
    /// left out between.
    pub(crate) fn clocks_of(update: &[u8]) -> Result<Option<Vec<Writes>>, BadUpdate> {
        match super::plain::clocks_of(update) {
            Some(clocks) => Ok(Some(clocks)),
            None => Self::decoded_clocks(update),
        }
    }

    /// [`clocks_of`](Self::clocks_of) any update.
    pub(super) fn decoded_clocks(update: &[u8]) -> Result<Option<Vec<Writes>>, BadUpdate> {
        let update = decode(update)?;
        let mut clocks = Vec::new();
        for (client, ranges) in update.insertions(true).iter() {
            let mut ranges = ranges.iter();
            let (Some(range), None) = (ranges.next(), ranges.next()) else { return Ok(None) };
            clocks.push(Writes { client: client.get(), start: range.start, end: range.end });
        }
        Ok(Some(clocks))
    }

    /// The id of the next item that is written here. A value is one item, so that ids count up.
    pub(crate) fn next_id(&self) -> ItemId {
        let client = self.doc.client_id();
        // Not the state vector's, which stops at a gap.
        let clock = self.doc.transact().store().get_local_state();
        ItemId { client: client.get(), clock }
    }

    /// Writes `ops` in one transaction and gives the update.
    pub(crate) fn write(&mut self, roots: &[Root], ops: &[Op<'_>]) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        let maps: Vec<MapRef> =
            roots.iter().map(|root| txn.get_or_insert_map(root.name())).collect();
        for op in ops {
            let map = &maps[op.root];
            match op.value {
                Some(json) => {
                    map.insert(&mut txn, op.key, Any::String(Arc::from(json)));
                }
                None => {
                    map.remove(&mut txn, op.key);
                }
            }
        }
        txn.commit();
        txn.encode_update_v1()
    }

    /// How many clocks of each device this copy has integrated.
    pub(crate) fn clocks(&self) -> BTreeMap<u64, u32> {
        let state = self.doc.transact().state_vector();
        state.iter().map(|(client, clock)| (client.get(), *clock)).collect()
    }

    /// What this copy holds.
    pub(crate) fn version(&self) -> DocVersion {
        DocVersion::of(&self.doc.transact())
    }

    /// Everything a copy at `theirs` lacks, apart from what waits.
    pub(crate) fn changes_since(&self, theirs: &DocVersion) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&theirs.state_vector())
    }

    /// The whole document, apart from what waits.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// The names of all roots that are ours.
    pub(crate) fn maps(&self) -> Vec<Arc<str>> {
        let txn = self.doc.transact();
        let names = txn.root_refs().map(|(name, _)| name);
        names.filter(|name| Root::parse(name).is_some()).map(Arc::from).collect()
    }

    /// The entry under a key.
    pub(crate) fn entry(&self, root: &str, key: &str) -> Option<Entry> {
        let txn = self.doc.transact();
        let map = txn.get_map(root)?;
        Entry::read(&txn, &map, key)
    }

    /// How many entries a root map has.
    pub(crate) fn len(&self, root: &str) -> u64 {
        let txn = self.doc.transact();
        txn.get_map(root).map_or(0, |map| u64::from(map.len(&txn)))
    }

    /// Whether there is an entry under a key.
    pub(crate) fn entry_in(&self, root: &str, key: &str) -> bool {
        let txn = self.doc.transact();
        txn.get_map(root).is_some_and(|map| map.contains_key(&txn, key))
    }

    /// Calls `visit` with every entry of a root map, in no order.
    pub(crate) fn for_each<E>(
        &self,
        root: &str,
        mut visit: impl FnMut(&str, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let txn = self.doc.transact();
        let Some(map) = txn.get_map(root) else { return Ok(()) };
        for key in map.keys(&txn) {
            if let Some(entry) = Entry::read(&txn, &map, key) {
                visit(key, entry)?;
            }
        }
        Ok(())
    }
}

pub(super) fn decode(update: &[u8]) -> Result<Update, BadUpdate> {
    Update::decode_v1(update).map_err(|error| BadUpdate(error.to_string()))
}

//! [`View`]: the state that copies are compared by, which is rows with their item ids, clocks and
//! deletions.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use yrs::block::ClientID;
use yrs::encoding::read::{Cursor, Read};
use yrs::types::{ToJson, TypeRef};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, Map, MapRef, Options, ReadTxn, StateVector, Transact, Update, WriteTxn};

use crate::doc::incoming::joined;
use crate::doc::items::{ClockRanges, ReadItems, Value};
use crate::doc::memory::Memory;
use crate::row::ItemId;

pub(super) const ROOTS: [&str; 2] = ["table:a", "kv:b"];

/// The state of a copy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    /// By root and key, the item that stands and what it holds, as JSON.
    pub(super) rows: BTreeMap<(String, String), (ItemId, Json)>,
    pub(super) clocks: BTreeMap<u64, u32>,
    pub(super) deletions: BTreeMap<u64, ClockRanges>,
}

impl View {
    /// Compares what is ours with what yrs has made of the same. What hangs on something dead is
    /// dead, too, with yrs, and here only when that is told.
    pub(super) fn check_beside(&self, yrs: &Self) {
        assert_eq!(self.rows, yrs.rows, "rows beside yrs");
        assert_eq!(self.clocks, yrs.clocks, "clocks beside yrs");
        for (client, ours) in &self.deletions {
            let theirs = yrs.deletions.get(client).cloned().unwrap_or_default();
            let all = joined([ours.clone(), theirs.clone()].concat());
            assert_eq!(all, theirs, "deletions of {client} beside yrs");
        }
    }
}

/// An empty document of yrs.
pub(super) fn new_doc(client: u64, keeps_dead: bool) -> Doc {
    let client = ClientID::new(client);
    let mut options = Options::with_guid_and_client_id("oracle".into(), client);
    options.skip_gc = keeps_dead;
    Doc::with_options(options)
}

pub(super) fn state_vector(clocks: &BTreeMap<u64, u32>) -> StateVector {
    let mut state = StateVector::default();
    for (client, clock) in clocks {
        state.set_max(ClientID::new(*client), *clock);
    }
    state
}

/// Applies an update, and what waits in the document for it.
pub(super) fn apply(doc: &Doc, update: &[u8]) {
    let mut txn = doc.transact_mut();
    txn.apply_update(Update::decode_v1(update).unwrap()).unwrap();
    // yrs does not try everything again that could be ready.
    while let Some(held_back) = txn.prune_pending() {
        let before = (txn.insert_set().clone(), txn.delete_set().clone());
        txn.apply_update(held_back).unwrap();
        if (txn.insert_set(), txn.delete_set()) == (&before.0, &before.1) {
            break;
        }
    }
}

fn item_id(txn: &impl ReadTxn, map: &MapRef, key: &str) -> ItemId {
    // yrs names a map's items only as the source of a link.
    let link = map.link(txn, key).unwrap();
    let bytes = TypeRef::WeakLink(link.source().clone()).encode_v1();
    let mut cursor = Cursor::new(&bytes[2..]);
    ItemId { client: cursor.read_var().unwrap(), clock: cursor.read_var().unwrap() }
}

pub(super) fn of_doc(doc: &Doc) -> View {
    let txn = doc.transact();
    let mut rows = BTreeMap::new();
    for root in ROOTS {
        let Some(map) = txn.get_map(root) else { continue };
        for (key, value) in map.iter(&txn) {
            let json = serde_json::to_value(value.to_json(&txn)).unwrap();
            let id = item_id(&txn, &map, key);
            rows.insert((root.to_owned(), key.to_owned()), (id, with_fractions(json)));
        }
    }
    let snapshot = txn.snapshot();
    let clocks = snapshot.state_map.iter().map(|(client, clock)| (client.get(), *clock));
    let deletions = snapshot.delete_set.iter().map(|(client, ranges)| {
        (client.get(), joined(ranges.iter().map(|range| range.start..range.end).collect()))
    });
    View {
        rows,
        clocks: clocks.filter(|(_, clock)| *clock > 0).collect(),
        deletions: deletions.filter(|(_, ranges)| !ranges.is_empty()).collect(),
    }
}

pub(super) fn of_items(items: &Memory) -> View {
    let rows = items.entries.iter().map(|((root, key), (id, value))| {
        let json = match value {
            Value::Text(text) => Json::String(text.to_string()),
            Value::Other { json, .. } => serde_json::from_str(json).unwrap(),
        };
        ((root.to_string(), key.to_string()), (*id, with_fractions(json)))
    });
    View {
        rows: rows.collect(),
        clocks: items.clocks.clone(),
        deletions: items.deletions().unwrap().into_iter().collect(),
    }
}

/// All numbers alike: Yjs writes whole ones in another way than yrs.
pub(super) fn with_fractions(json: Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(list) => list.into_iter().map(with_fractions).collect(),
        Json::Object(map) => {
            map.into_iter().map(|(key, value)| (key, with_fractions(value))).collect()
        }
        other => other,
    }
}

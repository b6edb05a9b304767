//! [`Writer`]: the state that only one thread at a time may touch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim::{Claim, Claims};
use super::document::{Loaded, ReadFailure};
use super::documents::{DocName, Documents};
use super::head::{Compared, HeadChange};
use super::meta_keys;
use crate::disk::{IndexFacts, Meta, View, ViewNames};
use crate::doc::OwnIds;

/// So many ids of before are known.
const MAX_EARLIER_DEVICES: usize = 32;

/// The state that only one thread at a time may touch.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The current data document.
    pub(crate) current: DocName,
    /// The facts about the other documents.
    pub(crate) documents: Documents,
    /// Those of them that were loaded.
    pub(crate) others: BTreeMap<DocName, Loaded>,
    /// The claims that the head document holds.
    pub(crate) claims: Claims,
    /// Whether the claim of the current document is another one than what is read was made by.
    pub(crate) is_claim_new: bool,
    /// The tables that readers are to see once the next commit has succeeded, if it shows another
    /// document.
    pub(crate) shows_next: Option<Arc<ViewNames>>,
    /// Whether a flush follows the next commits, so that they need not be durable themselves.
    pub(crate) is_flushed_later: bool,
    /// The current document, once something was written or merged, as of the last commit.
    pub(crate) loaded: Option<Loaded>,
    /// The additions of the next commit to the head document.
    pub(super) head_changes: Vec<HeadChange>,
    /// The first look-up that failed since the last commit.
    pub(crate) failure: ReadFailure,
    /// Whether the head document is known to hold the version of the running code.
    pub(crate) is_recorded: bool,
    /// The result of comparing the code with the recorded versions; `None` in a new store.
    pub(super) compared: Option<Compared>,
    /// The id this device writes under; `None` if one must be made first.
    pub(crate) device: Option<u64>,
    /// The ids it wrote under before, the newest last: edits under them are its own.
    pub(crate) earlier_devices: Vec<u64>,
    /// The lost edit that the next commit decides on.
    pub(super) decided_lost: Option<String>,
    pub(crate) indexes: WriterIndexes,
    /// Facts that the next commit must record.
    pub(crate) unrecorded: Unrecorded,
    /// Whether the file was marked since the document was loaded.
    pub(crate) is_marked: bool,
}

/// The writer's facts about the indexes in the file.
#[derive(Debug, Default)]
pub(crate) struct WriterIndexes {
    pub(crate) facts: IndexFacts,
    /// Whether they are all declared ones, which this process keeps up to date.
    pub(crate) is_covered: bool,
    /// Whether the next commit must record the facts.
    pub(crate) is_unrecorded: bool,
    /// The indexes that the next commit must clear.
    pub(crate) to_clear: Vec<String>,
}

/// Which facts about the file are newer in memory.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Unrecorded {
    pub(crate) identity: bool,
    pub(crate) device: bool,
    pub(crate) compared: bool,
    pub(crate) documents: bool,
}

impl Writer {
    /// The claim of the current document, if it is one.
    pub(crate) fn claim(&self) -> Option<&Claim> {
        self.claims.get(&self.current)
    }

    /// Has this device write under another id. What it wrote under the one before stays its own.
    pub(crate) fn renew_device(&mut self, id: u64) {
        self.earlier_devices.extend(self.device.replace(id));
        let excess = self.earlier_devices.len().saturating_sub(MAX_EARLIER_DEVICES);
        self.earlier_devices.drain(..excess);
        self.unrecorded.device = true;
    }

    /// The ids under which edits are this device's own.
    pub(crate) fn own_ids(&self) -> OwnIds<'_> {
        let device = self.device.unwrap_or_default();
        OwnIds { device, earlier: &self.earlier_devices }
    }

    /// Drops what is known of documents, so that it is read again.
    pub(crate) fn forget_loaded(&mut self) {
        self.loaded = None;
        self.others.clear();
        self.head_changes.clear();
    }

    /// Has the documents be those of a view.
    pub(crate) fn follow(&mut self, view: &Arc<View>) {
        for loaded in self.loaded.iter_mut().chain(self.others.values_mut()) {
            loaded.document.follow(view.clone());
        }
    }

    pub(crate) fn of_new_store(epoch: u32) -> Self {
        Self {
            current: DocName::unclaimed(epoch),
            documents: Documents::default(),
            others: BTreeMap::new(),
            claims: Claims::new(),
            is_claim_new: false,
            shows_next: None,
            is_flushed_later: false,
            loaded: None,
            head_changes: Vec::new(),
            failure: ReadFailure::default(),
            is_recorded: false,
            compared: None,
            is_marked: false,
            device: None,
            earlier_devices: Vec::new(),
            decided_lost: None,
            indexes: WriterIndexes::default(),
            unrecorded: Unrecorded { identity: true, ..Unrecorded::default() },
        }
    }

    pub(super) fn of_existing(
        meta: &Meta,
        current: DocName,
        claims: Claims,
        whereabouts: u64,
        (compared, is_recorded_there): (Compared, bool),
    ) -> Self {
        let documents =
            meta.text(meta_keys::DOCUMENTS).and_then(|json| serde_json::from_str(json).ok());
        // A copy must not write under the id of its original.
        let stayed = meta.number(meta_keys::WHEREABOUTS) == Some(whereabouts);
        let device = meta.number(meta_keys::DEVICE);
        let earlier = meta.text(meta_keys::EARLIER_DEVICES);
        let mut earlier_devices: Vec<u64> =
            earlier.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        earlier_devices.extend(device.filter(|_| !stayed));
        Self {
            current,
            documents: documents.unwrap_or_default(),
            others: BTreeMap::new(),
            claims,
            is_claim_new: false,
            shows_next: None,
            is_flushed_later: false,
            loaded: None,
            head_changes: Vec::new(),
            failure: ReadFailure::default(),
            is_recorded: false,
            compared: Some(compared),
            is_marked: false,
            device: device.filter(|_| stayed),
            earlier_devices,
            decided_lost: None,
            indexes: WriterIndexes {
                facts: meta.bytes(meta_keys::INDEXES).map(IndexFacts::parse).unwrap_or_default(),
                ..WriterIndexes::default()
            },
            unrecorded: Unrecorded { compared: !is_recorded_there, ..Unrecorded::default() },
        }
    }
}

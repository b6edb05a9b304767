//! What only one thread at a time may touch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim::{Claim, Claims};
use super::coverage::Coverage;
use super::documents::{DocName, Documents};
use super::head::{Compared, HeadChanges};
use super::loaded::Loaded;
use super::meta_keys;
use crate::disk::{HEAD_DOCUMENT, IndexFacts, Meta, ViewNames};
use crate::doc::Document;

/// What only one thread at a time may touch.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The current data document.
    pub(crate) current: DocName,
    /// What is known of the others.
    pub(crate) documents: Documents,
    /// Those of them that were loaded.
    pub(crate) others: BTreeMap<DocName, Loaded>,
    /// The claims that the head document holds.
    pub(crate) claims: Claims,
    /// Whether the claim of the current document is another one than what is read was made by.
    pub(crate) is_claim_new: bool,
    /// What readers are to see once the next commit has succeeded, where that is another document.
    pub(crate) shows_next: Option<Arc<ViewNames>>,
    /// The current document, once something was written or merged.
    pub(crate) loaded: Option<Loaded>,
    /// The head document, likewise.
    pub(crate) head: Option<Loaded>,
    /// What the head document in memory has and the file has not, for the next commit.
    pub(super) head_changes: Option<HeadChanges>,
    /// Whether the head document is known to hold the version of the running code.
    pub(crate) is_recorded: bool,
    /// What came of comparing the code with the recorded versions; `None` in a new store.
    pub(super) compared: Option<Compared>,
    /// The id this device writes under; `None` where one must be made first.
    pub(crate) device: Option<u64>,
    pub(crate) coverage: Coverage,
    pub(crate) indexes: WriterIndexes,
    /// Facts that the next commit must record.
    pub(crate) unrecorded: Unrecorded,
    /// Whether the file was marked since the document was loaded.
    pub(crate) is_marked: bool,
    /// The damage that the device id was made for.
    pub(crate) damage: Option<u64>,
}

/// What the writer knows of the indexes in the file.
#[derive(Debug, Default)]
pub(crate) struct WriterIndexes {
    pub(crate) facts: IndexFacts,
    /// Whether they are all declared ones, which this process keeps up to date.
    pub(crate) is_covered: bool,
    /// Whether the next commit must record the facts.
    pub(crate) is_unrecorded: bool,
    /// What the next commit must forget.
    pub(crate) to_clear: Vec<String>,
}

/// Which facts about the file are newer in memory.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Unrecorded {
    pub(crate) identity: bool,
    pub(crate) device: bool,
    pub(crate) coverage: bool,
    pub(crate) compared: bool,
    pub(crate) documents: bool,
}

impl Writer {
    /// A document as it is loaded, unless it holds what the file does not have yet.
    pub(crate) fn document(&mut self, name: &str) -> Option<&mut Loaded> {
        match name {
            HEAD_DOCUMENT if self.head_changes.is_some() => None,
            HEAD_DOCUMENT => self.head.as_mut(),
            _ if name == self.current.to_string() => self.loaded.as_mut(),
            _ => self.others.get_mut(&DocName::parse(name)?),
        }
    }

    /// Whether a document is a data document that is not the current one.
    pub(crate) fn is_other(&self, name: &str) -> bool {
        name != HEAD_DOCUMENT && name != self.current.to_string()
    }

    /// The loaded documents with their names, the head document first: who is given both must know
    /// of a version before its rows.
    pub(crate) fn loaded_documents(&self) -> impl Iterator<Item = (String, &Document)> {
        let head = self.head.as_ref().map(|head| (HEAD_DOCUMENT.to_owned(), &head.document));
        let data = self.loaded.as_ref().map(|data| (self.current.to_string(), &data.document));
        head.into_iter().chain(data)
    }

    /// The claim of the current document, where it is one.
    pub(crate) fn claim(&self) -> Option<&Claim> {
        self.claims.get(&self.current)
    }

    /// Whether the head document in memory is ahead of the file.
    pub(crate) fn has_head_changes(&self) -> bool {
        self.head_changes.is_some()
    }

    /// Drops what was not stored of the head document, and the document with it.
    pub(crate) fn forget_head_changes(&mut self) {
        if self.head_changes.take().is_some() {
            self.head = None;
        }
    }

    /// Drops the documents in memory, so that they are loaded again.
    pub(crate) fn forget_loaded(&mut self) {
        (self.loaded, self.head) = (None, None);
        self.others.clear();
    }

    pub(crate) fn of_new_store(epoch: u32) -> Self {
        Self {
            current: DocName::unclaimed(epoch),
            documents: Documents::default(),
            others: BTreeMap::new(),
            claims: Claims::new(),
            is_claim_new: false,
            shows_next: None,
            loaded: None,
            head: None,
            head_changes: None,
            is_recorded: false,
            compared: None,
            is_marked: false,
            device: None,
            coverage: Coverage::default(),
            indexes: WriterIndexes::default(),
            unrecorded: Unrecorded { identity: true, ..Unrecorded::default() },
            damage: None,
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
        let coverage =
            meta.text(meta_keys::COVERAGE).and_then(|json| serde_json::from_str(json).ok());
        Self {
            current,
            documents: documents.unwrap_or_default(),
            others: BTreeMap::new(),
            claims,
            is_claim_new: false,
            shows_next: None,
            loaded: None,
            head: None,
            head_changes: None,
            is_recorded: false,
            compared: Some(compared),
            is_marked: false,
            device: meta.number(meta_keys::DEVICE).filter(|_| stayed),
            coverage: coverage.unwrap_or_default(),
            indexes: WriterIndexes {
                facts: meta.bytes(meta_keys::INDEXES).map(IndexFacts::parse).unwrap_or_default(),
                ..WriterIndexes::default()
            },
            unrecorded: Unrecorded { compared: !is_recorded_there, ..Unrecorded::default() },
            damage: meta.number(meta_keys::DAMAGE),
        }
    }
}

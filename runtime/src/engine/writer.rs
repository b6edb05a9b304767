//! What only one thread at a time may touch.

use super::coverage::Coverage;
use super::fact;
use super::head::{Compared, News};
use super::indexes::IndexFacts;
use super::loaded::Loaded;
use crate::disk::{DATA_DOCUMENT, HEAD_DOCUMENT, Meta};
use crate::doc::Document;

/// What only one thread at a time may touch.
#[derive(Debug)]
pub(super) struct Writer {
    /// The document, once something was written or merged.
    pub(super) loaded: Option<Loaded>,
    /// The head document, likewise.
    pub(super) head: Option<Loaded>,
    /// What the head document in memory has and the file has not, for the next commit.
    pub(super) news: Option<News>,
    /// Whether the head document is known to hold the version of the running code.
    pub(super) is_recorded: bool,
    /// What came of comparing the code with the recorded versions; `None` in a new store.
    pub(super) compared: Option<Compared>,
    /// The id this device writes under; `None` where one must be made first.
    pub(super) device: Option<u64>,
    pub(super) coverage: Coverage,
    pub(super) indexes: WriterIndexes,
    /// Facts that the next commit must record.
    pub(super) unrecorded: Unrecorded,
    /// Whether the file was marked since the document was loaded.
    pub(super) is_marked: bool,
    /// The damage that the device id was made for.
    pub(super) damage: Option<u64>,
}

/// What the writer knows of the indexes in the file.
#[derive(Debug, Default)]
pub(super) struct WriterIndexes {
    pub(super) facts: IndexFacts,
    /// Whether they are all declared ones, which this process keeps up to date.
    pub(super) is_covered: bool,
    /// Whether the next commit must record the facts.
    pub(super) is_unrecorded: bool,
    /// What the next commit must forget.
    pub(super) to_clear: Vec<String>,
}

/// Which facts about the file are newer in memory.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Unrecorded {
    pub(super) identity: bool,
    pub(super) device: bool,
    pub(super) coverage: bool,
    pub(super) compared: bool,
}

impl Writer {
    /// A document as it is loaded, unless it holds what the file does not have yet.
    pub(super) fn document(&mut self, name: &str) -> Option<&mut Loaded> {
        match name {
            HEAD_DOCUMENT if self.news.is_some() => None,
            HEAD_DOCUMENT => self.head.as_mut(),
            _ => self.loaded.as_mut(),
        }
    }

    /// The loaded documents with their names, the head document first: who is given both must know
    /// of a version before its rows.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&'static str, &Document)> {
        let head = self.head.as_ref().map(|head| (HEAD_DOCUMENT, &head.document));
        let data = self.loaded.as_ref().map(|data| (DATA_DOCUMENT, &data.document));
        head.into_iter().chain(data)
    }

    pub(super) fn of_new_store() -> Self {
        Self {
            loaded: None,
            head: None,
            news: None,
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

    pub(super) fn of_existing(meta: &Meta, whereabouts: u64, compared: Compared) -> Self {
        // A copy must not write under the id of its original.
        let stayed = meta.number(fact::WHEREABOUTS) == Some(whereabouts);
        let coverage = meta.text(fact::COVERAGE).and_then(|json| serde_json::from_str(json).ok());
        let is_news = !compared.is_noted(meta);
        Self {
            loaded: None,
            head: None,
            news: None,
            is_recorded: false,
            compared: Some(compared),
            is_marked: false,
            device: meta.number(fact::DEVICE).filter(|_| stayed),
            coverage: coverage.unwrap_or_default(),
            indexes: WriterIndexes {
                facts: meta.bytes(fact::INDEXES).map(IndexFacts::parse).unwrap_or_default(),
                ..WriterIndexes::default()
            },
            unrecorded: Unrecorded { compared: is_news, ..Unrecorded::default() },
            damage: meta.number(fact::DAMAGE),
        }
    }
}

//! A document of the file as of the last commit, with what is to be written to it over that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::late_edits::LateEdits;
use crate::disk::{StoredDocument, View};
use crate::doc::items::{Cell, ReadItems};
use crate::doc::{DocVersion, Entry, Root};
use crate::error::{Error, Result};
use crate::row::{Content, EntryRef, ItemId};

/// The first error of many look-ups. Every commit asks for it, so that nothing is written that follows from
/// a look-up that failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadFailure(Arc<Mutex<Option<Error>>>);

impl ReadFailure {
    fn keep<T>(&self, read: Result<T>) -> Option<T> {
        read.map_err(|error| {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(error);
        })
        .ok()
    }

    /// Returns the error, once.
    pub(crate) fn take(&self) -> Result<()> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map_or(Ok(()), Err)
    }
}

/// A document of the file as of the last commit, with what is to be written to it over that.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    stored: Arc<StoredDocument>,
    /// The entries that are to stand under keys.
    planned: BTreeMap<EntryRef, Option<Entry>>,
    /// The item that is written next.
    next: Option<ItemId>,
    failure: ReadFailure,
}

impl Document {
    pub(crate) fn new(view: Arc<View>, name: &str, failure: &ReadFailure) -> Self {
        Self {
            stored: Arc::new(StoredDocument::new(view, name)),
            planned: BTreeMap::new(),
            next: None,
            failure: failure.clone(),
        }
    }

    /// The same document as of another view.
    pub(crate) fn follow(&mut self, view: Arc<View>) {
        let stored = Arc::new(self.stored.following(view));
        *self =
            Self { stored, planned: BTreeMap::new(), next: None, failure: self.failure.clone() };
    }

    /// Returns the document as the file has it.
    pub(crate) fn stored(&self) -> Arc<StoredDocument> {
        self.stored.clone()
    }

    /// Whether something is to be written to it.
    pub(crate) fn is_changed(&self) -> bool {
        !self.planned.is_empty()
    }

    /// Plans to write an entry as a client, or to remove it.
    pub(crate) fn plan(&mut self, client: u64, root: &str, key: &str, value: Option<&str>) {
        let at = EntryRef::new(root, key);
        let Some(json) = value else {
            self.planned.insert(at, None);
            return;
        };
        let start = || {
            let clock = self.clocks().get(&client).copied().unwrap_or_default();
            ItemId { client, clock }
        };
        let id = self.next.unwrap_or_else(start);
        self.next = Some(ItemId { clock: id.clock.saturating_add(1), ..id });
        self.planned.insert(at, Some(Entry { id, content: Content::Text(json.into()) }));
    }

    /// Returns the texts that are to be written, by root and key.
    pub(crate) fn planned(&self) -> impl Iterator<Item = (&EntryRef, Option<&str>)> {
        self.planned.iter().map(|(at, entry)| {
            let json = entry.as_ref().and_then(|entry| match &entry.content {
                Content::Text(json) => Some(&**json),
                Content::Foreign(_) => None,
            });
            (at, json)
        })
    }

    /// The entry under a key.
    pub(crate) fn entry(&self, root: &str, key: &str) -> Option<Entry> {
        if !self.planned.is_empty()
            && let Some(planned) = self.planned.get(&EntryRef::new(root, key))
        {
            return planned.clone();
        }
        self.failure.keep(self.stored.entry(root, key)).flatten()
    }

    /// The cells of a row that stand.
    pub(crate) fn cells(&self, root: &str, key: &str) -> Vec<Cell> {
        self.failure.keep(self.stored.cells(root, key)).unwrap_or_default()
    }

    /// Whether there is an entry under a key.
    pub(crate) fn entry_in(&self, root: &str, key: &str) -> bool {
        self.entry(root, key).is_some()
    }

    /// Calls `visit` with every entry of a root map, in no order.
    pub(crate) fn for_each<E: From<Error>>(
        &self,
        root: &str,
        mut visit: impl FnMut(&str, Entry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let planned = || {
            let of_root = self.planned.range(EntryRef::new(root, "")..);
            of_root.take_while(|(at, _)| at.root == root)
        };
        let is_planned = planned().next().is_some();
        self.stored.for_each(root, |key, entry| {
            if is_planned && self.planned.contains_key(&EntryRef::new(root, key)) {
                return Ok(());
            }
            visit(key, entry)
        })?;
        planned().try_for_each(|(at, entry)| match entry {
            Some(entry) => visit(&at.key, entry.clone()),
            None => Ok(()),
        })
    }

    /// The names of all roots that are ours.
    pub(crate) fn maps(&self) -> Vec<Arc<str>> {
        let mut roots = self.failure.keep(self.stored.roots()).unwrap_or_default();
        for (at, _) in self.planned() {
            if !roots.iter().any(|root| **root == *at.root) {
                roots.push(at.root.as_str().into());
            }
        }
        roots.retain(|root| Root::parse(root).is_some());
        roots
    }

    /// How many entries a root map has.
    pub(crate) fn len(&self, root: &str) -> u64 {
        let mut len = 0;
        let counted = self.for_each(root, |_, _| {
            len += 1;
            Ok::<(), Error>(())
        });
        self.failure.keep(counted);
        len
    }

    /// How many clocks of each client are here.
    pub(crate) fn clocks(&self) -> BTreeMap<u64, u32> {
        let mut clocks = self.failure.keep(self.stored.clocks()).unwrap_or_default();
        clocks.extend(self.next.map(|next| (next.client, next.clock)));
        clocks
    }

    /// Returns the version that this copy holds.
    pub(crate) fn version(&self) -> DocVersion {
        self.failure.keep(self.stored.version()).unwrap_or_default()
    }

    /// How many commits it has had.
    pub(crate) fn commits(&self) -> u64 {
        self.failure.keep(self.stored.state()).unwrap_or_default().commits
    }

    /// Whether updates wait for others.
    pub(crate) fn has_pending(&self) -> bool {
        self.failure.keep(self.stored.has_waiting()).unwrap_or_default()
    }
}

/// A document with the late edits that it carries.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) document: Document,
    pub(crate) late_edits: LateEdits,
}

impl Loaded {
    pub(crate) fn new(document: Document) -> Result<Self> {
        let late_edits = LateEdits::of(&document)?;
        Ok(Self { document, late_edits })
    }
}

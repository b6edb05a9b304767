//! Documents, as sets that only grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::schema::{Epoch, Key, is_convertible, targets};

/// A document's name. The order is the rank: of those that are here, the highest is the current one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocName {
    pub epoch: Epoch,
    pub generation: u8,
    /// 0 is the document that no device claimed.
    pub claim: u32,
}

impl fmt::Debug for DocName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}", self.epoch, self.generation, self.claim)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditId {
    pub doc: DocName,
    pub client: u32,
    pub clock: u32,
}

impl fmt::Debug for EditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}.{}", self.doc, self.client, self.clock)
    }
}

/// A part of an edit: one of the rows that conversions make of it. `split` names the target at each
/// conversion that made several, and is empty for nearly all edits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub edit: EditId,
    pub split: Vec<Key>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}", self.edit, self.split)
    }
}

impl Part {
    pub fn whole(edit: EditId) -> Self {
        Self { edit, split: Vec::new() }
    }

    /// Whether `other` is this part, or a part of it.
    pub fn contains(&self, other: &Self) -> bool {
        self.edit == other.edit && other.split.starts_with(&self.split)
    }
}

pub type Parts = BTreeSet<Part>;

/// The number of the first clock that is not covered, for each document and client.
pub type Vector = BTreeMap<(DocName, u32), u32>;

/// A row or entry as it may show, made of the parts that it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    pub parts: Parts,
    /// The epoch whose key this is.
    pub epoch: Epoch,
    pub key: Key,
    /// The number of the edit. It stands for the content.
    pub edit: usize,
    /// The document that it was written in.
    pub doc: DocName,
    /// The place within that document: the ids on the way to it, origin by origin.
    pub place: Vec<(u32, u32)>,
}

impl Value {
    pub fn can_be_in(&self, epoch: Epoch) -> bool {
        self.parts.len() > 1 || is_convertible(self.edit, self.doc.epoch, epoch)
    }

    /// What the conversions up to an epoch make of it, convertible or not.
    pub fn converted(&self, to: Epoch) -> Vec<Self> {
        let mut values = vec![self.clone()];
        for from in self.epoch..to {
            values = values.iter().flat_map(|value| value.next(from)).collect();
        }
        values
    }

    fn next(&self, from: Epoch) -> Vec<Self> {
        let keys = targets(from, self.key);
        let is_split = keys.len() > 1;
        let of = |key: Key| {
            let mut value = Self { epoch: from + 1, key, ..self.clone() };
            if is_split {
                let longer = |mut part: Part| {
                    part.split.push(key);
                    part
                };
                value.parts = value.parts.into_iter().map(longer).collect();
            }
            value
        };
        keys.into_iter().map(of).collect()
    }
}

/// An edit in the document that it was written in.
#[derive(Clone, Debug)]
pub struct Item {
    pub key: Key,
    pub edit: usize,
    pub place: Vec<(u32, u32)>,
    /// Whether the content is here: others may be sent what lost without it.
    pub has_content: bool,
}

/// What a claim says about other documents: all below `covers` is over, but for what is listed.
#[derive(Clone, Default, Debug)]
pub struct Context {
    pub covers: Vector,
    pub frontier: Parts,
}

impl Context {
    pub fn covers(&self, edit: EditId) -> bool {
        self.covers.get(&(edit.doc, edit.client)).is_some_and(|end| edit.clock < *end)
    }

    pub fn lists_of(&self, edit: EditId) -> impl Iterator<Item = &Part> {
        self.frontier.range(Part::whole(edit)..).take_while(move |part| part.edit == edit)
    }

    /// Whether the claim knew the edit, and that this part of it is over.
    pub fn ends(&self, part: &Part) -> bool {
        let lists = |listed: &Part| listed.contains(part) || part.contains(listed);
        self.covers(part.edit) && !self.lists_of(part.edit).any(lists)
    }
}

/// What one transaction writes.
#[derive(Clone, Default, Debug)]
pub struct Commit {
    pub items: BTreeMap<EditId, Item>,
    pub marks: Parts,
    /// Items that are deleted, which the rule does not look at.
    pub deleted: BTreeSet<EditId>,
    pub entries: BTreeMap<Parts, Value>,
    pub contexts: BTreeMap<DocName, Context>,
    /// For the checks: the operations that its author knew.
    pub knew: u128,
    /// The clocks that it takes: marks and entries take some, too.
    pub clocks: u32,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub name: DocName,
    pub claim: Context,
    pub items: BTreeMap<EditId, Item>,
    pub marks: Parts,
    pub deleted: BTreeSet<EditId>,
    /// Copies of a migration, and late edits that were carried.
    pub entries: BTreeMap<Parts, Value>,
    pub contexts: BTreeMap<DocName, Context>,
    pub clocks: BTreeMap<u32, u32>,
    /// For the checks.
    pub knew: u128,
    pub log: BTreeMap<(u32, u32), Commit>,
}

impl Document {
    pub fn new(name: DocName) -> Self {
        Self {
            name,
            claim: Context::default(),
            items: BTreeMap::new(),
            marks: Parts::new(),
            deleted: BTreeSet::new(),
            entries: BTreeMap::new(),
            contexts: BTreeMap::new(),
            clocks: BTreeMap::new(),
            knew: 0,
            log: BTreeMap::new(),
        }
    }

    pub fn clock(&self, client: u32) -> u32 {
        self.clocks.get(&client).copied().unwrap_or_default()
    }

    /// Takes in the next commit of a client, unless it is here.
    pub fn take(&mut self, client: u32, clock: u32, commit: Commit) {
        if self.log.contains_key(&(client, clock)) {
            return;
        }
        for (id, item) in &commit.items {
            self.items.insert(*id, item.clone());
        }
        self.marks.extend(commit.marks.iter().cloned());
        self.deleted.extend(commit.deleted.iter().copied());
        self.entries.extend(commit.entries.clone());
        self.contexts.extend(commit.contexts.clone());
        self.knew |= commit.knew;
        self.clocks.insert(client, clock + commit.clocks);
        self.log.insert((client, clock), commit);
    }

    pub fn tip(&self, key: Key) -> Option<EditId> {
        let of_key = self.items.iter().filter(|(_, item)| item.key == key);
        of_key.max_by(|a, b| a.1.place.cmp(&b.1.place)).map(|(id, _)| *id)
    }

    /// The tips of all keys.
    pub fn tips(&self) -> BTreeSet<EditId> {
        let mut tips: BTreeMap<Key, (&EditId, &Item)> = BTreeMap::new();
        for (id, item) in &self.items {
            let tip = tips.entry(item.key).or_insert((id, item));
            if tip.1.place < item.place {
                *tip = (id, item);
            }
        }
        tips.into_values().map(|(id, _)| *id).collect()
    }

    pub fn value(&self, id: EditId) -> Option<Value> {
        let item = self.items.get(&id)?;
        item.has_content.then(|| Value {
            parts: Parts::from([Part::whole(id)]),
            epoch: self.name.epoch,
            key: item.key,
            edit: item.edit,
            doc: self.name,
            place: item.place.clone(),
        })
    }

    pub fn all_contexts(&self) -> impl Iterator<Item = &Context> {
        self.contexts.values().chain([&self.claim])
    }
}

//! [`Rekeyed`]: the entries of a map that are under another key than before.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use super::{by_name, id};
use crate::row::json::{JsonValue, Member};
use crate::row::shape::Facts;

/// The entries of a map that are under another key than before.
#[derive(Debug, Default)]
pub(super) struct Rekeyed<'j> {
    /// The old key of each, by the new one.
    origins: HashMap<Cow<'j, str>, Cow<'j, str>>,
    /// The old keys.
    left: HashSet<Cow<'j, str>>,
}

type Members<'j> = HashMap<Cow<'j, str>, Member<'j>>;

impl<'j> Rekeyed<'j> {
    /// Finds the entries of `after` that are those of another key in `before`: of the same id, or equal.
    pub(super) fn of(before: JsonValue<'j>, after: JsonValue<'j>, facts: &Facts<'_>) -> Self {
        let mut this = Self::default();
        if !facts.is_map() {
            return this;
        }
        let (was, is) = (by_name(before), by_name(after));
        let own_id = |member: &Member<'j>| {
            let id = id(member.value, &facts.member(&member.name()));
            id.filter(|id| id.is_own).map(|id| id.text)
        };
        let is_same = |a: &Member<'j>, b: &Member<'j>| {
            a.value.text() == b.value.text() || own_id(a).is_some_and(|id| own_id(b) == Some(id))
        };
        let changed = |map: JsonValue<'j>, other: &Members<'j>| {
            let changed = map.members().filter(|member| {
                let name = member.name();
                let there = other.get(&name);
                !facts.is_named(&name) && there.is_none_or(|there| !is_same(member, there))
            });
            changed.collect::<Vec<_>>()
        };
        let (old, new) = (changed(before, &is), changed(after, &was));
        let mut by_id: HashMap<&str, VecDeque<&Member<'j>>> = HashMap::new();
        let mut by_text: HashMap<&str, VecDeque<&Member<'j>>> = HashMap::new();
        for member in &old {
            match own_id(member) {
                Some(id) => by_id.entry(id).or_default().push_back(member),
                None => by_text.entry(member.value.text()).or_default().push_back(member),
            }
        }
        let mut with_id = HashSet::new();
        for member in &new {
            let same = match own_id(member) {
                Some(id) => {
                    with_id.insert(member.name());
                    by_id.get_mut(id)
                }
                None => by_text.get_mut(member.value.text()),
            };
            if let Some(origin) = same.and_then(VecDeque::pop_front) {
                this.left.insert(origin.name());
                this.origins.insert(member.name(), origin.name());
            }
        }
        this.drop_coincidences(&was, &is, &with_id);
        this
    }

    /// Leaves entries under their keys that may as well have been edited there. That is so if the chain from
    /// key to key begins with a key whose value is gone and ends with one whose value is new: several
    /// numbers were counted up, say, and are equal by coincidence.
    fn drop_coincidences(
        &mut self,
        was: &Members<'j>,
        is: &Members<'j>,
        with_id: &HashSet<Cow<'j, str>>,
    ) {
        let is_head = |name: &&Cow<'j, str>| !self.left.contains(*name) && was.contains_key(*name);
        let heads: Vec<Cow<'j, str>> = self.origins.keys().filter(is_head).cloned().collect();
        for head in heads {
            let mut chain = vec![head];
            while let Some(origin) = chain.last().and_then(|name| self.origins.get(name)) {
                chain.push(origin.clone());
            }
            let is_new = chain.last().is_some_and(|end| is.contains_key(end));
            if is_new && !chain.iter().any(|name| with_id.contains(name)) {
                for name in chain {
                    if let Some(origin) = self.origins.remove(&name) {
                        self.left.remove(&origin);
                    }
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Returns the key that an entry was under.
    pub(super) fn origin(&self, name: &str) -> Option<&str> {
        self.origins.get(name).map(|origin| &**origin)
    }

    /// Whether the entry that was under a key is under another one.
    pub(super) fn has_left(&self, name: &str) -> bool {
        self.left.contains(name)
    }
}

//! Mistakes of a store, found against the store of the epoch before.

use super::super::descriptor::{FieldDef, GroupDef, StoreDef, TableDef, same};
use super::super::step::StoreStep;
use super::check::Structs;
use super::compare::is_word;
use super::conversion::contains;
use super::message::Message;

/// How a table or group stands to those of the previous store.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Which one is of the same type.
    pub same: Option<usize>,
    /// Which one it follows from.
    pub follows: Option<usize>,
}

/// The facts that a derive knows of a store that follows from another.
#[derive(Debug, Clone, Copy)]
pub struct Succession {
    /// The name of the store.
    pub store: &'static str,
    /// Its epoch.
    pub epoch: u32,
    /// The previous store, as written.
    pub previous: &'static str,
    /// The step from it.
    pub step: &'static StoreStep,
    /// The tables of the store.
    pub tables: &'static [TableDef],
    /// How they stand to those of the previous one.
    pub table_links: &'static [Link],
    /// Its groups.
    pub groups: &'static [GroupDef],
    /// How they stand to those of the previous one.
    pub group_links: &'static [Link],
}

/// The tables, or the groups, of both stores.
#[derive(Clone, Copy)]
struct StructPair {
    old: Structs,
    new: Structs,
    links: &'static [Link],
}

impl Succession {
    /// Whether the store has another name.
    pub const fn check_name(&self) -> Option<Message> {
        if self.is_stub() || same(self.store, self.old().name) {
            return None;
        }
        let mut message = Message::new();
        message.add(&["the previous `", self.previous, "` is the store `", self.old().name]);
        message.add(&["`, and this one is `", self.store, "`; a store keeps its name: write "]);
        message.add(&["`name = \"", self.old().name, "\"`"]);
        Some(message)
    }

    /// Whether its epoch is not the next one.
    pub const fn check_epoch(&self) -> Option<Message> {
        let next = self.old().epoch.saturating_add(1);
        if self.is_unsure() || self.epoch == next {
            return None;
        }
        let mut message = Message::new();
        message.add(&["the previous `", self.previous, "` is of epoch "]);
        message.add_number(self.old().epoch);
        message.add(&[", and this store is of epoch "]);
        message.add_number(self.epoch);
        message.add(&["; epochs follow each other: write `epoch = "]);
        message.add_number(next);
        message.add(&["`"]);
        Some(message)
    }

    /// Which tables and groups of the previous store go nowhere.
    pub const fn check_left(&self) -> Option<Message> {
        let (tables, groups) = (self.tables(), self.groups());
        if self.is_unsure() || tables.is_unsure() || groups.is_unsure() || self.drops_unknown() {
            return None;
        }
        let count = self.count_left(tables) + self.count_left(groups);
        if count == 0 {
            return None;
        }
        let (became, them) =
            if count == 1 { ("it has become", "it") } else { ("they have become", "them") };
        let mut message = Message::new();
        message.add(&["nothing follows from "]);
        let named = self.name_left(&mut message, tables, 0, count, true);
        self.name_left(&mut message, groups, named, count, true);
        message.add(&[" of the previous `", self.previous, "`; write `previous = …` on what "]);
        message.add(&[became, ", or give ", them, " up with `drops("]);
        let named = self.name_left(&mut message, tables, 0, count, false);
        self.name_left(&mut message, groups, named, count, false);
        message.add(&[")`"]);
        Some(message)
    }

    /// Returns the mistake of one of `drops`.
    pub const fn check_drop(&self, index: usize) -> Option<Message> {
        if self.is_unsure() {
            return None;
        }
        let name = self.step.drops[index];
        let (tables, groups) = (self.tables(), self.groups());
        let mut message = Message::new();
        let mut before = 0;
        while before < index {
            if same(self.step.drops[before], name) {
                message.add(&["`", name, "` is listed twice; remove one of the two"]);
                return Some(message);
            }
            before += 1;
        }
        let (table, group) = (tables.old.find(name), groups.old.find(name));
        if table.is_none() && group.is_none() {
            message.add(&["the previous `", self.previous, "` has no table or kv group `", name]);
            message.add(&["`, so there is nothing to drop; it has "]);
            let all = tables.old.len() + groups.old.len();
            list(&mut message, tables.old, 0, all);
            list(&mut message, groups.old, tables.old.len(), all);
            return Some(message);
        }
        if tables.is_unsure() || groups.is_unsure() {
            return None;
        }
        let heir = match (table, group) {
            (Some(index), _) if !tables.goes_on(index) => return None,
            (_, Some(index)) if !groups.goes_on(index) => return None,
            (Some(index), _) => tables.heir(index),
            (None, Some(index)) => groups.heir(index),
            (None, None) => None,
        };
        let (noun, heir) = match heir {
            Some(heir) => heir,
            None => return None,
        };
        message.add(&[
            "`",
            name,
            "` goes on as the ",
            noun,
            " `",
            heir,
            "` of this store; take it ",
        ]);
        message.add(&["out of `drops`, or remove that ", noun]);
        Some(message)
    }

    /// Returns the mistake of a table.
    pub const fn check_table(&self, index: usize) -> Option<Message> {
        if self.is_unsure() { None } else { self.tables().check(self.previous, index) }
    }

    /// Returns the mistake of a group.
    pub const fn check_group(&self, index: usize) -> Option<Message> {
        if self.is_unsure() { None } else { self.groups().check(self.previous, index) }
    }

    const fn old(&self) -> &StoreDef {
        &self.step.previous
    }

    const fn tables(&self) -> StructPair {
        let old = Structs::Tables(self.old().tables);
        StructPair { old, new: Structs::Tables(self.tables), links: self.table_links }
    }

    const fn groups(&self) -> StructPair {
        let old = Structs::Groups(self.old().groups);
        StructPair { old, new: Structs::Groups(self.groups), links: self.group_links }
    }

    /// Whether the derive of the previous store failed: a store has at least one member.
    const fn is_stub(&self) -> bool {
        self.old().tables.is_empty() && self.old().groups.is_empty()
    }

    /// Whether it may be another store that was meant.
    const fn is_unsure(&self) -> bool {
        self.is_stub() || !same(self.store, self.old().name)
    }

    const fn drops_unknown(&self) -> bool {
        let mut i = 0;
        while i < self.step.drops.len() {
            let name = self.step.drops[i];
            if self.tables().old.find(name).is_none() && self.groups().old.find(name).is_none() {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Whether an old table, or group, goes nowhere.
    const fn is_left(&self, pair: StructPair, index: usize) -> bool {
        let is_dropped = contains(self.step.drops, pair.old.name(index));
        !pair.goes_on(index) && !is_dropped && !pair.old.is_stub(index)
    }

    const fn count_left(&self, pair: StructPair) -> usize {
        let (mut index, mut count) = (0, 0);
        while index < pair.old.len() {
            count += self.is_left(pair, index) as usize;
            index += 1;
        }
        count
    }

    /// Names those that go nowhere, after so many and out of so many: in a sentence, or in a list.
    const fn name_left(
        &self,
        message: &mut Message,
        pair: StructPair,
        mut named: usize,
        count: usize,
        in_words: bool,
    ) -> usize {
        let mut index = 0;
        while index < pair.old.len() {
            if self.is_left(pair, index) {
                let is_last = named + 1 == count;
                message.add(&[match named {
                    0 => "",
                    _ if is_last && in_words => " and ",
                    _ => ", ",
                }]);
                let name = pair.old.name(index);
                let quote = if is_word(name) { "" } else { "\"" };
                if in_words {
                    message.add(&["the ", pair.old.noun(), " `", name, "`"]);
                } else {
                    message.add(&[quote, name, quote]);
                }
                named += 1;
            }
            index += 1;
        }
        named
    }
}

impl StructPair {
    const fn check(self, previous: &str, index: usize) -> Option<Message> {
        let (name, noun, attribute) = (self.new.name(index), self.new.noun(), self.new.attribute());
        if self.new.is_stub(index) || self.new.has_twice(name) {
            return None;
        }
        let mut message = Message::new();
        if self.is_astray(index) {
            message.add(&[noun, " `", name, "` has a `previous` that is not a ", noun, " of the "]);
            message.add(&["previous store `", previous, "`; name one of its ", noun, "s in "]);
            message.add(&["`#[", attribute, "(previous = …)]`, or remove it if the ", noun]);
            message.add(&[" is new"]);
            return Some(message);
        }
        let Some(source) = self.source(index) else { return None };
        if self.is_linked(index) || self.old.is_stub(source) {
            return None;
        }
        let (old, new) = (self.old.fields(source), self.new.fields(index));
        let differs = difference(old, new);
        let is_whole = differs.is_none() && old.len() <= new.len();
        if is_whole && self.has_same_key(source, index) {
            return None;
        }
        message.add(&[noun, " `", name, "` is not what it was in the previous `", previous, "`"]);
        match differs {
            Some(field) => message.add(&[" (see `", field, "`)"]),
            None if old.len() > new.len() => message.add(&[" (a field is gone)"]),
            None => message.add(&[" (the key is another)"]),
        }
        message.add(&["; say how it follows, with `#[", attribute, "(previous = …)]` on its "]);
        message.add(&["struct"]);
        Some(message)
    }

    /// Whether it follows from what is nothing of the previous store.
    const fn is_astray(self, index: usize) -> bool {
        self.new.has_step(index) && !self.is_linked(index)
    }

    const fn is_linked(self, index: usize) -> bool {
        let link = &self.links[index];
        link.same.is_some() || link.follows.is_some()
    }

    /// Which old one goes on as this.
    const fn source(self, index: usize) -> Option<usize> {
        let link = &self.links[index];
        match (link.same, link.follows) {
            (Some(index), _) | (None, Some(index)) => Some(index),
            (None, None) if self.new.has_step(index) => None,
            (None, None) => self.old.find(self.new.name(index)),
        }
    }

    const fn has_same_key(self, source: usize, index: usize) -> bool {
        let (old, new) = (self.old.key(source), self.new.key(index));
        if old.fields.len() != new.fields.len() {
            return false;
        }
        let mut i = 0;
        while i < old.fields.len() {
            let was = &self.old.fields(source)[old.fields[i]];
            let is = &self.new.fields(index)[new.fields[i]];
            if !same(was.name, is.name) || !same(old.kinds[i].name(), new.kinds[i].name()) {
                return false;
            }
            i += 1;
        }
        true
    }

    const fn goes_on(self, index: usize) -> bool {
        self.heir(index).is_some()
    }

    /// Returns the noun and the name of the one that an old one goes on as.
    const fn heir(self, index: usize) -> Option<(&'static str, &'static str)> {
        let mut i = 0;
        while i < self.new.len() {
            if let Some(source) = self.source(i)
                && source == index
            {
                return Some((self.new.noun(), self.new.name(i)));
            }
            i += 1;
        }
        None
    }

    /// Whether there is a mistake that another error is about.
    const fn is_unsure(self) -> bool {
        let mut i = 0;
        while i < self.new.len() {
            if self.new.is_stub(i) || self.is_astray(i) {
                return true;
            }
            i += 1;
        }
        false
    }
}

/// Whether a table has a previous one, which its store has not.
pub const fn check_unfounded_table(tables: &'static [TableDef], index: usize) -> Option<Message> {
    unfounded(Structs::Tables(tables), index)
}

/// Whether a group has a previous one, which its store has not.
pub const fn check_unfounded_group(groups: &'static [GroupDef], index: usize) -> Option<Message> {
    unfounded(Structs::Groups(groups), index)
}

const fn unfounded(structs: Structs, index: usize) -> Option<Message> {
    if !structs.has_step(index) {
        return None;
    }
    let mut message = Message::new();
    message.add(&[structs.noun(), " `", structs.name(index), "` has a `previous`, and its store "]);
    message.add(&["has none: name the store of the epoch before, with "]);
    message.add(&["`#[store(epoch = …, previous = …)]`"]);
    Some(message)
}

/// The name of a field that the old struct does not have, or not alike.
const fn difference(old: &[FieldDef], new: &'static [FieldDef]) -> Option<&'static str> {
    let mut i = 0;
    while i < new.len() {
        let mut found = false;
        let mut j = 0;
        while j < old.len() {
            found = found || is_alike(&old[j], &new[i]);
            j += 1;
        }
        if !found {
            return Some(new[i].rust_name);
        }
        i += 1;
    }
    None
}

const fn is_alike(old: &FieldDef, new: &FieldDef) -> bool {
    same(old.name, new.name)
        && same(old.rust_type, new.rust_type)
        && old.nullable == new.nullable
        && old.default.is_same(new.default)
}

/// Names tables or groups, of which so many stand before, of so many.
const fn list(message: &mut Message, structs: Structs, before: usize, all: usize) {
    let mut i = 0;
    while i < structs.len() {
        let at = before + i;
        message.add(&[if at == 0 {
            ""
        } else if at + 1 == all {
            " and "
        } else {
            ", "
        }]);
        message.add(&["`", structs.name(i), "`"]);
        i += 1;
    }
}

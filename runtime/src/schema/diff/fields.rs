//! Comparing the fields of a row, or the entries of a kv group.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Comparison, Owner, Scope};
use super::presence::{self, Fill, Presence};
use super::shape::{Node, Types, describe, parse};
use super::{Change, Operation, Rule, renames, rules};
use crate::schema::{FieldSchema, KeySchema};

type Fields = BTreeMap<String, FieldSchema>;

/// The fields of one table or group in two versions.
pub(super) struct FieldComparison<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) owner: Owner<'a>,
    pub(super) old: &'a Fields,
    pub(super) new: &'a Fields,
    /// The fields that are the key in both, which are judged as such.
    pub(super) key: &'a [KeySchema],
}

impl<'a> FieldComparison<'a> {
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        let aliased = self.renamed_with_alias();
        for (name, was) in self.old {
            match self.new.get(name) {
                Some(is) => self.compare(name, was, is, &mut changes),
                None if aliased.values().any(|old| old == name) => {}
                None => changes.push(self.remove(name, was)),
            }
        }
        for (name, is) in self.new.iter().filter(|(name, _)| !self.old.contains_key(*name)) {
            self.check_new_name(name, is, aliased.get(name.as_str()).copied(), &mut changes);
            match aliased.get(name.as_str()).and_then(|old| Some((old, self.old.get(*old)?))) {
                Some((old, was)) => {
                    let change = self.change(&rules::FIELD_RENAMED_WITH_ALIAS, name);
                    changes.push(change.old_is(*old).new_is(name));
                    self.compare_values(name, was, is, &mut changes);
                }
                None => changes.push(self.add(name, is)),
            }
        }
        self.find_renames(&aliased, &mut changes);
        changes
    }

    fn change(&self, rule: &'static Rule, name: &str) -> Change {
        self.owner.change(rule).at_field(name)
    }

    /// The fields that are new and read a field that is gone as an alias: new name to old name.
    fn renamed_with_alias(&self) -> BTreeMap<&'a str, &'a str> {
        let mut taken = BTreeSet::new();
        let mut renamed = BTreeMap::new();
        for (name, is) in self.new.iter().filter(|(name, _)| !self.old.contains_key(*name)) {
            let gone =
                |alias: &&String| self.old.contains_key(*alias) && !self.new.contains_key(*alias);
            if let Some(alias) = is.aliases.iter().find(gone)
                && taken.insert(alias)
            {
                renamed.insert(name.as_str(), alias.as_str());
            }
        }
        renamed
    }

    /// Whether a new field takes a name that means something else already.
    fn check_new_name(
        &self,
        name: &str,
        is: &FieldSchema,
        renamed: Option<&str>,
        changes: &mut Vec<Change>,
    ) {
        if let Some((other, _)) =
            self.old.iter().find(|(_, field)| field.aliases.iter().any(|alias| alias == name))
            && renamed != Some(other)
        {
            let change = self.change(&rules::ALIAS_CONFLICT, name).operating(Operation::AddField);
            changes.push(change.old_is(format!("alias of {other}")).new_is(name));
        }
        for alias in &is.aliases {
            if self.old.contains_key(alias) && renamed != Some(alias) {
                changes.push(self.change(&rules::ALIAS_CONFLICT, name).new_is(alias));
            }
        }
    }

    fn compare(&self, name: &str, was: &FieldSchema, is: &FieldSchema, changes: &mut Vec<Change>) {
        if self.key.iter().any(|key| key.field == name) {
            let (old, new) = (Node::of(&was.schema), Node::of(&is.schema));
            if !Comparison::is_same(self.scope, &old, &new) {
                let change = self.change(&rules::KEY_TYPE_CHANGED, name);
                let (old, new) = (describe(&old, self.scope.old), describe(&new, self.scope.new));
                changes.push(change.old_is(old).new_is(new));
            } else {
                self.compare_references(name, was, is, changes);
            }
        } else {
            self.compare_values(name, was, is, changes);
        }
        if was.merge != is.merge {
            let words = |field: &FieldSchema| field.merge.as_deref().unwrap_or("value").to_owned();
            let change = self.change(&rules::FIELD_MERGE_CHANGED, name);
            changes.push(change.old_is(words(was)).new_is(words(is)));
        }
        for alias in is.aliases.iter().filter(|alias| !was.aliases.contains(alias)) {
            let rule = match self.old.contains_key(alias) {
                true => &rules::ALIAS_CONFLICT,
                false if self.is_reserved(alias) => &rules::RESERVED_NAME,
                false => &rules::ALIAS_ADDED,
            };
            let change = self.change(rule, name).operating(Operation::ChangeAliases);
            changes.push(change.new_is(alias));
        }
        for alias in was.aliases.iter().filter(|alias| !is.aliases.contains(alias)) {
            changes.push(self.change(&rules::ALIAS_REMOVED, name).old_is(alias));
        }
    }

    fn compare_values(
        &self,
        name: &str,
        was: &'a FieldSchema,
        is: &'a FieldSchema,
        changes: &mut Vec<Change>,
    ) {
        let (before, after) = (presence(was, self.scope.old), presence(is, self.scope.new));
        let (old, new) = (Node::of(&was.schema), Node::of(&is.schema));
        let nullness = presence::nullness(&before, &after);
        if let Some(rule) = nullness {
            let (old, new) = (describe(&old, self.scope.old), describe(&new, self.scope.new));
            changes.push(self.change(rule, name).old_is(old).new_is(new));
        } else if was.nullable != is.nullable {
            let kind = |nullable| if nullable { "Option<Option<…>>" } else { "Option<…>" };
            let change = self.change(&rules::NULL_AND_ABSENT, name);
            changes.push(change.old_is(kind(was.nullable)).new_is(kind(is.nullable)));
        }
        if let Some(rule) = presence::filling(&before, &after) {
            let change = self.change(rule, name);
            changes.push(change.old_is(before.fill.describe()).new_is(after.fill.describe()));
        }
        let of_values = Comparison::new(self.scope, self.owner).of_field(name, old, new);
        // An id of another table says so itself.
        let is_told = of_values.iter().any(|change| change.rule() == rules::REFERENCE_CHANGED.id);
        changes.extend(of_values);
        if !is_told {
            self.compare_references(name, was, is, changes);
        }
    }

    /// Compares the tables that a field refers to.
    fn compare_references(
        &self,
        name: &str,
        was: &FieldSchema,
        is: &FieldSchema,
        changes: &mut Vec<Change>,
    ) {
        let rule = match (&was.references, &is.references) {
            (was, is) if was == is => return,
            (Some(_), Some(_)) => &rules::REFERRED_TABLE_CHANGED,
            (None, _) => &rules::REFERENCE_ADDED,
            (Some(_), None) => &rules::REFERENCE_REMOVED,
        };
        let mut change = self.change(rule, name);
        if let Some(table) = &was.references {
            change = change.old_is(table);
        }
        if let Some(table) = &is.references {
            change = change.new_is(table);
        }
        changes.push(change);
    }

    fn is_reserved(&self, name: &str) -> bool {
        self.owner.reserves(self.scope.reserved, name)
    }

    fn remove(&self, name: &str, was: &FieldSchema) -> Change {
        let rule = presence::removed(&presence(was, self.scope.old));
        self.change(rule, name).old_is(describe(&Node::of(&was.schema), self.scope.old))
    }

    fn add(&self, name: &str, is: &FieldSchema) -> Change {
        let reserved =
            self.is_reserved(name) || is.aliases.iter().any(|name| self.is_reserved(name));
        let rule = match reserved {
            true => &rules::RESERVED_NAME,
            false => presence::added(&presence(is, self.scope.new)),
        };
        let change = self.change(rule, name).operating(Operation::AddField);
        change.new_is(describe(&Node::of(&is.schema), self.scope.new))
    }

    fn find_renames(&self, aliased: &BTreeMap<&str, &str>, changes: &mut Vec<Change>) {
        let only = |these: &'a Fields, those: &'a Fields| {
            let only = these.iter().filter(|(name, _)| !those.contains_key(*name));
            only.map(|(name, field)| (name.as_str(), Node::of(&field.schema)))
        };
        // A field that is known to be removed was not renamed.
        let gone = only(self.old, self.new).filter(|(name, _)| {
            !aliased.values().any(|old| old == name) && !self.is_reserved(name)
        });
        let come = only(self.new, self.old).filter(|(name, _)| !aliased.contains_key(name));
        let (gone, come) = (gone.collect::<Vec<_>>(), come.collect::<Vec<_>>());
        let rule = &rules::FIELD_RENAMED;
        for (rule, was, is) in renames::of_fields(self.scope, rule, &gone, &come) {
            changes.push(self.change(rule, is).old_is(was).new_is(is));
        }
    }
}

/// Returns how an absent field reads: as its default, whatever the JSON Schema of the row requires.
fn presence<'a>(field: &'a FieldSchema, types: Types<'a>) -> Presence<'a> {
    Presence {
        fill: Fill::of_default(&field.default),
        has_null: parse(&Node::of(&field.schema), types).has_null(),
    }
}

//! Comparing two schemas: epoch, tables, keys, indexes and groups.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::compare::{BUDGET, HINT_BUDGET, Owner, Scope};
use super::fields::FieldComparison;
use super::shape::Types;
use super::{Change, Diff, renames, rules};
use crate::schema::{GroupSchema, KeySchema, Schema, TableSchema};

impl Schema {
    /// Compares this schema with a newer one, and returns the changes, each with its class.
    ///
    /// The order of fields, docs, titles and the names of Rust types make no difference. A name that
    /// may have been renamed is reported as such, beside the removal and the addition it consists of.
    /// The changes are judged as if both schemas had one epoch: see [`Diff::needs_epoch`].
    ///
    /// ```
    /// use heirloom::schema::{Class, Operation};
    ///
    /// mod v1 {
    /// #   use heirloom::{Id, Store, Table};
    /// #   use schemars::JsonSchema;
    /// #   use serde::{Deserialize, Serialize};
    ///     #[derive(Serialize, Deserialize, JsonSchema, Table)]
    ///     #[table(name = "notes")]
    ///     pub struct Note { id: Id<Note>, text: String }
    ///
    ///     #[derive(Store)]
    ///     #[store(name = "app")]
    ///     pub struct App { notes: Table<Note> }
    /// }
    ///
    /// mod v2 {
    /// #   use heirloom::{Id, Store, Table};
    /// #   use schemars::JsonSchema;
    /// #   use serde::{Deserialize, Serialize};
    ///     #[derive(Serialize, Deserialize, JsonSchema, Table)]
    ///     #[table(name = "notes")]
    ///     pub struct Note { id: Id<Note>, text: String, stars: u8 }
    ///
    ///     #[derive(Store)]
    ///     #[store(name = "app")]
    ///     pub struct App { notes: Table<Note> }
    /// }
    ///
    /// let diff = v1::App::schema().diff(&v2::App::schema());
    /// assert_eq!(diff.class(), Class::Breaking);
    /// let change = diff.breaking().next().unwrap();
    /// assert_eq!(change.operation(), Operation::AddField);
    /// assert_eq!(change.rule(), "field-added-required");
    /// assert_eq!((change.table(), change.field()), (Some("notes"), Some("stars")));
    /// println!("{diff}");
    /// ```
    pub fn diff(&self, new: &Self) -> Diff {
        if self == new {
            return Diff::default();
        }
        let (budget, hint_budget) = (Cell::new(BUDGET), Cell::new(HINT_BUDGET));
        let reserved = self.reserved.union(&new.reserved).cloned().collect();
        let scope = Scope {
            old: Types(&self.types),
            new: Types(&new.types),
            reserved: &reserved,
            budget: &budget,
            hint_budget: &hint_budget,
        };
        let mut changes = Vec::new();
        if self.epoch != new.epoch {
            let rule = match self.epoch < new.epoch {
                true => &rules::EPOCH_RAISED,
                false => &rules::EPOCH_LOWERED,
            };
            let change = Change::of(rule).old_is(self.epoch.to_string());
            changes.push(change.new_is(new.epoch.to_string()));
        }
        tables(self, new, scope, &mut changes);
        groups(self, new, scope, &mut changes);
        Diff::of(changes)
    }
}

fn tables<'a>(old: &'a Schema, new: &'a Schema, scope: Scope<'a>, changes: &mut Vec<Change>) {
    for (name, was) in &old.tables {
        match new.tables.get(name) {
            Some(is) => table(name, was, is, scope, changes),
            None => changes.push(Change::of(&rules::TABLE_REMOVED).at_table(name).old_is(name)),
        }
    }
    let gone = only_in(&old.tables, &new.tables);
    let come = only_in(&new.tables, &old.tables);
    for (name, _) in &come {
        changes.push(Change::of(&rules::TABLE_ADDED).at_table(name).new_is(*name));
    }
    let is_alike = |old: &TableSchema, new: &TableSchema| {
        old.key == new.key && old.fields.keys().eq(new.fields.keys())
    };
    for (was, is) in renames::of_named(&gone, &come, is_alike) {
        let change = Change::of(&rules::TABLE_RENAMED).at_table(is);
        changes.push(change.old_is(was).new_is(is));
    }
}

fn table<'a>(
    name: &'a str,
    old: &'a TableSchema,
    new: &'a TableSchema,
    scope: Scope<'a>,
    changes: &mut Vec<Change>,
) {
    let fields = |key: &[KeySchema]| key.iter().map(|key| key.field.clone()).collect::<Vec<_>>();
    let same_key = fields(&old.key) == fields(&new.key);
    if old.key != new.key {
        let rule = match same_key {
            true => &rules::KEY_TYPE_CHANGED,
            false => &rules::KEY_CHANGED,
        };
        let words = |key: &[KeySchema]| {
            let words = key.iter().map(|key| format!("{} ({})", key.field, key.kind));
            words.collect::<Vec<_>>().join(", ")
        };
        let change = Change::of(rule).at_table(name).at_field(fields(&new.key).join(", "));
        changes.push(change.old_is(words(&old.key)).new_is(words(&new.key)));
    }
    if old.merges_fields != new.merges_fields {
        let words = |table: &TableSchema| match table.merges_fields {
            true => "by field",
            false => "as one value",
        };
        let change = Change::of(&rules::TABLE_MERGE_CHANGED).at_table(name);
        changes.push(change.old_is(words(old)).new_is(words(new)));
    }
    let mut of_fields = FieldComparison {
        scope,
        owner: Owner::Table(name),
        old: &old.fields,
        new: &new.fields,
        key: if same_key { &old.key } else { &[] },
    }
    .changes();
    if same_key && old.key != new.key {
        // The kind of the key says what its type says.
        of_fields.retain(|change| change.rule() != rules::KEY_TYPE_CHANGED.id);
    }
    changes.append(&mut of_fields);
    indexes(name, old, new, changes);
    let checks = checks(&old.checks, &new.checks);
    changes.extend(checks.map(|change| change.at_table(name)));
}

/// The rules that are added or removed, of a table or a group.
fn checks<'c>(old: &'c [String], new: &'c [String]) -> impl Iterator<Item = Change> + use<'c> {
    let added = new.iter().filter(|check| !old.contains(check));
    let removed = old.iter().filter(|check| !new.contains(check));
    let added = added.map(|check| Change::of(&rules::CHECK_ADDED).new_is(check));
    added.chain(removed.map(|check| Change::of(&rules::CHECK_REMOVED).old_is(check)))
}

fn indexes(table: &str, old: &TableSchema, new: &TableSchema, changes: &mut Vec<Change>) {
    /// The fields of an index, and whether it is on each item of its field.
    type Fields = (Vec<String>, bool);
    fn by_fields(table: &TableSchema) -> BTreeMap<Fields, bool> {
        let mut by_fields: BTreeMap<Fields, bool> = BTreeMap::new();
        for index in &table.indexes {
            // Another expression makes another index.
            let fields = index.fields.iter().map(|field| match table.computed.get(field) {
                Some(code) => format!("{field} = {code}"),
                None => field.clone(),
            });
            *by_fields.entry((fields.collect(), index.each)).or_default() |= index.unique;
        }
        by_fields
    }
    let (old, new) = (by_fields(old), by_fields(new));
    let all: BTreeSet<&Fields> = old.keys().chain(new.keys()).collect();
    for fields in all {
        let words = |unique| {
            let kind = if unique { "unique index" } else { "index" };
            let each = if fields.1 { "each of " } else { "" };
            format!("{kind} on {each}{}", fields.0.join(", "))
        };
        let (was, is) = (old.get(fields).copied(), new.get(fields).copied());
        let rule = match (was, is) {
            (None, Some(true)) | (Some(false), Some(true)) => &rules::UNIQUENESS_ADDED,
            (Some(true), None) | (Some(true), Some(false)) => &rules::UNIQUENESS_REMOVED,
            (None, Some(false)) => &rules::INDEX_ADDED,
            (Some(false), None) => &rules::INDEX_REMOVED,
            _ => continue,
        };
        let mut change = Change::of(rule).at_table(table);
        if let Some(unique) = was {
            change = change.old_is(words(unique));
        }
        if let Some(unique) = is {
            change = change.new_is(words(unique));
        }
        changes.push(change);
    }
}

fn groups<'a>(old: &'a Schema, new: &'a Schema, scope: Scope<'a>, changes: &mut Vec<Change>) {
    for (name, was) in &old.groups {
        let Some(is) = new.groups.get(name) else {
            changes.push(Change::of(&rules::GROUP_REMOVED).at_group(name).old_is(name));
            continue;
        };
        let fields = FieldComparison {
            scope,
            owner: Owner::Group(name),
            old: &was.fields,
            new: &is.fields,
            key: &[],
        };
        changes.extend(fields.changes());
        let checks = checks(&was.checks, &is.checks);
        changes.extend(checks.map(|change| change.at_group(name)));
    }
    let gone = only_in(&old.groups, &new.groups);
    let come = only_in(&new.groups, &old.groups);
    for (name, _) in &come {
        changes.push(Change::of(&rules::GROUP_ADDED).at_group(name).new_is(*name));
    }
    let is_alike = |old: &GroupSchema, new: &GroupSchema| old.fields.keys().eq(new.fields.keys());
    for (was, is) in renames::of_named(&gone, &come, is_alike) {
        let change = Change::of(&rules::GROUP_RENAMED).at_group(is);
        changes.push(change.old_is(was).new_is(is));
    }
}

fn only_in<'a, T>(
    these: &'a BTreeMap<String, T>,
    those: &BTreeMap<String, T>,
) -> Vec<(&'a str, &'a T)> {
    let only = these.iter().filter(|(name, _)| !those.contains_key(*name));
    only.map(|(name, value)| (name.as_str(), value)).collect()
}

//! Comparing structs and maps.

use std::borrow::Cow;

use serde_json::Value;

use super::compare::{Comparison, SchemaPath};
use super::presence::{self, Fill, Presence};
use super::shape::{Node, Object, Rest, Types, describe, parse};
use super::{Operation, renames, rules};

impl<'a> Comparison<'a> {
    pub(super) fn compare_objects(
        &mut self,
        path: &SchemaPath,
        old: &Object<'a>,
        new: &Object<'a>,
    ) {
        match (&old.rest, &new.rest) {
            (
                Rest::Map { keys: old_keys, values: old_values },
                Rest::Map { keys: new_keys, values: new_values },
            ) => {
                if old_keys != new_keys {
                    let keys = |keys: &Option<&str>| keys.unwrap_or("text").to_owned();
                    let (old, new) = (keys(old_keys), keys(new_keys));
                    self.push_step(path, &rules::MAP_KEYS_CHANGED, old, new);
                }
                self.enqueue(old_values.clone(), new_values.clone(), path.value(), false);
            }
            (Rest::Map { .. }, _) => {
                self.push_step(path, &rules::TYPE_CHANGED, "map", "struct");
                return;
            }
            (_, Rest::Map { .. }) => {
                self.push_step(path, &rules::TYPE_CHANGED, "struct", "map");
                return;
            }
            (Rest::Open, Rest::Closed) => self.report(path, &rules::OBJECT_CLOSED),
            (Rest::Closed, Rest::Open) => self.report(path, &rules::OBJECT_OPENED),
            (Rest::Open, Rest::Open) | (Rest::Closed, Rest::Closed) => {}
        }
        self.compare_properties(path, old, new);
    }

    fn compare_properties(&mut self, path: &SchemaPath, old: &Object<'a>, new: &Object<'a>) {
        for (&name, was) in &old.properties {
            match new.properties.get(name) {
                Some(is) => self.compare_property(path, name, (old, was), (new, is)),
                None => self.remove_property(path, name, was, old, new),
            }
        }
        for (&name, is) in &new.properties {
            if !old.properties.contains_key(name) {
                self.add_property(path, name, is, old, new);
            }
        }
        if self.gives_hints {
            let gone =
                old.properties.iter().filter(|(name, _)| !new.properties.contains_key(*name));
            let come =
                new.properties.iter().filter(|(name, _)| !old.properties.contains_key(*name));
            let gone: Vec<_> = gone
                .filter(|(name, _)| {
                    !self.owner.reserves(self.scope.reserved, &path.field(name).text)
                })
                .map(|(name, node)| (*name, node.clone()))
                .collect();
            let come: Vec<_> = come.map(|(name, node)| (*name, node.clone())).collect();
            let rule = &rules::FIELD_RENAMED_INSIDE;
            for (rule, was, is) in renames::of_fields(self.scope, rule, &gone, &come) {
                let path = path.field(is);
                self.push_step(&path, rule, was, is);
            }
        }
    }

    fn compare_property(
        &mut self,
        path: &SchemaPath,
        name: &str,
        (old, was): (&Object<'a>, &Node<'a>),
        (new, is): (&Object<'a>, &Node<'a>),
    ) {
        let path = &path.field(name);
        let before = property_presence(name, old, was, self.scope.old);
        let after = property_presence(name, new, is, self.scope.new);
        if let Some(rule) = presence::nullness(&before, &after) {
            let (old, new) = (describe(was, self.scope.old), describe(is, self.scope.new));
            self.push_step(path, rule, old, new);
        }
        if let Some(rule) = presence::filling(&before, &after) {
            self.push_step(path, rule, before.fill.describe(), after.fill.describe());
        }
        self.enqueue(was.clone(), is.clone(), path.clone(), true);
    }

    fn remove_property(
        &mut self,
        path: &SchemaPath,
        name: &str,
        was: &Node<'a>,
        old: &Object<'a>,
        new: &Object<'a>,
    ) {
        let path = &path.field(name);
        let before = property_presence(name, old, was, self.scope.old);
        let rule = match new.rest {
            Rest::Closed => &rules::FIELD_OF_CLOSED,
            _ => presence::removed(&before),
        };
        let what = describe(was, self.scope.old);
        let change = self.owner.change(rule).operating(Operation::RemoveField);
        self.changes.push(change.at_field(&path.text).old_is(what));
    }

    fn add_property(
        &mut self,
        path: &SchemaPath,
        name: &str,
        is: &Node<'a>,
        old: &Object<'a>,
        new: &Object<'a>,
    ) {
        let path = &path.field(name);
        let after = property_presence(name, new, is, self.scope.new);
        let rule = match old.rest {
            _ if self.owner.reserves(self.scope.reserved, &path.text) => &rules::RESERVED_NAME,
            Rest::Closed => &rules::FIELD_OF_CLOSED,
            _ => presence::added(&after),
        };
        let what = describe(is, self.scope.new);
        let change = self.owner.change(rule).operating(Operation::AddField);
        self.changes.push(change.at_field(&path.text).new_is(what));
    }
}

/// Returns how serde reads a property that is absent, as far as the schema shows it.
fn property_presence<'a>(
    name: &str,
    object: &Object<'a>,
    node: &Node<'a>,
    types: Types<'a>,
) -> Presence<'a> {
    let has_null = parse(node, types).has_null();
    let fill = match node.default() {
        _ if object.required.contains(name) => Fill::Required,
        Some(default) => Fill::Value(Cow::Borrowed(default)),
        None if has_null => Fill::Value(Cow::Owned(Value::Null)),
        None => Fill::Hidden,
    };
    Presence { fill, has_null }
}

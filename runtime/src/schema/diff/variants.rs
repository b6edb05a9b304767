//! Comparing the named variants of enums.

use std::collections::BTreeMap;

use super::compare::{Comparison, SchemaPath};
use super::shape::{Node, Object, Payload, Shape, Types, describe, is_any_object, parse};
use super::{renames, rules};

/// Which variants that it does not know a version keeps.
#[derive(Clone, Copy)]
struct Catching {
    /// Keeps any text.
    texts: bool,
    /// Keeps any object.
    objects: bool,
}

impl Catching {
    fn of<'a>(shape: &Shape<'a>, types: Types<'a>) -> Self {
        let is_any = |object: &Object<'a>| is_any_object(object, types);
        Self {
            texts: shape.any || shape.texts.iter().any(|text| text.is_open()),
            objects: shape.any || shape.objects.iter().any(is_any),
        }
    }

    fn exceeds(self, other: Self) -> bool {
        self.texts && !other.texts || self.objects && !other.objects
    }

    fn catches(&self, payload: &Payload<'_>) -> bool {
        match payload {
            Payload::Unit => self.texts,
            Payload::Value(_) | Payload::Fields(_) => self.objects,
        }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn compare_variants(&mut self, path: &SchemaPath, old: &Shape<'a>, new: &Shape<'a>) {
        if self.has_moved_content(old, new) {
            self.push_step(path, &rules::TAGGING_CHANGED, "data beside the tag", "data in a field");
            return;
        }
        let (was_catching, is_catching) =
            (Catching::of(old, self.scope.old), Catching::of(new, self.scope.new));
        for (&name, was) in &old.variants {
            let path = path.field(name);
            match new.variants.get(name) {
                Some(is) => self.compare_payloads(&path, was, is),
                None => {
                    let rule = match is_catching.catches(was) {
                        true => &rules::VARIANT_REMOVED_FROM_OPEN,
                        false => &rules::VARIANT_REMOVED,
                    };
                    let change = self.owner.change(rule).at_field(path.text);
                    self.changes.push(change.old_is(name));
                }
            }
        }
        for (&name, is) in &new.variants {
            if old.variants.contains_key(name) {
                continue;
            }
            let rule = match was_catching.catches(is) {
                true => &rules::VARIANT_ADDED_TO_OPEN,
                false => &rules::VARIANT_ADDED,
            };
            let change = self.owner.change(rule).at_field(path.field(name).text);
            self.changes.push(change.new_is(name));
        }
        if self.gives_hints {
            let gone = only_in(&old.variants, &new.variants);
            let come = only_in(&new.variants, &old.variants);
            let is_kept = gone.iter().all(|(_, was)| is_catching.catches(was))
                && come.iter().all(|(_, is)| was_catching.catches(is));
            let rule = match is_kept {
                true => &rules::VARIANT_RENAMED_IN_OPEN,
                false => &rules::VARIANT_RENAMED,
            };
            for (was, is) in renames::of_variants(&gone, &come) {
                self.push_step(&path.field(is), rule, was, is);
            }
        }
    }

    /// Compares what two versions of an enum do with variants that they do not know, and takes the
    /// alternatives that keep them out of both shapes.
    pub(super) fn compare_catching(
        &mut self,
        path: &SchemaPath,
        old: &mut Shape<'a>,
        new: &mut Shape<'a>,
    ) {
        if old.variants.is_empty() || new.variants.is_empty() {
            return;
        }
        let (was, is) = (Catching::of(old, self.scope.old), Catching::of(new, self.scope.new));
        let (is_opened, is_closed) = (is.exceeds(was), was.exceeds(is));
        if is_opened {
            self.push_step(path, &rules::ENUM_OPENED, "closed enum", "open enum");
        }
        if is_closed {
            self.push_step(path, &rules::ENUM_CLOSED, "open enum", "closed enum");
        }
        for (shape, types) in [(old, self.scope.old), (new, self.scope.new)] {
            shape.any &= !is_opened && !is_closed;
            shape.texts.retain(|text| !text.is_open());
            shape.objects.retain(|object| !is_any_object(object, types));
        }
    }

    fn compare_payloads(&mut self, path: &SchemaPath, old: &Payload<'a>, new: &Payload<'a>) {
        match (old, new) {
            (Payload::Unit, Payload::Unit) => {}
            (Payload::Value(was), Payload::Value(is)) => {
                self.enqueue(was.clone(), is.clone(), path.clone(), false);
            }
            (Payload::Fields(was), Payload::Fields(is)) => self.compare_objects(path, was, is),
            _ => {
                let (old, new) = (self.form(old, true), self.form(new, false));
                self.push_step(path, &rules::VARIANT_FORM_CHANGED, old, new);
            }
        }
    }

    fn form(&self, payload: &Payload<'a>, is_old: bool) -> String {
        let types = if is_old { self.scope.old } else { self.scope.new };
        match payload {
            Payload::Unit => "no data".into(),
            Payload::Value(node) => describe(node, types),
            Payload::Fields(_) => "fields".into(),
        }
    }

    /// Whether the data of tagged variants has moved into a field of its own, or out of it.
    fn has_moved_content(&self, old: &Shape<'a>, new: &Shape<'a>) -> bool {
        let mut moved = 0;
        for (name, was) in &old.variants {
            let (Payload::Fields(was), Some(Payload::Fields(is))) = (was, new.variants.get(name))
            else {
                continue;
            };
            let is_moved = match (was.properties.is_empty(), is.properties.is_empty()) {
                (true, true) => continue,
                (false, false) => {
                    self.holds(was, self.scope.old, is) || self.holds(is, self.scope.new, was)
                }
                _ => false,
            };
            if !is_moved {
                return false;
            }
            moved += 1;
        }
        moved > 0
    }

    /// Whether one object has nothing but a field whose fields are those of the other.
    fn holds(&self, outer: &Object<'a>, types: Types<'a>, inner: &Object<'a>) -> bool {
        let mut fields = outer.properties.iter();
        let (Some((name, content)), None) = (fields.next(), fields.next()) else { return false };
        if inner.properties.contains_key(name) {
            return false;
        }
        let content: &Node<'a> = content;
        let shape = parse(content, types);
        let [object] = shape.objects.as_slice() else { return false };
        object.properties.keys().eq(inner.properties.keys())
    }
}

/// Whether a shape is an enum that keeps no variant that it does not know.
pub(super) fn is_closed_enum<'a>(shape: &Shape<'a>, types: Types<'a>) -> bool {
    let is = Catching::of(shape, types);
    !shape.variants.is_empty() && !is.texts && !is.objects
}

fn only_in<'v, 'a>(
    these: &'v BTreeMap<&'a str, Payload<'a>>,
    those: &BTreeMap<&'a str, Payload<'a>>,
) -> Vec<(&'a str, &'v Payload<'a>)> {
    let only = these.iter().filter(|(name, _)| !those.contains_key(*name));
    only.map(|(name, payload)| (*name, payload)).collect()
}

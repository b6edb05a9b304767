//! Writing as a difference: what the app changed goes in, what this code does not know stays.
//!
//! Newer code may have stored more than this code knows. A write compares the stored value as this
//! code reads it (`before`) with the value that is wanted (`after`), both in canonical form, and
//! applies the difference to the stored text, at every depth:
//!
//! - **What did not change** keeps its stored text, to the letter.
//! - **A struct** keeps the members that this code does not know. A field that has its default and was
//!   not stored is left out, so that it goes on reading as the default of whichever version reads it.
//! - **A list or array** is aligned with the one before. Equal elements are the same element, wherever they
//!   stand now. Of the others, those with the same id are the same: the member `id`, or if there is
//!   none, the only member that is an `Id<_>`. The rest is matched by place: what stands between the
//!   same two neighbours was edited there. Where elements have come or gone between them, those that
//!   have most in common are the same. An element with another `id` is always a new one. The same
//!   element is patched, a new one has what this code gives it.
//! - **A tuple** is aligned by position.
//! - **A map** is aligned by key. An entry that is no longer under one key and there under another, with
//!   an equal value or the same `id`, has been re-keyed, and takes along what is stored.
//! - **A set** is aligned by equality, as far as this code knows the elements.
//! - **An enum** keeps unknown members as long as it stays the same variant. Another variant has
//!   what this code gives it, and nothing of the variant before. Which variant a value is follows from
//!   the alternatives (`oneOf`, `anyOf`) of its JSON Schema: the first one that it meets, by its tag
//!   if it has one. An enum that is flattened into a struct shares its object with fields, and unknown
//!   members stay there.
//!
//! Equality and alignment know nothing but what this code knows: of two elements that are equal to
//! it, of which one is removed, it may be the other's unknown members that go.

mod places;
mod rekeyed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use self::places::places;
use self::rekeyed::Rekeyed;
use super::Object;
use super::align::{self, Element, align};
use super::canonical::{MAX_DEPTH, list};
use super::json::{Json, JsonValue, Kind, Member};
use super::shape::{Facts, Known};
use crate::schema::descriptor::FieldDef;

/// How a value is patched.
#[derive(Debug)]
pub(crate) struct Patch<'p> {
    /// The facts about the value.
    pub(crate) known: &'p Known<'p>,
    /// The fields of a record, with the aliases under which they may be stored.
    pub(crate) fields: &'p [FieldDef],
    /// How deep it goes; what has changed below is replaced whole.
    pub(crate) depth: usize,
    /// The beginnings of stored members that are not to be kept.
    pub(crate) dropped: &'p [usize],
}

/// A stored text with a difference applied.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) text: String,
    /// The ranges, in the stored text, of the members that were kept without being known.
    pub(crate) kept: Vec<Range<usize>>,
}

impl<'p> Patch<'p> {
    /// As deep as values are read.
    pub(crate) fn new(known: &'p Known<'p>, fields: &'p [FieldDef]) -> Self {
        Self { known, fields, depth: MAX_DEPTH, dropped: &[] }
    }

    /// Applies the difference between `before` and `after` to `stored`.
    ///
    /// `before` is the stored value as this code reads it, and like `after` in canonical form.
    pub(crate) fn apply(&self, stored: &str, before: &str, after: &str) -> Option<Patched> {
        let (stored, before, after) =
            (Json::parse(stored)?, Json::parse(before)?, Json::parse(after)?);
        let mut patcher = Patcher { dropped: self.dropped, kept: Vec::new() };
        let (stored, before, after) = (stored.root(), before.root(), after.root());
        let text = patcher.value(stored, before, after, self.known, (self.fields, self.depth));
        Some(Patched { text: text.into_owned(), kept: patcher.kept })
    }
}

/// `stored` with the fields of this code set from `after` and the rest kept: for a row that does
/// not decode, so that there is no `before`.
pub(crate) fn overwrite(stored: &str, after: &str, fields: &[FieldDef]) -> String {
    let (Some(stored), Some(wanted)) = (Object::parse(stored), Object::parse(after)) else {
        return after.to_owned();
    };
    let mut merged = wanted.clone();
    for (name, value) in stored.iter() {
        let known = fields.iter().any(|field| field.answers_to(name));
        if !known && wanted.get(name).is_none() {
            merged.push(name.to_owned(), value.to_owned());
        }
    }
    merged.to_text()
}

/// A JSON text without the member that stands in a range of it.
pub(crate) fn without(text: &str, member: &Range<usize>) -> Option<String> {
    let (before, after) = (text.get(..member.start)?, text.get(member.end..)?);
    // One of the commas beside it goes as well.
    let (before, after) = match after.trim_start().strip_prefix(',') {
        Some(after) => (before, after),
        None => (before.trim_end().strip_suffix(',').unwrap_or(before), after),
    };
    Some(format!("{before}{after}"))
}

struct Patcher<'p> {
    dropped: &'p [usize],
    kept: Vec<Range<usize>>,
}

/// The fields that the next object is made of, if they are known, and how deep to go.
type Level<'f> = (&'f [FieldDef], usize);

impl Patcher<'_> {
    fn value<'j>(
        &mut self,
        stored: JsonValue<'j>,
        before: JsonValue<'j>,
        after: JsonValue<'j>,
        known: &Known<'_>,
        (fields, depth): Level<'_>,
    ) -> Cow<'j, str> {
        if before.text() == after.text() {
            return stored.text().into();
        }
        let kind = after.kind();
        if depth == 0 || [stored.kind(), before.kind()] != [kind; 2] {
            return after.text().into();
        }
        let (was, is) = (known.of(before), known.of(after));
        match kind {
            Kind::Object if was.is_same_variant(&is) => {
                self.object(stored, before, after, &is, (fields, depth)).into()
            }
            Kind::Array => self.list(stored, before, after, &is, depth).into(),
            _ => after.text().into(),
        }
    }

    fn object(
        &mut self,
        stored: JsonValue<'_>,
        before: JsonValue<'_>,
        after: JsonValue<'_>,
        facts: &Facts<'_>,
        (fields, depth): Level<'_>,
    ) -> String {
        let (was, mut wanted) = (by_name(before), by_name(after));
        let rekeyed = Rekeyed::of(before, after, facts);
        let entries = if rekeyed.is_empty() { HashMap::new() } else { by_name(stored) };
        let origin = |name: &str| {
            let origin = rekeyed.origin(name)?;
            Some((entries.get(origin)?.value, was.get(origin)?.value))
        };
        let mut members: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for member in stored.members() {
            let name = member.name();
            // The name under which this code knows a field that is stored under an alias.
            let field = fields.iter().find(|field| field.answers_to(&name));
            let name = field.map_or(name, |field| Cow::Borrowed(field.name));
            match (was.get(&name), wanted.remove(&name)) {
                // Not a field this code reads here, nor one it wants: kept.
                (None, None) => {
                    if !self.dropped.contains(&member.start()) {
                        self.kept.push(member.start()..member.end());
                        members.push((member.written_name(), member.value.text().into()));
                    }
                }
                // Read, and no longer wanted.
                (Some(_), None) => {}
                (Some(was), Some(wants)) => {
                    let is_same = was.value.text() == wants.value.text();
                    let written = if is_same { member } else { wants }.written_name();
                    let there = (!rekeyed.has_left(&name)).then_some((member.value, was.value));
                    let source = origin(&name).or(there);
                    let value = self.part(source, wants.value, &facts.member(&name), depth);
                    members.push((written, value));
                }
                (None, Some(wants)) => {
                    members.push((wants.written_name(), wants.value.text().into()));
                }
            }
        }
        // The members that were not stored yet, in the order of the struct. A field that still has
        // its default is left absent, so that it goes on reading as the default of whichever
        // version reads it.
        let added = after.members().filter(|member| wanted.contains_key(&member.name()));
        let added = added.filter(|member| {
            let was = was.get(&member.name());
            was.is_none_or(|was| was.value.text() != member.value.text())
        });
        for member in added {
            let name = member.name();
            let value = self.part(origin(&name), member.value, &facts.member(&name), depth);
            members.push((member.written_name(), value));
        }
        if facts.is_map() && members.iter().all(|(name, _)| !facts.is_named(name.trim_matches('"')))
        {
            members.sort_by(|(a, _), (b, _)| a.trim_matches('"').cmp(b.trim_matches('"')));
        }
        let mut text = String::new();
        list(&mut text, '{', '}', members, |text, (name, value)| {
            text.push_str(name);
            text.push(':');
            text.push_str(&value);
        });
        text
    }

    fn list(
        &mut self,
        stored: JsonValue<'_>,
        before: JsonValue<'_>,
        after: JsonValue<'_>,
        facts: &Facts<'_>,
        depth: usize,
    ) -> String {
        let stored: Vec<_> = stored.elements().collect();
        let before: Vec<_> = before.elements().collect();
        let after: Vec<_> = after.elements().collect();
        let sources: Vec<Option<(JsonValue<'_>, JsonValue<'_>)>> = if facts.is_tuple() {
            let is_whole = stored.len() == before.len();
            let pairs = stored.iter().copied().zip(before.iter().copied());
            (0..after.len()).map(|nth| pairs.clone().nth(nth).filter(|_| is_whole)).collect()
        } else {
            let places = places(&stored, &before, facts);
            let (was, is) = (named(&before, facts), named(&after, facts));
            let pairs = align(&was, &is, |b, a| likeness(before[b], after[a]));
            let source = |pair: usize| Some((stored[places[pair]?], before[pair]));
            pairs.into_iter().map(|pair| pair.and_then(source)).collect()
        };
        let mut text = String::new();
        let elements = after.into_iter().zip(sources).enumerate();
        list(&mut text, '[', ']', elements, |text, (nth, (after, source))| {
            text.push_str(&self.part(source, after, &facts.element(nth), depth));
        });
        text
    }

    /// Writes a member or an element, which is what it was before and is stored as, or new.
    fn part<'j>(
        &mut self,
        source: Option<(JsonValue<'j>, JsonValue<'j>)>,
        after: JsonValue<'j>,
        known: &Known<'_>,
        depth: usize,
    ) -> Cow<'j, str> {
        match source {
            Some((stored, before)) => self.value(stored, before, after, known, (&[], depth - 1)),
            None => after.text().into(),
        }
    }
}

fn by_name<'j>(object: JsonValue<'j>) -> HashMap<Cow<'j, str>, Member<'j>> {
    object.members().map(|member| (member.name(), member)).collect()
}

fn named<'j>(list: &[JsonValue<'j>], facts: &Facts<'_>) -> Vec<Element<'j>> {
    let element = |(nth, value): (usize, &JsonValue<'j>)| Element {
        text: value.text(),
        id: id(*value, &facts.element(nth)),
    };
    list.iter().enumerate().map(element).collect()
}

/// Returns the identity of a value among others.
fn id<'j>(value: JsonValue<'j>, known: &Known<'_>) -> Option<align::Id<'j>> {
    if value.kind() != Kind::Object {
        return None;
    }
    let facts = known.of(value);
    if facts.is_named("id") {
        let id = value.member("id").filter(|id| matches!(id.kind(), Kind::Text | Kind::Number))?;
        return Some(align::Id { text: id.text(), is_own: true });
    }
    let mut ids = facts.ids().filter_map(|name| value.member(name));
    if let Some(id) = ids.next() {
        let is_only = ids.next().is_none() && id.kind() == Kind::Text;
        return is_only.then_some(align::Id { text: id.text(), is_own: false });
    }
    // The content of a variant under its name.
    let mut members = value.members();
    let only = members.next().filter(|_| members.next().is_none())?;
    id(only.value, &facts.member(&only.name()))
}

/// How many parts two values have in common.
fn likeness(a: JsonValue<'_>, b: JsonValue<'_>) -> usize {
    let in_place = a.elements().zip(b.elements()).filter(|(a, b)| a.text() == b.text());
    let by_name = a.members().filter(|member| {
        let other = b.member(&member.name());
        other.is_some_and(|other| other.text() == member.value.text())
    });
    in_place.count() + by_name.count()
}

//! Which stored element each element of a list is that was read.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use crate::row::canonical::{MAX_DEPTH, list};
use crate::row::json::{JsonValue, Kind};
use crate::row::shape::{Facts, Known};

/// Up to how many elements of a set are compared one by one, those that are not stored as this code
/// would store them.
const MAX_LEFT_OVER: usize = 64;

/// For each element that was read, which of the stored ones it is.
pub(super) fn places(
    stored: &[JsonValue<'_>],
    read: &[JsonValue<'_>],
    facts: &Facts<'_>,
) -> Vec<Option<usize>> {
    if !facts.is_set() && stored.len() == read.len() {
        return (0..read.len()).map(Some).collect();
    }
    let text = |(nth, value): (usize, &JsonValue<'_>)| {
        let mut text = String::new();
        known_part(*value, &facts.element(nth), MAX_DEPTH, &mut text);
        text
    };
    let mut by_text: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (index, text) in stored.iter().enumerate().map(text).enumerate() {
        by_text.entry(text).or_default().push_back(index);
    }
    let read_texts = read.iter().enumerate().map(text);
    let mut places: Vec<Option<usize>> =
        read_texts.map(|text| by_text.get_mut(&text)?.pop_front()).collect();
    // A value that lacks a field that reads as its default is equal but for that.
    let mut left: Vec<usize> = by_text.into_values().flatten().collect();
    left.sort_unstable();
    let open = || places.iter().filter(|place| place.is_none()).count();
    if left.len() <= MAX_LEFT_OVER && open() <= MAX_LEFT_OVER {
        for (nth, place) in places.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
            let fits = |&index: &usize| is_reading_of(read[nth], stored[index], MAX_DEPTH);
            if let Some(found) = left.iter().position(fits) {
                *place = Some(left.remove(found));
            }
        }
    }
    places
}

/// Writes the part of a stored value that this code knows, as text that does not depend on the
/// order of members.
fn known_part(value: JsonValue<'_>, known: &Known<'_>, depth: usize, to: &mut String) {
    if depth == 0 || !matches!(value.kind(), Kind::Array | Kind::Object) {
        to.push_str(value.text());
        return;
    }
    let facts = known.of(value);
    let text_of = |value: JsonValue<'_>, known: &Known<'_>| {
        let mut text = String::new();
        known_part(value, known, depth - 1, &mut text);
        text
    };
    if value.kind() == Kind::Array {
        let elements = value.elements().enumerate();
        let mut texts: Vec<String> =
            elements.map(|(nth, element)| text_of(element, &facts.element(nth))).collect();
        if facts.is_set() {
            texts.sort_unstable();
        }
        list(to, '[', ']', texts, |to, text| to.push_str(&text));
        return;
    }
    let is_known = |name: &str| !facts.has_members() || facts.is_map() || facts.is_named(name);
    let mut members: Vec<(Cow<'_, str>, String)> = value
        .members()
        .map(|member| (member.name(), member.value))
        // An absent field reads as `None`.
        .filter(|(name, value)| is_known(name) && value.kind() != Kind::Null)
        .map(|(name, value)| {
            let text = text_of(value, &facts.member(&name));
            (name, text)
        })
        .collect();
    members.sort_unstable();
    list(to, '{', '}', members, |to, (name, text)| {
        to.push_str(&name);
        to.push(':');
        to.push_str(&text);
    });
}

/// Returns whether a value may be what is read of a stored one.
fn is_reading_of(read: JsonValue<'_>, stored: JsonValue<'_>, depth: usize) -> bool {
    if read.kind() != stored.kind() || depth == 0 {
        return false;
    }
    match read.kind() {
        Kind::Array => {
            read.elements().count() == stored.elements().count()
                && read
                    .elements()
                    .zip(stored.elements())
                    .all(|(r, s)| is_reading_of(r, s, depth - 1))
        }
        Kind::Object => read.members().all(|member| {
            let stored = stored.member(&member.name());
            stored.is_none_or(|stored| is_reading_of(member.value, stored, depth - 1))
        }),
        _ => read.text() == stored.text(),
    }
}

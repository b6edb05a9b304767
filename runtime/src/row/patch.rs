//! Writing as a difference: what the app changed goes in, what this code does not know stays.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::{RawValue, to_raw_value};

use super::Object;
use crate::schema::descriptor::FieldDef;

/// How deep objects are compared; a deeper value is replaced whole, so that hostile nesting cannot
/// exhaust the stack.
const MAX_DEPTH: usize = 64;

/// `stored` with the changes from `before` to `after` applied, object by object at every depth.
///
/// `before` is the stored row as this code reads it. All three are JSON objects.
pub(crate) fn patch(
    stored: &str,
    before: &str,
    after: &str,
    fields: &[FieldDef],
) -> Option<String> {
    let (stored, before, after) =
        (Object::parse(stored)?, Object::parse(before)?, Object::parse(after)?);
    let patched = patch_object(&stored, &before, &after, MAX_DEPTH, fields)?;
    serde_json::to_string(&Object::from_patched(&patched)).ok()
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
            merged.push(name.to_owned(), value);
        }
    }
    serde_json::to_string(&merged).unwrap_or_else(|_| after.to_owned())
}

type Patched<'a> = Vec<(Cow<'a, str>, Cow<'a, RawValue>)>;

impl<'a> Object<'a> {
    fn from_patched(patched: &'a Patched<'a>) -> Self {
        let mut object = Self::default();
        for (name, value) in patched {
            object.push(&**name, value);
        }
        object
    }
}

fn patch_object<'a>(
    stored: &Object<'a>,
    before: &Object<'a>,
    after: &Object<'a>,
    depth: usize,
    fields: &[FieldDef],
) -> Option<Patched<'a>> {
    let was: HashMap<&str, &'a RawValue> = before.iter().collect();
    let mut wanted: HashMap<&str, &'a RawValue> = after.iter().collect();
    let mut patched: Patched<'a> = Vec::new();

    for (name, value) in stored.iter() {
        // The name under which this code knows a field that is stored under an alias.
        let known = fields.iter().find(|field| field.answers_to(name)).map_or(name, |f| f.name);
        match (was.get(known), wanted.remove(known)) {
            // Not a field this code reads here, nor one it wants: kept.
            (None, None) => patched.push((name.to_owned().into(), Cow::Borrowed(value))),
            // Read, and no longer wanted.
            (Some(_), None) => {}
            (Some(was), Some(wants)) if was.get() == wants.get() => {
                patched.push((name.to_owned().into(), Cow::Borrowed(value)));
            }
            (was, Some(wants)) => {
                let value = patch_value(value, was.copied(), wants, depth)?;
                patched.push((known.to_owned().into(), value));
            }
        }
    }
    // What was not stored yet, in the order of the struct. A field that still has its default is
    // left absent, so that it goes on reading as the default of whichever version reads it.
    for (name, wants) in after.iter() {
        if wanted.contains_key(name) && was.get(name).is_none_or(|was| was.get() != wants.get()) {
            patched.push((name.to_owned().into(), Cow::Borrowed(wants)));
        }
    }
    Some(patched)
}

fn patch_value<'a>(
    stored: &'a RawValue,
    before: Option<&'a RawValue>,
    after: &'a RawValue,
    depth: usize,
) -> Option<Cow<'a, RawValue>> {
    let objects = (
        Object::parse(stored.get()),
        before.and_then(|before| Object::parse(before.get())),
        Object::parse(after.get()),
    );
    match objects {
        (Some(stored), Some(before), Some(after)) if depth > 0 => {
            let patched = patch_object(&stored, &before, &after, depth - 1, &[])?;
            let json = to_raw_value(&Object::from_patched(&patched)).ok()?;
            Some(Cow::Owned(json))
        }
        _ => Some(Cow::Borrowed(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[FieldDef] = &[
        FieldDef::new("title", "title", "String").aliases(&["name"]),
        FieldDef::new("n", "n", "u8"),
    ];

    #[track_caller]
    fn check(stored: &str, before: &str, after: &str, expected: &str) {
        assert_eq!(patch(stored, before, after, FIELDS).as_deref(), Some(expected));
    }

    #[test]
    fn an_unknown_field_survives_at_every_depth() {
        check(
            r#"{"title":"a","new":1e400,"deep":{"x":1,"new":[1, 2]}}"#,
            r#"{"title":"a","deep":{"x":1}}"#,
            r#"{"title":"b","deep":{"x":2}}"#,
            r#"{"title":"b","new":1e400,"deep":{"x":2,"new":[1, 2]}}"#,
        );
    }

    #[test]
    fn a_default_that_was_not_changed_is_not_written() {
        check(
            r#"{"title":"a"}"#,
            r#"{"title":"a","n":5}"#,
            r#"{"title":"b","n":5}"#,
            r#"{"title":"b"}"#,
        );
        check(
            r#"{"title":"a"}"#,
            r#"{"title":"a","n":5}"#,
            r#"{"title":"a","n":6}"#,
            r#"{"title":"a","n":6}"#,
        );
    }

    #[test]
    fn a_changed_field_moves_from_its_alias_to_its_name() {
        check(
            r#"{"name":"a"}"#,
            r#"{"title":"a","n":5}"#,
            r#"{"title":"a","n":5}"#,
            r#"{"name":"a"}"#,
        );
        check(
            r#"{"name":"a"}"#,
            r#"{"title":"a","n":5}"#,
            r#"{"title":"b","n":5}"#,
            r#"{"title":"b"}"#,
        );
    }

    #[test]
    fn a_field_no_longer_wanted_goes_and_an_array_is_replaced() {
        check(r#"{"a":[1],"b":2}"#, r#"{"a":[1],"b":2}"#, r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#);
    }

    #[test]
    fn an_undecodable_row_keeps_what_is_unknown() {
        let repaired = overwrite(r#"{"name":7,"other":1}"#, r#"{"title":"a","n":1}"#, FIELDS);
        assert_eq!(repaired, r#"{"title":"a","n":1,"other":1}"#);
        assert_eq!(overwrite("[1]", r#"{"n":1}"#, FIELDS), r#"{"n":1}"#);
    }
}

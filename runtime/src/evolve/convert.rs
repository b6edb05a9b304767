//! Records of earlier epochs as those of this one.
//!
//! A record is decoded once, as the type it was written with, and then converted type by type. Where
//! the stored JSON says more than that type knows, it goes step by step as JSON instead, so that
//! what the conversion does not name is kept.

use super::{Form, Invalid, decode_text, snippet};
use crate::row::{
    Back, ConvertError, EncodeError, Encoded, Key, Object, Patch, Record, Row, Step, Successor,
    canonical, encode, encode_sized,
};
use crate::schema::descriptor::FieldDef;
use crate::schema::step::{Converted, ConvertedGroup, Entries, Failure, RecordStep, SourceDef};

/// The step to `R` from the record that was stored under `name`.
pub const fn step_to<R: Successor>(name: &'static str) -> Step<R> {
    Step {
        def: RecordStep { name, fields: R::Previous::FIELDS, sources: R::SOURCES },
        back: back_further::<R>,
        carry: carry_further::<R>,
        carry_entries: carry_entries_further::<R>,
    }
}

/// The row that was stored `steps` conversions ago, as of now.
pub(crate) fn convert_row<R: Row>(steps: u32, json: &str) -> Result<Converted, Failure> {
    let Back { record: row, is_whole } = back::<R>(steps, json)?;
    let json = if steps == 0 {
        if !is_whole {
            encoded(&row)?;
        }
        // A value that does not change is taken over to the letter.
        json.to_owned()
    } else {
        let wanted = encode_sized(&row, json.len() + json.len() / 4).map_err(unencodable)?;
        let carried = (!is_whole).then(|| carry::<R>(steps, json)).transpose()?;
        let form = Form::of_record();
        match carried.filter(|carried| form.check(carried, &wanted, &row).is_ok()) {
            Some(carried) => carried,
            None => {
                form.check(&wanted.json, &wanted, &row).map_err(Invalid::into_failure)?;
                wanted.json
            }
        }
    };
    let key = row.key();
    Ok(Converted { key: key.to_bytes().as_slice().to_vec(), key_text: key.to_text(), json })
}

/// The kv group that was stored `steps` conversions ago, as of now.
pub(crate) fn convert_group<G: Record>(steps: u32, entries: &Entries) -> ConvertedGroup {
    match &G::STEP {
        Some(step) if steps > 0 => (step.carry_entries)(steps, entries),
        _ => ConvertedGroup { entries: entries.clone(), failures: Vec::new() },
    }
}

fn back<R: Record>(steps: u32, json: &str) -> Result<Back<R>, Failure> {
    match &R::STEP {
        Some(step) if steps > 0 => (step.back)(steps, json),
        _ => {
            let record = decode_text::<R>(json).map_err(Invalid::into_failure)?;
            let whole = encode_sized(&record, json.len() + json.len() / 4).map_err(unencodable)?;
            let known = R::shape().whole();
            let is_whole = canonical(json, &known).is_some_and(|json| json == whole.json);
            Ok(Back { record, is_whole })
        }
    }
}

fn back_further<R: Successor>(steps: u32, json: &str) -> Result<Back<R>, Failure> {
    let Back { record, is_whole } = back::<R::Previous>(steps - 1, json)?;
    let record = R::succeed(record).map_err(|error| refused(&error))?;
    Ok(Back { record, is_whole })
}

fn carry<R: Record>(steps: u32, json: &str) -> Result<String, Failure> {
    match &R::STEP {
        Some(step) if steps > 0 => (step.carry)(steps, json),
        _ => Ok(json.to_owned()),
    }
}

/// One conversion as JSON: what the previous type does not know is kept under its name, and the
/// fields that only moved keep their text.
fn carry_further<R: Successor>(steps: u32, json: &str) -> Result<String, Failure> {
    let stored = carry::<R::Previous>(steps - 1, json)?;
    let previous = decode_text::<R::Previous>(&stored).map_err(Invalid::into_failure)?;
    let before = encoded(&previous)?.json;
    let record = R::succeed(previous).map_err(|error| refused(&error))?;
    let after = encoded(&record)?.json;
    Ok(keep_unknown::<R>(&stored, &before, &after).unwrap_or(after))
}

fn keep_unknown<R: Successor>(stored: &str, before: &str, after: &str) -> Option<String> {
    let (stored, before, after) =
        (Object::parse(stored)?, Object::parse(before)?, Object::parse(after)?);
    let mut kept = Object::default();
    for (name, value) in after.iter() {
        // A field that only moved is taken over as it was stored, with all that is inside it.
        let moved = moved_from::<R>(name).and_then(|source| {
            let mut names = std::iter::once(&source.name).chain(source.aliases);
            let stored = names.find_map(|name| stored.get(name))?;
            moved::<R>(name, stored, before.get(source.name)?, value)
        });
        kept.push(name.to_owned(), moved.unwrap_or_else(|| value.to_owned()));
    }
    for (name, value) in stored.iter() {
        let is_known = R::Previous::FIELDS.iter().any(|field| field.answers_to(name));
        // A new field, even one that is absent now, reads only what was written as it.
        let is_taken = R::FIELDS.iter().any(|field| field.answers_to(name));
        if !is_known && !is_taken {
            kept.push(name.to_owned(), value.to_owned());
        }
    }
    Some(kept.to_text())
}

/// The stored text of a field that moved, with what the conversion changed inside it.
fn moved<R: Record>(name: &str, stored: &str, before: &str, after: &str) -> Option<String> {
    let known = R::shape().field(name);
    Some(Patch::new(&known, &[]).apply(stored, before, after)?.text)
}

fn moved_from<R: Successor>(stored: &str) -> Option<&'static FieldDef> {
    let index = R::FIELDS.iter().position(|field| field.name == stored)?;
    let name = match R::SOURCES {
        Some(sources) => match sources.get(index)? {
            SourceDef::Moved(name) => *name,
            _ => return None,
        },
        // Of a conversion of the user's own, what has the same name and value has moved.
        None => stored,
    };
    R::Previous::FIELDS.iter().find(|field| field.name == name)
}

/// One conversion of a kv group. Only what was set is set again, so that the rest goes on reading as
/// its default.
fn carry_entries_further<G: Successor>(steps: u32, entries: &Entries) -> ConvertedGroup {
    let ConvertedGroup { entries, mut failures } = convert_group::<G::Previous>(steps - 1, entries);
    let mut readable = entries.clone();
    let previous = loop {
        let object = object_of(&readable);
        match decode_text::<G::Previous>(&object) {
            Ok(previous) => break Some(previous),
            Err(invalid) => {
                // An entry that does not decode is left out and reported; the others go on.
                let named = invalid.field.as_deref().map(top_of);
                let culprit = named.and_then(|name| {
                    let fields = G::Previous::FIELDS.iter();
                    let field = fields.clone().find(|field| field.answers_to(name));
                    let stored = |key: &&String| field.is_some_and(|f| f.answers_to(key));
                    readable.keys().find(stored).cloned()
                });
                let Some(culprit) = culprit.or_else(|| unreadable(&readable)) else {
                    for name in readable.keys() {
                        failures.push((name.clone(), invalid.clone().into_failure()));
                    }
                    break None;
                };
                readable.remove(&culprit);
                failures.push((culprit, invalid.into_failure()));
            }
        }
    };
    let mut converted = Entries::new();
    if let Some(previous) = previous {
        match encoded(&previous).and_then(|before| {
            let group = G::succeed(previous).map_err(|error| refused(&error))?;
            Ok((before, encoded(&group)?))
        }) {
            Ok((before, after)) => {
                let set = set_entries::<G>(&readable, &before.json, &after, &mut converted);
                failures.extend(set);
            }
            Err(failure) => {
                for name in readable.keys() {
                    failures.push((name.clone(), failure.clone()));
                }
            }
        }
    }
    for (name, json) in &entries {
        let is_known = G::Previous::FIELDS.iter().any(|field| field.answers_to(name));
        let is_taken = G::FIELDS.iter().any(|field| field.answers_to(name));
        if !is_known && !is_taken {
            converted.insert(name.clone(), json.clone());
        }
    }
    ConvertedGroup { entries: converted, failures }
}

/// Sets the entries that were set before, and gives those that cannot be stored.
fn set_entries<G: Successor>(
    stored: &Entries,
    before: &str,
    after: &Encoded,
    converted: &mut Entries,
) -> Vec<(String, Failure)> {
    let mut failures = Vec::new();
    let (Some(before), Some(members)) = (Object::parse(before), Object::parse(&after.json)) else {
        return failures;
    };
    let unset = unset_group::<G>();
    let unset = unset.as_deref().and_then(Object::parse);
    let under = |name: &str| {
        let field = G::Previous::FIELDS.iter().find(|field| field.name == name)?;
        stored.iter().find(|(name, _)| field.answers_to(name))
    };
    let is_set = |name: &str| under(name).is_some();
    for (index, field) in G::FIELDS.iter().enumerate() {
        let Some(value) = members.get(field.name) else { continue };
        let wanted = match G::SOURCES.and_then(|sources| sources.get(index)) {
            Some(SourceDef::New) => false,
            Some(SourceDef::Moved(source)) => is_set(source),
            Some(SourceDef::Computed(sources)) => sources.iter().any(|source| is_set(source)),
            None => {
                let plain = unset.as_ref().and_then(|unset| unset.get(field.name));
                is_set(field.name) || plain != Some(value)
            }
        };
        if !wanted {
            continue;
        }
        let source = moved_from::<G>(field.name).and_then(|source| under(source.name));
        let moved = source.and_then(|(_, stored)| {
            let source = moved_from::<G>(field.name)?;
            moved::<G>(field.name, stored, before.get(source.name)?, value)
        });
        let mut texts = moved.into_iter().chain([value.to_owned()]);
        match texts.find(|text| reads_as_entry::<G>(field.name, text, after)) {
            Some(text) => {
                converted.insert(field.name.to_owned(), text);
            }
            None => {
                let name = source.map_or(field.name, |(name, _)| name).to_owned();
                failures.push((name, unreadable_entry(field.name, value)));
            }
        }
    }
    failures
}

/// Finds out whether an entry of a group reads back as what it is in the whole group.
fn reads_as_entry<G: Record>(name: &str, text: &str, group: &Encoded) -> bool {
    let alone = Entries::from([(name.to_owned(), text.to_owned())]);
    let read = decode_text::<G>(&object_of(&alone)).ok();
    read.and_then(|read| encode(&read).ok()).is_some_and(|read| read.is_same_in(name, group))
}

fn unreadable_entry(name: &str, value: &str) -> Failure {
    Failure {
        field: Some(name.to_owned()),
        expected: Some(snippet(value)),
        found: None,
        reason: "the converted value does not read back as what it is".to_owned(),
    }
}

/// The group as it is converted if nothing was set.
fn unset_group<G: Successor>() -> Option<String> {
    let previous = decode_text::<G::Previous>("{}").ok()?;
    Some(encode(&G::succeed(previous).ok()?).ok()?.json)
}

/// The entries of a group as one JSON object.
pub(crate) fn object_of(entries: &Entries) -> String {
    let mut object = String::from("{");
    for (name, json) in entries {
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(&serde_json::Value::from(name.as_str()).to_string());
        object.push(':');
        object.push_str(json);
    }
    object.push('}');
    object
}

/// An entry that is not even JSON.
fn unreadable(entries: &Entries) -> Option<String> {
    entries.iter().find(|(_, json)| !Object::is_json(json)).map(|(name, _)| name.clone())
}

fn top_of(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

fn encoded<R: Record>(record: &R) -> Result<Encoded, Failure> {
    encode(record).map_err(unencodable)
}

fn unencodable(error: EncodeError) -> Failure {
    let failure = Invalid::unencodable(error).into_failure();
    Failure {
        reason: format!("the converted value cannot be stored: {}", failure.reason),
        ..failure
    }
}

fn refused(error: &ConvertError) -> Failure {
    Failure {
        field: None,
        expected: None,
        found: None,
        reason: format!("the conversion failed: {error}"),
    }
}

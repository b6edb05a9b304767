//! Records of earlier epochs as those of this one.
//!
//! A record is decoded once, as the type it was written with, and then converted type by type. Where
//! the stored JSON says more than that type knows, it goes step by step as JSON instead, so that
//! what the conversion does not name is kept.

use super::{Invalid, decode_text};
use crate::row::{
    Back, ConvertError, EncodeError, Key, Object, Record, Row, Step, Successor, encode_record,
    encode_record_sized, encodes_as,
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
    let back = back::<R>(steps, json)?;
    let (row, json) = if steps == 0 {
        if !back.is_whole {
            encode(&back.record)?;
        }
        // What does not change is taken over to the letter.
        (back.record, json.to_owned())
    } else if back.is_whole {
        let json = encode_record_sized(&back.record, json.len());
        (back.record, json.map_err(|error| unencodable(&error))?)
    } else {
        let json = carry::<R>(steps, json)?;
        (decode_text::<R>(&json).map_err(Invalid::into_failure)?, json)
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
            let is_whole = encodes_as(&record, json).map_err(|error| unencodable(&error))?;
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
    let before = encode(&previous)?;
    let record = R::succeed(previous).map_err(|error| refused(&error))?;
    let after = encode(&record)?;
    Ok(keep_unknown::<R>(&stored, &before, &after).unwrap_or(after))
}

fn keep_unknown<R: Successor>(stored: &str, before: &str, after: &str) -> Option<String> {
    let (stored, before, after) =
        (Object::parse(stored)?, Object::parse(before)?, Object::parse(after)?);
    let mut kept = Object::default();
    for (name, value) in after.iter() {
        // A field that only moved is taken over as it was stored, with all that is inside it.
        let moved = moved_from::<R>(name).and_then(|source| {
            let unchanged = before.get(source.name)?.get() == value.get();
            let names = std::iter::once(&source.name).chain(source.aliases);
            let mut stored = names.filter_map(|name| stored.get(name));
            stored.next().filter(|_| unchanged)
        });
        kept.push(name.to_owned(), moved.unwrap_or(value));
    }
    for (name, value) in stored.iter() {
        let is_known = R::Previous::FIELDS.iter().any(|field| field.answers_to(name));
        // A new field, even one that is absent now, reads only what was written as it.
        let is_taken = R::FIELDS.iter().any(|field| field.answers_to(name));
        if !is_known && !is_taken {
            kept.push(name.to_owned(), value);
        }
    }
    serde_json::to_string(&kept).ok()
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
        match encode(&previous).and_then(|before| {
            let group = G::succeed(previous).map_err(|error| refused(&error))?;
            Ok((before, encode(&group)?))
        }) {
            Ok((before, after)) => set_entries::<G>(&readable, &before, &after, &mut converted),
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

fn set_entries<G: Successor>(stored: &Entries, before: &str, after: &str, converted: &mut Entries) {
    let (Some(before), Some(after)) = (Object::parse(before), Object::parse(after)) else {
        return;
    };
    let unset = unset_group::<G>();
    let unset = unset.as_deref().and_then(Object::parse);
    let is_set = |name: &str| {
        let field = G::Previous::FIELDS.iter().find(|field| field.name == name);
        field.is_some_and(|field| stored.keys().any(|key| field.answers_to(key)))
    };
    for (index, field) in G::FIELDS.iter().enumerate() {
        let Some(value) = after.get(field.name) else { continue };
        let wanted = match G::SOURCES.and_then(|sources| sources.get(index)) {
            Some(SourceDef::New) => false,
            Some(SourceDef::Moved(source)) => is_set(source),
            Some(SourceDef::Computed(sources)) => sources.iter().any(|source| is_set(source)),
            None => {
                let plain = unset.as_ref().and_then(|unset| unset.get(field.name));
                is_set(field.name) || plain.is_none_or(|plain| plain.get() != value.get())
            }
        };
        if !wanted {
            continue;
        }
        let moved = moved_from::<G>(field.name).and_then(|source| {
            let unchanged = before.get(source.name)?.get() == value.get();
            let mut stored = stored.iter().filter(|(name, _)| source.answers_to(name));
            stored.next().filter(|_| unchanged)
        });
        let json = moved.map_or_else(|| value.get().to_owned(), |(_, json)| json.clone());
        converted.insert(field.name.to_owned(), json);
    }
}

/// The group as it is converted where nothing was set.
fn unset_group<G: Successor>() -> Option<String> {
    let previous = decode_text::<G::Previous>("{}").ok()?;
    encode(&G::succeed(previous).ok()?).ok()
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

fn encode<R: Record>(record: &R) -> Result<String, Failure> {
    encode_record(record).map_err(|error| unencodable(&error))
}

fn unencodable(error: &EncodeError) -> Failure {
    Failure {
        field: error.field.map(str::to_owned),
        expected: None,
        found: None,
        reason: format!("the converted value cannot be stored: {error}"),
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

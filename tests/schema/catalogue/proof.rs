//! Rows that two versions of a row type share: tried, not believed.

use std::collections::BTreeSet;

use heirloom::__private::{decode_row, encode_row, write_back};
use heirloom::Row;
use heirloom::schema::{Class, Diff};
use serde_json::Value;

/// A version of a row type: how it reads a stored row, and ways in which it changes one.
pub struct Version {
    /// The rows in a store of this version.
    pub rows: Vec<String>,
    /// The stored names of its fields, each with those that are read as it, too.
    pub fields: Vec<(String, Vec<String>)>,
    /// A row as this version sees it, or why it does not.
    pub view: Reading,
    /// The changes whose results are stored.
    pub edits: Vec<Change>,
}

/// How some version reads a stored row.
pub type Reading = Box<dyn Fn(&str) -> Result<Value, String>>;

/// A stored row after a change by some version.
pub type Change = Box<dyn Fn(&str) -> Result<String, String>>;

impl Version {
    pub fn of<R: Row>(rows: Vec<String>, edits: &'static [fn(&mut R)]) -> Self {
        let edit = |edit: &'static fn(&mut R)| -> Change {
            Box::new(move |stored| write_back(stored, edit).map_err(|error| error.to_string()))
        };
        let fields = R::FIELDS.iter().map(|field| {
            let aliases = field.aliases.iter().map(|&alias| alias.to_owned());
            (field.name.to_owned(), aliases.collect())
        });
        let fields = fields.collect();
        Self { rows, fields, view: Box::new(view::<R>), edits: edits.iter().map(edit).collect() }
    }

    /// The rows that this version writes, or leaves as they are; the others are older.
    fn written(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().filter(|stored| {
            let is: Value = serde_json::from_str(stored).expect("JSON");
            (self.view)(stored).is_ok_and(|view| contains(&is, &view))
        })
    }
}

/// The events of a trial, with their places.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Reading failed, or something was lost.
    pub failures: Vec<String>,
    /// Something reads differently in the two versions, or went with the list it was in.
    pub doubts: Vec<String>,
    /// New code filled in what old rows lack.
    pub defaults: Vec<String>,
}

impl Outcome {
    pub fn class(&self) -> Class {
        match self {
            Self { failures, .. } if !failures.is_empty() => Class::Breaking,
            Self { doubts, .. } if !doubts.is_empty() => Class::Warn,
            Self { defaults, .. } if !defaults.is_empty() => Class::Default,
            _ => Class::Additive,
        }
    }
}

/// The three round trips: new code reads old rows, old code reads new rows, and old code edits a
/// new row and writes it back.
pub fn round_trips(old: &Version, new: &Version) -> Outcome {
    let mut outcome = Outcome::default();
    for stored in &old.rows {
        backward(old, new, stored, &mut outcome);
    }
    for stored in new.written() {
        forward(old, new, stored, &mut outcome);
        for edit in &old.edits {
            written_back(old, new, stored, edit, &mut outcome);
        }
    }
    outcome
}

/// A row as a version sees it, or why it does not.
pub fn view<R: Row>(stored: &str) -> Result<Value, String> {
    let row = decode_row::<R>(stored).map_err(|error| error.to_string())?;
    let json = encode_row(&row).map_err(|error| error.to_string())?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

fn backward(old: &Version, new: &Version, stored: &str, outcome: &mut Outcome) {
    let was = (old.view)(stored).expect("a version reads its own rows");
    for (name, aliases) in &old.fields {
        let Some((_, now)) = new.fields.iter().find(|(now, _)| now == name) else { continue };
        let lost = aliases
            .iter()
            .find(|alias| is_stored(stored, &format!(".{alias}")) && !now.contains(alias));
        if let Some(alias) = lost {
            outcome.failures.push(format!("new code does not read `{alias}` of {stored}"));
        }
    }
    let is = match (new.view)(stored) {
        Ok(is) => is,
        Err(error) => return outcome.failures.push(format!("new code reads {stored}: {error}")),
    };
    compare("", &was, &is, &mut |path, was, is| match (was, is) {
        // A field that old code does not have: filled in.
        (None, Some(_)) if old.fields.iter().any(|(name, _)| path == format!(".{name}")) => {
            outcome.doubts.push(format!("new code reads {stored}: absent `{path}`"));
        }
        (None, Some(Value::Null)) => {}
        (None, Some(_)) => outcome.defaults.push(path.to_owned()),
        _ if loses_items(was, is) => {
            outcome.failures.push(format!("new code loses items of {stored}: `{path}`"));
        }
        _ => outcome.doubts.push(format!("new code reads {stored}: `{path}`")),
    });
}

fn forward(old: &Version, new: &Version, stored: &str, outcome: &mut Outcome) {
    let is = (new.view)(stored).expect("a version reads its own rows");
    let was = match (old.view)(stored) {
        Ok(was) => was,
        Err(error) => return outcome.failures.push(format!("old code reads {stored}: {error}")),
    };
    compare("", &was, &is, &mut |path, was, is| match (was, is) {
        // A field that old code does not know, and keeps.
        (None, Some(_)) => {}
        _ if loses_items(was, is) => {
            outcome.failures.push(format!("old code loses items of {stored}: `{path}`"));
        }
        _ => outcome.doubts.push(format!("old code reads {stored}: `{path}`")),
    });
}

fn written_back(old: &Version, new: &Version, stored: &str, edit: &Change, outcome: &mut Outcome) {
    let (Ok(before), Ok(old_before)) = ((new.view)(stored), (old.view)(stored)) else { return };
    let mut fail =
        |error: String| outcome.failures.push(format!("old code edits {stored}: {error}"));
    let written = match edit(stored) {
        Ok(written) => written,
        Err(error) => return fail(error),
    };
    let old_after = match (old.view)(&written) {
        Ok(after) => after,
        Err(error) => return fail(error),
    };
    let after = match (new.view)(&written) {
        Ok(after) => after,
        Err(error) => return fail(error),
    };
    let mut edited = BTreeSet::new();
    compare("", &old_before, &old_after, &mut |path, _, _| _ = edited.insert(path.to_owned()));
    compare("", &before, &after, &mut |path, was, _| {
        let is_edited = edited.iter().any(|edited| {
            let inside = path.strip_prefix(edited.as_str());
            inside.is_some_and(|inside| inside.is_empty() || inside.starts_with(['.', '[']))
        });
        if !is_edited {
            let what = format!("old code edits {stored}: `{path}` was {was:?}");
            // Lists are written as a whole, as is documented; and what was not stored is no loss.
            match path.contains('[') || !is_stored(stored, path) {
                true => outcome.doubts.push(what),
                false => outcome.failures.push(what),
            }
        }
    });
}

/// Whether one version reads more items in a list than the other.
fn loses_items(old: Option<&Value>, new: Option<&Value>) -> bool {
    let len = |value: Option<&Value>| value.and_then(Value::as_array).map(Vec::len);
    matches!((len(old), len(new)), (Some(was), Some(is)) if was != is)
}

/// Whether a value has all of another: more fields do not count.
fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| value.get(name).is_some_and(|value| contains(value, part))),
        (Value::Array(values), Value::Array(parts)) => {
            values.len() == parts.len()
                && values.iter().zip(parts).all(|(value, part)| contains(value, part))
        }
        (value, part) => value == part,
    }
}

/// Whether a row has a field, by its path.
fn is_stored(stored: &str, path: &str) -> bool {
    let row: Value = serde_json::from_str(stored).expect("JSON");
    row.pointer(&path.replace('.', "/")).is_some()
}

/// Calls `differs` for each path at which two values differ, as deep as they are both objects or
/// lists of one length.
fn compare(
    path: &str,
    old: &Value,
    new: &Value,
    differs: &mut impl FnMut(&str, Option<&Value>, Option<&Value>),
) {
    match (old, new) {
        (Value::Object(was), Value::Object(is)) => {
            let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for name in names {
                let path = format!("{path}.{name}");
                match (was.get(name), is.get(name)) {
                    (Some(was), Some(is)) => compare(&path, was, is, differs),
                    (was, is) => differs(&path, was, is),
                }
            }
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                compare(&format!("{path}[{index}]"), was, is, differs);
            }
        }
        (was, is) if was == is => {}
        (was, is) => differs(path, Some(was), Some(is)),
    }
}

/// The class of what has really changed, without what was perhaps renamed.
pub fn class_of_facts(diff: &Diff) -> Class {
    let facts = diff.iter().filter(|change| !change.is_candidate());
    facts.map(|change| change.class()).max().unwrap_or(Class::Additive)
}

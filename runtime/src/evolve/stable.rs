//! Refusing rows that read differently each time, in builds with debug assertions: what is missing
//! in them is filled in by a default of serde's that takes it from a clock or a random number.

use serde_json::Value;

use super::explain::{Invalid, snippet};
use crate::row::DefaultError;
use crate::schema::descriptor::FieldDef;

/// Refuses a record of which a second reading, `again`, encodes to something else than `first`, the
/// first reading of `json`.
///
/// A list that only comes in another order is not noticed, since sets may.
pub(super) fn refuse_unstable(
    json: &str,
    fields: &[FieldDef],
    first: &str,
    again: &dyn Fn() -> Option<String>,
) -> Result<(), Invalid> {
    // Nothing is missing in what this code has written.
    if first == json {
        return Ok(());
    }
    let Some(second) = again() else { return Ok(()) };
    let Some((path, was, is)) = difference(first, &second) else { return Ok(()) };
    let top = path.split(['.', '[']).next().unwrap_or_default();
    let field = fields.iter().find(|field| field.name == top);
    Err(Invalid {
        field: Some(path),
        expected: field.map(|field| field.rust_type.to_owned()),
        found: Some(format!("{was}, then {is}")),
        reason:
            "the value is missing and reads differently each time, since the default that serde \
                 fills in is not constant: use `#[evolve(default = …)]`, or store the value"
                .into(),
    })
}

/// The JSON text of a default of serde's, refused if it differs between two looks.
pub(super) fn stable_default(
    default: impl Fn() -> Result<String, DefaultError>,
) -> Result<String, DefaultError> {
    let first = default()?;
    if cfg!(debug_assertions) {
        let second = default()?;
        if let Some((_, was, is)) = difference(&first, &second) {
            return Err(DefaultError::new(format_args!(
                "its default is not constant: it gave {was}, then {is}; use \
                 `#[evolve(default = …)]`, or store the value"
            )));
        }
    }
    Ok(first)
}

/// Returns the first difference of two JSON texts: its path, and both values.
fn difference(first: &str, second: &str) -> Option<(String, String, String)> {
    if first == second {
        return None;
    }
    let parse = |json: &str| serde_json::from_str::<Value>(json).ok();
    let (first, second) = (parse(first)?, parse(second)?);
    if sorted(first.clone()) == sorted(second.clone()) {
        return None;
    }
    let mut path = String::new();
    differing(&first, &second, &mut path).map(|(was, is)| {
        let text = |value: &Value| snippet(&value.to_string());
        (path.trim_start_matches('.').to_owned(), text(was), text(is))
    })
}

/// The value with each list in the order of its items' texts.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        other => other,
    }
}

fn differing<'v>(
    first: &'v Value,
    second: &'v Value,
    path: &mut String,
) -> Option<(&'v Value, &'v Value)> {
    if first == second {
        return None;
    }
    if let (Value::Object(a), Value::Object(b)) = (first, second)
        && a.len() == b.len()
        && let Some(((name, a), b)) =
            a.iter().find_map(|(name, a)| Some(((name, a), b.get(name)?)).filter(|(_, b)| a != *b))
    {
        path.push('.');
        path.push_str(name);
        return differing(a, b, path);
    }
    if let (Value::Array(a), Value::Array(b)) = (first, second)
        && let Some((index, (a, b))) = a.iter().zip(b).enumerate().find(|(_, (a, b))| a != b)
    {
        path.push_str(&format!("[{index}]"));
        return differing(a, b, path);
    }
    Some((first, second))
}

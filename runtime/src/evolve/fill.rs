//! Missing fields filled with their defaults, in declaration order, as JSON.

use std::fmt::Write as _;

use super::explain::Invalid;
use super::stable::stable_default;
use crate::row::{Above, DefaultError, Object, Record, encode};
use crate::schema::descriptor::DefaultKind;
use crate::schema::step::Failure;

/// The JSON text of a default that reads no other field.
pub(super) fn constant_of<R: Record>(index: usize) -> Result<String, DefaultError> {
    let default = || R::default_of(index, &Above::new::<R>(index, &|_| Ok(None)));
    match R::FIELDS[index].default {
        DefaultKind::Serde => stable_default(default),
        _ => default(),
    }
}

/// The fields of `R` that a stored object lacks and that have a default of ours, with its JSON.
///
/// `stored` gives the JSON text under a stored name.
pub(crate) fn missing_fields<R: Record>(
    stored: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(usize, String)>, (usize, DefaultError)> {
    let mut filled = Vec::new();
    for (index, field) in R::FIELDS.iter().enumerate() {
        if field.default.is_evolve() && stored_field::<R>(stored, index).is_none() {
            let default = default_after::<R>(stored, &filled, index);
            filled.push((index, default.map_err(|error| (index, error))?));
        }
    }
    Ok(filled)
}

/// The JSON text of the default of one field, computed from what is stored and from the defaults
/// above it.
pub(crate) fn default_of_field<R: Record>(
    stored: &dyn Fn(&str) -> Option<String>,
    index: usize,
) -> Result<String, DefaultError> {
    let mut filled = Vec::new();
    if matches!(R::FIELDS[index].default, DefaultKind::Computed(_)) {
        for above in 0..index {
            // A default above that fails matters only to a default that reads it, which then
            // reports it.
            if R::FIELDS[above].default.is_evolve()
                && stored_field::<R>(stored, above).is_none()
                && let Ok(json) = default_after::<R>(stored, &filled, above)
            {
                filled.push((above, json));
            }
        }
    }
    default_after::<R>(stored, &filled, index)
}

fn default_after<R: Record>(
    stored: &dyn Fn(&str) -> Option<String>,
    filled: &[(usize, String)],
    index: usize,
) -> Result<String, DefaultError> {
    if R::FIELDS[index].default == DefaultKind::Serde {
        return constant_of::<R>(index);
    }
    let read = |name: &str| read_above::<R>(stored, filled, name);
    R::default_of(index, &Above::new::<R>(index, &read))
}

fn stored_field<R: Record>(
    stored: &dyn Fn(&str) -> Option<String>,
    index: usize,
) -> Option<String> {
    let field = &R::FIELDS[index];
    stored(field.name).or_else(|| field.aliases.iter().find_map(|alias| stored(alias)))
}

fn read_above<R: Record>(
    stored: &dyn Fn(&str) -> Option<String>,
    filled: &[(usize, String)],
    name: &str,
) -> Result<Option<String>, DefaultError> {
    let Some(index) = R::FIELDS.iter().position(|field| field.name == name) else {
        return Err(DefaultError::new(format_args!("there is no field `{name}` above")));
    };
    if let Some(json) = stored_field::<R>(stored, index) {
        return Ok(Some(json));
    }
    if let Some((_, json)) = filled.iter().find(|(filled, _)| *filled == index) {
        return Ok(Some(json.clone()));
    }
    match R::FIELDS[index].default {
        DefaultKind::Optional => Ok(None),
        DefaultKind::Serde => constant_of::<R>(index).map(Some),
        _ => Err(DefaultError::new(format_args!("the field `{name}` above it is missing"))),
    }
}

/// The stored object with its missing defaults written out; `None` if it lacks none, or does not
/// decode.
///
/// The filled fields must read as they did without being stored.
pub(crate) fn fill_defaults<R: Record>(json: &str) -> Result<Option<String>, Failure> {
    let Ok(row) = super::decode_text::<R>(json) else { return Ok(None) };
    let filled = fill::<R>(json).map_err(Invalid::into_failure)?;
    if filled.len() <= json.trim_end().len() {
        return Ok(None);
    }
    let unencodable = |error| Invalid::unencodable(error).into_failure();
    let wanted = encode(&row).map_err(unencodable)?;
    let read = super::decode_text::<R>(&filled).map_err(Invalid::into_failure)?;
    let read = encode(&read).map_err(unencodable)?;
    let defaults = R::FIELDS.iter().filter(|field| field.default.is_evolve());
    match defaults.map(|field| field.name).find(|name| !wanted.is_same_in(name, &read)) {
        Some(name) => Err(Failure {
            field: Some(name.to_owned()),
            expected: None,
            found: None,
            reason: "its default does not read back as what it is".to_owned(),
        }),
        None => Ok(Some(filled)),
    }
}

/// The stored object with its missing fields added.
pub(super) fn fill<R: Record>(json: &str) -> Result<String, Invalid> {
    let Some(object) = Object::parse(json) else {
        return Err(Invalid::whole(json, "it is not a JSON object"));
    };
    let stored = |name: &str| object.get(name).map(str::to_owned);
    let filled = missing_fields::<R>(&stored)
        .map_err(|(index, error)| Invalid::no_default(&R::FIELDS[index], &error))?;

    let body = json.trim_end();
    let body = body.strip_suffix('}').unwrap_or(body);
    let mut whole = String::with_capacity(json.len() + 32 * filled.len());
    whole.push_str(body);
    let mut separator = if object.iter().next().is_some() { "," } else { "" };
    for (index, json) in filled {
        // Stored names are written by serde as JSON strings, escapes and all.
        let name = serde_json::Value::from(R::FIELDS[index].name);
        // Writing to a string cannot fail.
        let _ = write!(whole, "{separator}{name}:{json}");
        separator = ",";
    }
    whole.push('}');
    Ok(whole)
}

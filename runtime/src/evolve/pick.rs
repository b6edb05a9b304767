//! Some fields of a stored row, without decoding the others.

use super::Defaults;
use crate::row::{Object, Record, scan_members};
use crate::schema::descriptor::DefaultKind;

/// How many fields are picked from a row at most; of more, the row is decoded.
pub(crate) const MAX_PICKED: usize = 8;

/// Gives the JSON texts of some fields of a row that is known to decode, those of defaults among them.
/// `None` if they cannot be told without decoding the row, or `read` cannot read them.
pub(crate) fn pick<R: Record, V>(
    json: &[u8],
    fields: &[usize],
    read: impl FnOnce(&[&str]) -> Option<V>,
) -> Option<V> {
    let json = std::str::from_utf8(json).ok()?;
    let mut texts: [Option<&str>; MAX_PICKED] = [None; MAX_PICKED];
    let texts = texts.get_mut(..fields.len())?;
    scan_members(json, &mut |name, value| {
        for (text, index) in texts.iter_mut().zip(fields) {
            if R::FIELDS[*index].answers_to(name) {
                *text = Some(value);
            }
        }
    })?;
    if texts.iter().all(Option::is_some) {
        let mut found = [""; MAX_PICKED];
        let found = found.get_mut(..fields.len())?;
        for (found, text) in found.iter_mut().zip(texts.iter()) {
            *found = text.unwrap_or_default();
        }
        return read(found);
    }
    let object = Object::parse(json)?;
    let stored = |name: &str| object.get(name).map(str::to_owned);
    let missing = |index: usize| match R::FIELDS[index].default {
        DefaultKind::Optional => Some("null".to_owned()),
        DefaultKind::Required => None,
        _ => Defaults::of::<R>().of_field(&stored, index).ok(),
    };
    let texts = texts.iter().zip(fields);
    let texts: Option<Vec<String>> = texts
        .map(|(text, index)| text.map_or_else(|| missing(*index), |text| Some(text.to_owned())))
        .collect();
    let texts = texts?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    read(&texts)
}

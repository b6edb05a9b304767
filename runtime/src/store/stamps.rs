//! The times of a row that heirloom fills in: `#[created]` and `#[updated]`.

use crate::evolve::{Form, Invalid, decode_text};
use crate::row::{Encoded, Object, Row, encode};
use crate::schema::descriptor::{StampDef, StampKind};

/// The texts in the fields of a row's times.
type Texts = Vec<(&'static StampDef, Option<String>)>;

/// A row and the text to store of it, if it has changed.
pub(super) struct Changed<R> {
    pub(super) row: R,
    pub(super) json: Option<String>,
}

/// A row that is new at this time.
pub(super) fn begun<R: Row>(row: &R, now: i64) -> Result<R, Invalid> {
    with_texts(row, texts_at(R::STAMPS, now, |_| true))
}

/// A row in place of a stored one, which reads as `before` if it decodes. It keeps the times of that one,
/// and if it is another row, it is updated now.
pub(super) fn changed<R: Row>(
    stored: &str,
    before: Option<&Encoded>,
    row: &R,
    now: i64,
) -> Result<Changed<R>, Invalid> {
    let form = Form::of_record();
    let (texts, last) = texts_before(R::STAMPS, stored, before, now);
    let row = with_texts(row, texts)?;
    let json = form.changed_text(stored, before, &row)?;
    let updated = texts_at(R::STAMPS, last, is_updated);
    if json.is_none() || updated.is_empty() {
        return Ok(Changed { row, json });
    }
    let row = with_texts(&row, updated)?;
    let json = form.changed_text(stored, before, &row)?;
    Ok(Changed { row, json })
}

/// The texts of some times of a row.
fn texts_at(stamps: &'static [StampDef], now: i64, is_one: fn(&StampDef) -> bool) -> Texts {
    let stamps = stamps.iter().filter(|stamp| is_one(stamp));
    stamps.map(|stamp| (stamp, (stamp.write)(now))).collect()
}

/// The texts of the times that a row keeps of a stored one, and when it is updated: now, but after these.
fn texts_before(
    stamps: &'static [StampDef],
    stored: &str,
    before: Option<&Encoded>,
    now: i64,
) -> (Texts, i64) {
    let known = Object::parse(before.map_or(stored, |before| &before.json)).unwrap_or_default();
    let texts = stamps.iter().map(|stamp| {
        let text = known.get(stamp.field);
        // Of a row that does not decode, the times stay that can be read.
        let is_kept = before.is_some() || text.and_then(stamp.read).is_some();
        (stamp, if is_kept { text.map(str::to_owned) } else { (stamp.write)(now) })
    });
    let texts: Texts = texts.collect();
    let last = texts.iter().filter_map(|(stamp, text)| (stamp.read)(text.as_deref()?)).max();
    (texts, last.map_or(now, |last| now.max(last.saturating_add(1))))
}

fn is_updated(stamp: &StampDef) -> bool {
    stamp.kind == StampKind::Updated
}

/// The row with these texts in these fields.
fn with_texts<R: Row>(row: &R, texts: Texts) -> Result<R, Invalid> {
    let encoded = encode(row).map_err(Invalid::unencodable)?;
    decode_text(&replaced(&encoded.json, texts))
}

fn replaced(row: &str, mut texts: Texts) -> String {
    let mut object = Object::default();
    for (name, value) in Object::parse(row).unwrap_or_default().iter() {
        match texts.iter().position(|(stamp, _)| stamp.field == name) {
            Some(at) => {
                if let (_, Some(text)) = texts.swap_remove(at) {
                    object.push(name.to_owned(), text);
                }
            }
            None => object.push(name.to_owned(), value.to_owned()),
        }
    }
    for (stamp, text) in texts {
        if let Some(text) = text {
            object.push(stamp.field, text);
        }
    }
    object.to_text()
}

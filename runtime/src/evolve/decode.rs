//! JSON to a typed record. If nothing is missing, in one pass over the text; if only
//! constants are missing, in the same pass; if a computed default is, in a second one.

use super::explain::{Invalid, explain};
use super::fill::Defaults;
use super::stable::refuse_unstable;
use super::track::{Tracked, track};
use crate::row::{Record, encode_record};
use crate::schema::descriptor::FieldDef;

/// The plan by which a record is decoded, known at compile time.
struct Plan<R>(std::marker::PhantomData<R>);

impl<R: Record> Plan<R> {
    /// Whether serde alone would read something else than we promise.
    const TRACKED: bool = {
        let mut tracked = false;
        let mut i = 0;
        while i < R::FIELDS.len() {
            tracked |= is_tracked(&R::FIELDS[i]);
            i += 1;
        }
        tracked
    };

    /// Whether the fields fit the bits that record which were seen.
    const FITS: bool = R::FIELDS.len() <= u128::BITS as usize;
}

const fn is_tracked(field: &FieldDef) -> bool {
    field.default.is_evolve() || field.nullable
}

/// The record stored as `json`, its missing fields filled with their defaults.
#[inline]
pub(crate) fn decode<R: Record>(json: &[u8]) -> Result<R, Invalid> {
    match std::str::from_utf8(json) {
        Ok(text) => decode_text(text),
        Err(error) => Err(Invalid::whole(&String::from_utf8_lossy(json), error)),
    }
}

/// [`decode`], from text.
#[inline]
pub(crate) fn decode_text<R: Record>(json: &str) -> Result<R, Invalid> {
    let record = decode_once(json)?;
    if cfg!(debug_assertions)
        && let Ok(first) = encode_record(&record)
    {
        let again = || encode_record(&decode_once::<R>(json).ok()?).ok();
        refuse_unstable(json, R::FIELDS, &first, &again)?;
    }
    Ok(record)
}

#[inline]
fn decode_once<R: Record>(json: &str) -> Result<R, Invalid> {
    if !Plan::<R>::TRACKED {
        return serde_json::from_str(json).map_err(|error| invalid::<R>(json, json, &error));
    }
    if Plan::<R>::FITS {
        match track(json) {
            Tracked::Done(record) => return Ok(record),
            Tracked::Failed(error) => return Err(invalid::<R>(json, json, &error)),
            Tracked::NeedsComputing => {}
        }
    }
    let filled = Defaults::of::<R>().fill(json)?;
    match track(&filled) {
        Tracked::Done(record) => Ok(record),
        Tracked::Failed(error) => Err(invalid::<R>(json, &filled, &error)),
        // More fields than the bits can record: everything is filled in, so serde's reading is ours.
        Tracked::NeedsComputing => {
            serde_json::from_str(&filled).map_err(|error| invalid::<R>(json, &filled, &error))
        }
    }
}

/// Why a stored text does not decode, of which `filled` was read.
#[cold]
fn invalid<R: Record>(stored: &str, filled: &str, error: &serde_json::Error) -> Invalid {
    let mut text = serde_json::Deserializer::from_str(filled);
    let traced = serde_path_to_error::deserialize::<_, R>(&mut text).err();
    explain(R::FIELDS, stored, error, traced)
}

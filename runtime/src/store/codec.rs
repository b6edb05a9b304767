//! How the value of an entry is written and read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::evolve::decode_present;
use crate::row::{DefaultError, encode_value, is_none};
use crate::schema::descriptor::FieldDef;

/// The functions of an entry's type.
pub(super) struct Codec<T> {
    pub(super) encode: fn(&T) -> Result<String, DefaultError>,
    pub(super) decode: fn(&str) -> Result<T, DefaultError>,
    /// What an entry without a default reads as while it is not set.
    pub(super) absent: fn() -> Result<T, DefaultError>,
    /// Whether setting this value means to have none.
    pub(super) is_absent: fn(&T) -> bool,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

impl<T> Codec<T> {
    /// For a field that its type alone says how to write.
    pub(super) fn of_serde(field: &FieldDef) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self {
            encode: |value| encode_value(value).map_err(DefaultError::new),
            decode: if field.nullable { from_present } else { from_json },
            absent: || from_json("null"),
            is_absent: if field.nullable {
                |value| is_none(value).unwrap_or(false)
            } else {
                |_| false
            },
        }
    }

    /// For a field with functions of its own.
    pub(super) fn of_functions(
        encode: fn(&T) -> Result<String, DefaultError>,
        decode: fn(&str) -> Result<T, DefaultError>,
    ) -> Self {
        let absent = || Err(DefaultError::new("it has no default"));
        Self { encode, decode, absent, is_absent: |_| false }
    }
}

fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, DefaultError> {
    serde_json::from_str(json).map_err(DefaultError::new)
}

fn from_present<T: DeserializeOwned>(json: &str) -> Result<T, DefaultError> {
    decode_present(json).map_err(DefaultError::new)
}

//! How the value of an entry is written and read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::ser::Error as _;

use crate::evolve::{Form, Invalid, decode_present};
use crate::row::{DefaultError, EncodeError, Encoded, Group, encode_any, is_none};
use crate::schema::descriptor::FieldDef;

/// The functions of an entry's type.
pub(super) struct Codec<T> {
    pub(super) encode: fn(&T) -> Result<Encoded, DefaultError>,
    pub(super) decode: fn(&str) -> Result<T, DefaultError>,
    /// The value of an entry without a default while it is not set.
    pub(super) absent: fn() -> Result<T, DefaultError>,
    /// Whether setting this value means to have none.
    pub(super) is_absent: fn(&T) -> bool,
    /// Whether two values are equal, if the type has an equality.
    pub(super) is_same: fn(&T, &T) -> Option<bool>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

impl<T> Codec<T> {
    /// How values of a field of `G` are written and read back.
    pub(super) fn with_form<G: Group, O>(
        &self,
        field: &FieldDef,
        work: impl FnOnce(&Form<'_, T>) -> O,
    ) -> O {
        let known = G::shape().field(field.name);
        let encode = |value: &T, _| {
            let encoded = (self.encode)(value).map_err(EncodeError::custom)?;
            Ok(encoded.canonical(&known))
        };
        let decode = |json: &str| {
            let invalid = |error| Invalid::of_value(field.rust_type, json, error);
            (self.decode)(json).map_err(invalid)
        };
        work(&Form {
            encode: &encode,
            decode: &decode,
            is_same: &self.is_same,
            known: known.clone(),
            fields: &[],
        })
    }

    /// For a field that its type alone says how to write.
    pub(super) fn of_serde(field: &FieldDef, is_same: fn(&T, &T) -> Option<bool>) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self {
            encode: |value| encode_any(value).map_err(DefaultError::new),
            decode: if field.nullable { from_present } else { from_json },
            absent: || from_json("null"),
            is_absent: if field.nullable {
                |value| is_none(value).unwrap_or(false)
            } else {
                |_| false
            },
            is_same,
        }
    }

    /// For a field with functions of its own.
    pub(super) fn of_functions(
        encode: fn(&T) -> Result<Encoded, DefaultError>,
        decode: fn(&str) -> Result<T, DefaultError>,
        is_same: fn(&T, &T) -> Option<bool>,
    ) -> Self {
        let absent = || Err(DefaultError::new("it has no default"));
        Self { encode, decode, absent, is_absent: |_| false, is_same }
    }
}

fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, DefaultError> {
    serde_json::from_str(json).map_err(DefaultError::new)
}

fn from_present<T: DeserializeOwned>(json: &str) -> Result<T, DefaultError> {
    decode_present(json).map_err(DefaultError::new)
}

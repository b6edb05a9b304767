//! [`Above`]: the fields that the default of a missing field may read, which are those above it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::Serialize;

use super::Known;

/// The fields above a missing one, as stored or already filled in, by stored name.
///
/// Generated code reads them through [`get`](Self::get) and answers through
/// [`json`](Self::json) or [`computed`](Self::computed).
pub struct Above<'a> {
    /// The JSON text of the field of a stored name; nothing if it is absent.
    read: &'a dyn Fn(&str) -> Result<Option<String>, DefaultError>,
    /// The facts about the field that is missing.
    known: Known<'static>,
}

/// Why a default could not be computed.
#[derive(Debug)]
pub struct DefaultError {
    message: String,
}

impl DefaultError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string() }
    }
}

impl fmt::Display for DefaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DefaultError {}

impl<'a> Above<'a> {
    /// For a field of which this is known.
    pub(crate) fn new(
        known: Known<'static>,
        read: &'a dyn Fn(&str) -> Result<Option<String>, DefaultError>,
    ) -> Self {
        Self { read, known }
    }

    /// The value of the field of this stored name.
    ///
    /// # Errors
    ///
    /// If the field is missing without a default, or does not decode.
    pub fn get<T: DeserializeOwned>(&self, stored_name: &str) -> Result<T, DefaultError> {
        // An absent `Option` reads as `None`, which is what `null` decodes to.
        let json = (self.read)(stored_name)?;
        serde_json::from_str(json.as_deref().unwrap_or("null")).map_err(|error| {
            DefaultError::new(format_args!("the field `{stored_name}` above it: {error}"))
        })
    }

    /// The value of an `Option<Option<_>>` field, of which absent and `null` differ.
    ///
    /// # Errors
    ///
    /// If the field does not decode.
    pub fn nullable<T: DeserializeOwned>(
        &self,
        stored_name: &str,
    ) -> Result<Option<T>, DefaultError> {
        match (self.read)(stored_name)? {
            Some(_) => self.get(stored_name).map(Some),
            None => Ok(None),
        }
    }

    /// The JSON text of a default, in canonical form.
    ///
    /// # Errors
    ///
    /// If the value does not serialize.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, DefaultError> {
        let encoded = super::encode_any(value).map(|value| value.canonical(&self.known));
        encoded.map(|encoded| encoded.json).map_err(DefaultError::new)
    }

    /// The JSON text of a computed default.
    ///
    /// With `twice` (generated code passes `cfg!(debug_assertions)`) it is computed a second time
    /// and must come out the same: a default that reads a clock or a random number would give
    /// every device, and every read, another value.
    ///
    /// # Errors
    ///
    /// If a field above does not decode, the value does not serialize, or the two differ.
    pub fn computed(
        &self,
        twice: bool,
        compute: impl Fn() -> Result<String, DefaultError>,
    ) -> Result<String, DefaultError> {
        let value = compute()?;
        if twice {
            let again = compute()?;
            // As values, since maps come in any order.
            let parsed = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
            if value != again && parsed(&value) != parsed(&again) {
                return Err(DefaultError::new(format_args!(
                    "its computed default is not pure: it gave {value}, then {again}; a default \
                     may depend on nothing but the fields above"
                )));
            }
        }
        Ok(value)
    }

    /// The answer for a field that has no default.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn none(&self) -> Result<String, DefaultError> {
        Err(DefaultError::new("it has no default"))
    }
}

impl fmt::Debug for Above<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Above")
    }
}

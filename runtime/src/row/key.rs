//! Keys: a text form for the document, an order-preserving byte form for the file.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;

use uuid::Uuid;

use super::{Id, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::descriptor::KeyKind;

/// The key of a row: [`Id`], [`Ref`](crate::Ref), `String`, an integer, [`uuid::Uuid`], a newtype around
/// one of them that derives [`Key`](macro@crate::Key), or a tuple of two to four of these.
///
/// Rows come in the order of their keys: numbers by value, text by its UTF-8 bytes, ids by time, and
/// tuples by their first part, then by the next.
///
/// ```
/// use heirloom::{Key, Store, Table};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
/// #[serde(transparent)]
/// struct Isbn(String);
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// struct Book {
///     #[key]
///     isbn: Isbn,
///     title: String,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "keys are `Id<T>`, `String`, integers up to 64 bits, `uuid::Uuid`, and newtypes around \
            one of them that derive `Key`: `#[derive(heirloom::Key)]`"
)]
pub trait Key: Clone + Eq + Hash + Send + Sync + 'static {
    /// How each part of the key is written: one, or as many as a tuple has.
    #[doc(hidden)]
    const KINDS: &'static [KeyKind];

    /// Returns the key's text form, by which the document names the entry.
    fn to_text(&self) -> String;

    /// Parses the text form of a key. Accepts only the canonical form.
    ///
    /// # Errors
    ///
    /// [`WrongId`](crate::ErrorKind::WrongId), with what was expected.
    fn from_text(text: &str) -> Result<Self>;

    /// The key as bytes that sort as the keys do.
    #[doc(hidden)]
    fn to_bytes(&self) -> KeyBytes<'_>;

    /// The key of those bytes.
    #[doc(hidden)]
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A key that is not a tuple: that of one field.
///
/// Implemented by all keys but tuples; do not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "keys are `Id<T>`, `String`, integers up to 64 bits, `uuid::Uuid`, and newtypes around \
            one of them that derive `Key`: `#[derive(heirloom::Key)]`",
    note = "for a key of several fields, name them: `#[table(key(first, second))]`"
)]
pub trait KeyField: Key {
    /// How it is written.
    #[doc(hidden)]
    const KIND: KeyKind;
}

/// The kind of the key inside of a newtype.
///
/// # Panics
///
/// At compile time, if that is a tuple.
#[doc(hidden)]
pub const fn kind_of(kinds: &'static [KeyKind]) -> KeyKind {
    match kinds {
        [KeyKind::Id(Cow::Borrowed(prefix))] => KeyKind::Id(Cow::Borrowed(prefix)),
        [KeyKind::Text] => KeyKind::Text,
        [KeyKind::Unsigned] => KeyKind::Unsigned,
        [KeyKind::Signed] => KeyKind::Signed,
        [KeyKind::Uuid] => KeyKind::Uuid,
        _ => panic!("a key of several fields cannot be inside of another key; name its fields"),
    }
}

/// The byte form of a key: borrowed, on the stack, or, of a tuple, made for it.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub enum KeyBytes<'a> {
    /// Text, as it is.
    Text(&'a str),
    /// Eight bytes of an integer.
    Int([u8; 8]),
    /// Sixteen bytes of a UUID.
    Uuid([u8; 16]),
    /// The sort keys of several parts.
    Several(Vec<u8>),
}

impl KeyBytes<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Int(bytes) => bytes,
            Self::Uuid(bytes) => bytes,
            Self::Several(bytes) => bytes,
        }
    }
}

/// The error for a text that is not a key.
pub(super) fn no_key(expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::WrongId, "this is not a key of the table")
        .expecting(expected)
        .finding(format!("`{}`", found.chars().take(100).collect::<String>()))
}

impl<T: Row> KeyField for Id<T> {
    const KIND: KeyKind = KeyKind::Id(Cow::Borrowed(T::TABLE));
}

impl<T: Row> Key for Id<T> {
    const KINDS: &'static [KeyKind] = &[Self::KIND];

    fn to_text(&self) -> String {
        Id::to_text(*self)
    }

    fn from_text(text: &str) -> Result<Self> {
        text.parse()
    }

    fn to_bytes(&self) -> KeyBytes<'_> {
        KeyBytes::Uuid(self.uuid().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self::from_uuid)
    }
}

impl KeyField for String {
    const KIND: KeyKind = KeyKind::Text;
}

impl Key for String {
    const KINDS: &'static [KeyKind] = &[Self::KIND];

    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Result<Self> {
        Ok(text.to_owned())
    }

    fn to_bytes(&self) -> KeyBytes<'_> {
        KeyBytes::Text(self)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

impl KeyField for Uuid {
    const KIND: KeyKind = KeyKind::Uuid;
}

impl Key for Uuid {
    const KINDS: &'static [KeyKind] = &[Self::KIND];

    fn to_text(&self) -> String {
        self.hyphenated().to_string()
    }

    fn from_text(text: &str) -> Result<Self> {
        one_spelling(text, "a hyphenated, lower-case UUID")
    }

    fn to_bytes(&self) -> KeyBytes<'_> {
        KeyBytes::Uuid(self.into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

macro_rules! integer_keys {
    ($($unsigned:ty)*; $($signed:ty)*) => {
        $(impl KeyField for $unsigned {
            const KIND: KeyKind = KeyKind::Unsigned;
        }

        impl Key for $unsigned {
            const KINDS: &'static [KeyKind] = &[Self::KIND];

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn from_text(text: &str) -> Result<Self> {
                one_spelling(text, concat!("a number of type ", stringify!($unsigned)))
            }

            fn to_bytes(&self) -> KeyBytes<'_> {
                KeyBytes::Int((*self as u64).to_be_bytes())
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                u64::from_be_bytes(bytes.try_into().ok()?).try_into().ok()
            }
        })*
        $(impl KeyField for $signed {
            const KIND: KeyKind = KeyKind::Signed;
        }

        impl Key for $signed {
            const KINDS: &'static [KeyKind] = &[Self::KIND];

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn from_text(text: &str) -> Result<Self> {
                one_spelling(text, concat!("a number of type ", stringify!($signed)))
            }

            fn to_bytes(&self) -> KeyBytes<'_> {
                // Two's complement sorts as unsigned once the sign bit is flipped.
                KeyBytes::Int(((*self as i64) ^ i64::MIN).to_be_bytes())
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let flipped = i64::from_be_bytes(bytes.try_into().ok()?);
                (flipped ^ i64::MIN).try_into().ok()
            }
        })*
    };
}

integer_keys!(u8 u16 u32 u64 usize; i8 i16 i32 i64 isize);

/// Parses `text` and refuses a second spelling such as `007`: two entries of the document would be
/// one row.
fn one_spelling<K: std::str::FromStr + fmt::Display>(text: &str, expected: &str) -> Result<K> {
    text.parse::<K>()
        .ok()
        .filter(|key| key.to_string() == text)
        .ok_or_else(|| no_key(expected, text))
}

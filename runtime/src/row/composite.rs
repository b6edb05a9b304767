//! Keys of several fields: tuples of keys.
//!
//! As text, such a key is a JSON array, as `JSON.stringify` writes it: texts, ids and UUIDs as strings,
//! integers as numbers. As bytes, it is what an index over these fields would have: the sort keys of the
//! parts, one after another, each of which says where it ends.

use serde_json::Value;

use super::key::no_key;
use super::order::{encode_key_bytes, split_keys};
use super::{Key, KeyBytes, KeyField};
use crate::error::Result;
use crate::schema::descriptor::KeyKind;

/// Returns the text of a key that has these parts.
pub(super) fn join_texts<'t>(parts: impl Iterator<Item = (&'t KeyKind, String)>) -> String {
    let mut text = String::from("[");
    for (kind, part) in parts {
        if text.len() > 1 {
            text.push(',');
        }
        match kind {
            KeyKind::Unsigned | KeyKind::Signed => text.push_str(&part),
            KeyKind::Id(_) | KeyKind::Text | KeyKind::Uuid => {
                text.push_str(&Value::String(part).to_string());
            }
        }
    }
    text.push(']');
    text
}

/// Returns the texts of a key's parts; `None` if there are not so many. Text of another spelling passes,
/// which is seen when the parts are joined again.
pub(super) fn split_text(text: &str, count: usize) -> Option<Vec<String>> {
    let parts: Vec<Value> = serde_json::from_str(text).ok()?;
    let texts = parts.into_iter().map(|part| match part {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    texts.collect::<Option<Vec<_>>>().filter(|parts| parts.len() == count)
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)*;)*) => {
        $(
        impl<$($name: KeyField),*> Key for ($($name,)*) {
            const KINDS: &'static [KeyKind] = &[$($name::KIND),*];

            fn to_text(&self) -> String {
                #[expect(non_snake_case, reason = "each part is named like its type")]
                let ($($name,)*) = self;
                join_texts([$((&$name::KIND, $name.to_text())),*].into_iter())
            }

            fn from_text(text: &str) -> Result<Self> {
                let refused =
                    || no_key(concat!("a compact JSON array of the ", $count, " parts of the key"), text);
                let mut parts = split_text(text, $count).ok_or_else(refused)?.into_iter();
                let key = ($($name::from_text(&parts.next().unwrap_or_default())?,)*);
                // Two entries of the document would be one row.
                if key.to_text() == text { Ok(key) } else { Err(refused()) }
            }

            fn to_bytes(&self) -> KeyBytes<'_> {
                #[expect(non_snake_case, reason = "each part is named like its type")]
                let ($($name,)*) = self;
                let mut bytes = Vec::new();
                $(encode_key_bytes($name::KINDS, $name.to_bytes().as_slice(), &mut bytes);)*
                KeyBytes::Several(bytes)
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let mut parts = split_keys(Self::KINDS, bytes)?.into_iter();
                Some(($($name::from_bytes(&parts.next()?)?,)*))
            }
        }
        )*
    };
}

tuples! {
    2: A B;
    3: A B C;
    4: A B C D;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_key_stay_as_they_are() {
        let key = ("a\0\"\u{1}é".to_owned(), -5_i32, 300_u64);
        assert_eq!(key.to_text(), "[\"a\\u0000\\\"\\u0001é\",-5,300]");
        let bytes = b"\x50a\x00\xFF\"\x01\xC3\xA9\x00\x01\x2F\xFA\x32\x01\x2C";
        assert_eq!(key.to_bytes().as_slice(), bytes);
        assert_eq!(Key::from_bytes(bytes), Some(key));
        for cut in 0..bytes.len() {
            assert_eq!(<(String, i32, u64)>::from_bytes(&bytes[..cut]), None);
        }
        assert_eq!(<(String, i8, u8)>::from_bytes(bytes), None);
    }
}

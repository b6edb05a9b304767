//! Any serializable value as bytes that sort as the values do.
//!
//! What is compared is what serde writes: a number, a text, a date as its ISO text, a unit variant
//! as its stored name. Each kind of value starts with a byte of its own and ends where it says
//! itself, so that encodings follow one another in a compound index.
//!
//! | bytes | value |
//! |---|---|
//! | `00` | one that does not serialize |
//! | `01` | `None` |
//! | `02`, value | `Some` |
//! | `08`, `09` | `false`, `true` |
//! | `30` ± length, big-endian | integers, as short as they can be |
//! | `48`, 8 bytes | floats, the sign bit flipped, all bits of a negative one |
//! | `50`, text, `00 01` | text, a NUL inside as `00 FF` |
//! | `51`, bytes, `00 01` | bytes |
//! | `60`, values, `00` | sequences |
//! | `61`, pairs, `00` | maps and structs |

use std::fmt;

use serde::ser::{self, Serialize};

const UNENCODABLE: u8 = 0x00;
pub(crate) const NONE: u8 = 0x01;
pub(crate) const SOME: u8 = 0x02;
const FALSE: u8 = 0x08;
const TRUE: u8 = 0x09;
const ZERO: u8 = 0x30;
const FLOAT: u8 = 0x48;
pub(crate) const TEXT: u8 = 0x50;
const BYTES: u8 = 0x51;
const SEQUENCE: u8 = 0x60;
const MAP: u8 = 0x61;
const END: u8 = 0x00;
/// Ends a text; a NUL inside one is followed by a greater byte.
const TEXT_END: [u8; 2] = [0x00, 0x01];
const ESCAPED_NUL: [u8; 2] = [0x00, 0xFF];

/// Why a value has no place in the order: it is a NaN, or does not serialize.
#[derive(Debug)]
pub(crate) struct NoOrder;

impl fmt::Display for NoOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value has no place in an order")
    }
}

impl std::error::Error for NoOrder {}

impl ser::Error for NoOrder {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Adds a value to `bytes`; after an error it holds a part of it.
pub(crate) fn encode<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), NoOrder> {
    value.serialize(Encoder { bytes })
}

/// Adds a stored value to `bytes`, whatever it is.
pub(crate) fn encode_stored<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    let start = bytes.len();
    if encode(bytes, value).is_err() {
        bytes.truncate(start);
        bytes.push(UNENCODABLE);
    }
}

/// Adds bytes, so that those which start others come before them.
pub(crate) fn encode_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    Encoder { bytes }.text(BYTES, value);
}

/// The integer that `bytes` are the encoding of.
pub(crate) fn integer_of(bytes: &[u8]) -> Option<i128> {
    let (tag, digits) = bytes.split_first()?;
    let mut magnitude: u128 = 0;
    let is_negative = *tag < ZERO;
    if digits.len() != usize::from(tag.abs_diff(ZERO)) || digits.len() > 16 {
        return None;
    }
    for digit in digits {
        let digit = if is_negative { !*digit } else { *digit };
        magnitude = magnitude << 8 | u128::from(digit);
    }
    let value = i128::try_from(magnitude).ok()?;
    Some(if is_negative { -value } else { value })
}

/// What every text that starts with `prefix` starts with.
pub(crate) fn text_prefix(prefix: &str) -> Vec<u8> {
    let mut bytes = vec![TEXT];
    escape(&mut bytes, prefix.as_bytes());
    bytes
}

/// The text that `bytes` are the encoding of.
pub(crate) fn text_of(bytes: &[u8]) -> Option<String> {
    let body = bytes.strip_prefix(&[TEXT])?.strip_suffix(&TEXT_END)?;
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body.iter();
    while let Some(byte) = rest.next() {
        text.push(*byte);
        if *byte == 0 {
            rest.next();
        }
    }
    String::from_utf8(text).ok()
}

fn escape(bytes: &mut Vec<u8>, text: &[u8]) {
    for part in text.split_inclusive(|byte| *byte == 0) {
        match part.split_last() {
            Some((0, before)) => {
                bytes.extend_from_slice(before);
                bytes.extend_from_slice(&ESCAPED_NUL);
            }
            _ => bytes.extend_from_slice(part),
        }
    }
}

struct Encoder<'b> {
    bytes: &'b mut Vec<u8>,
}

impl Encoder<'_> {
    fn magnitude(self, is_negative: bool, magnitude: u128) {
        let all = magnitude.to_be_bytes();
        let skipped = magnitude.leading_zeros() as usize / 8;
        let digits = all.get(skipped..).unwrap_or_default();
        // At most sixteen.
        let len = digits.len() as u8;
        if is_negative {
            self.bytes.push(ZERO - len);
            self.bytes.extend(digits.iter().map(|digit| !digit));
        } else {
            self.bytes.push(ZERO + len);
            self.bytes.extend_from_slice(digits);
        }
    }

    fn text(&mut self, tag: u8, text: &[u8]) {
        self.bytes.push(tag);
        escape(self.bytes, text);
        self.bytes.extend_from_slice(&TEXT_END);
    }
}

macro_rules! integers {
    ($($method:ident($type:ty) as $signed:expr;)*) => {
        $(fn $method(self, value: $type) -> Result<(), NoOrder> {
            let (is_negative, magnitude) = $signed(value);
            self.magnitude(is_negative, magnitude);
            Ok(())
        })*
    };
}

fn signed(value: impl Into<i128>) -> (bool, u128) {
    let value = value.into();
    (value < 0, value.unsigned_abs())
}

fn unsigned(value: impl Into<u128>) -> (bool, u128) {
    (false, value.into())
}

impl<'b> ser::Serializer for Encoder<'b> {
    type Ok = ();
    type Error = NoOrder;
    type SerializeSeq = Sequence<'b>;
    type SerializeTuple = Sequence<'b>;
    type SerializeTupleStruct = Sequence<'b>;
    type SerializeTupleVariant = Sequence<'b>;
    type SerializeMap = Map<'b>;
    type SerializeStruct = Sequence<'b>;
    type SerializeStructVariant = Sequence<'b>;

    integers! {
        serialize_i8(i8) as signed;
        serialize_i16(i16) as signed;
        serialize_i32(i32) as signed;
        serialize_i64(i64) as signed;
        serialize_i128(i128) as signed;
        serialize_u8(u8) as unsigned;
        serialize_u16(u16) as unsigned;
        serialize_u32(u32) as unsigned;
        serialize_u64(u64) as unsigned;
        serialize_u128(u128) as unsigned;
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoOrder> {
        self.bytes.push(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoOrder> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NoOrder> {
        if value.is_nan() {
            return Err(NoOrder);
        }
        // The two zeros are equal.
        let bits = (value + 0.0).to_bits();
        let sorted = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
        self.bytes.push(FLOAT);
        self.bytes.extend_from_slice(&sorted.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NoOrder> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, value: &str) -> Result<(), NoOrder> {
        self.text(TEXT, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), NoOrder> {
        self.text(BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), NoOrder> {
        self.bytes.push(NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoOrder> {
        self.bytes.push(SOME);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoOrder> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoOrder> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NoOrder> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoOrder> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoOrder> {
        self.bytes.push(MAP);
        self.text(TEXT, variant.as_bytes());
        value.serialize(Encoder { bytes: self.bytes })?;
        self.bytes.push(END);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Sequence<'b>, NoOrder> {
        self.bytes.push(SEQUENCE);
        Ok(Sequence { bytes: self.bytes, ends: 1 })
    }

    fn serialize_tuple(self, _: usize) -> Result<Sequence<'b>, NoOrder> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Sequence<'b>, NoOrder> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Sequence<'b>, NoOrder> {
        self.bytes.push(MAP);
        self.text(TEXT, variant.as_bytes());
        self.bytes.push(SEQUENCE);
        Ok(Sequence { bytes: self.bytes, ends: 2 })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'b>, NoOrder> {
        self.bytes.push(MAP);
        Ok(Map { bytes: self.bytes, pairs: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Sequence<'b>, NoOrder> {
        self.bytes.push(MAP);
        Ok(Sequence { bytes: self.bytes, ends: 1 })
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Sequence<'b>, NoOrder> {
        self.bytes.push(MAP);
        self.text(TEXT, variant.as_bytes());
        self.bytes.push(MAP);
        Ok(Sequence { bytes: self.bytes, ends: 2 })
    }
}

/// Values one after another.
struct Sequence<'b> {
    bytes: &'b mut Vec<u8>,
    ends: usize,
}

impl Sequence<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
        value.serialize(Encoder { bytes: self.bytes })
    }

    fn close(self) {
        self.bytes.extend(std::iter::repeat_n(END, self.ends));
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident;)*) => {
        $(impl ser::$trait for Sequence<'_> {
            type Ok = ();
            type Error = NoOrder;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
                self.add(value)
            }

            fn end(self) -> Result<(), NoOrder> {
                self.close();
                Ok(())
            }
        })*
    };
}

sequences! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! structs {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Sequence<'_> {
            type Ok = ();
            type Error = NoOrder;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), NoOrder> {
                self.add(name)?;
                self.add(value)
            }

            fn end(self) -> Result<(), NoOrder> {
                self.close();
                Ok(())
            }
        })*
    };
}

structs!(SerializeStruct SerializeStructVariant);

/// Pairs of a map, which come in any order.
struct Map<'b> {
    bytes: &'b mut Vec<u8>,
    pairs: Vec<Vec<u8>>,
}

impl ser::SerializeMap for Map<'_> {
    type Ok = ();
    type Error = NoOrder;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoOrder> {
        let mut pair = Vec::new();
        encode(&mut pair, key)?;
        self.pairs.push(pair);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
        self.pairs.last_mut().map_or(Err(NoOrder), |pair| encode(pair, value))
    }

    fn end(mut self) -> Result<(), NoOrder> {
        self.pairs.sort();
        for pair in &self.pairs {
            self.bytes.extend_from_slice(pair);
        }
        self.bytes.push(END);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde::Serialize;

    use super::{encode, text_of, text_prefix};

    fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes, value).unwrap();
        bytes
    }

    /// Two values compare as their bytes do, and neither encoding is the start of another.
    #[track_caller]
    fn agree<T: Serialize + PartialOrd + Debug>(a: &T, b: &T) {
        let (left, right) = (bytes(a), bytes(b));
        assert_eq!(a.partial_cmp(b), Some(left.cmp(&right)), "{a:?} and {b:?}");
        let starts = left.starts_with(&right) || right.starts_with(&left);
        assert_eq!(starts, a.partial_cmp(b) == Some(Ordering::Equal), "{a:?} and {b:?}");
    }

    type Mixed = (Option<String>, i64, Vec<Option<u8>>, bool, Option<Option<f64>>);

    fn mixed() -> impl Strategy<Value = Mixed> {
        let text = prop_oneof![any::<String>(), "[\u{0}a\u{1}\u{10ffff}]{0,3}"];
        let numbers = prop_oneof![any::<i64>(), -300..300i64];
        let float = prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::INFINITY)];
        let float = float.prop_filter("a NaN has no order", |float| !float.is_nan());
        let list = prop::collection::vec(prop::option::of(0..3u8), 0..3);
        let float = prop::option::of(prop::option::of(float));
        (prop::option::of(text), numbers, list, any::<bool>(), float)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn bytes_sort_as_values_do(a in mixed(), b in mixed()) {
            agree(&a, &b);
            agree(&a.0, &b.0);
            agree(&a.1, &b.1);
            agree(&a.2, &b.2);
            agree(&a.3, &b.3);
            agree(&a.4, &b.4);
        }

        #[test]
        fn integers_of_all_widths_sort(a in any::<i128>(), b in any::<i128>(), c in any::<u64>()) {
            agree(&a, &b);
            agree(&(a >> 64), &(b >> 100));
            agree(&c, &(c >> 13));
            agree(&(c as u8), &(a as u8));
            agree(&(c as i16), &(a as i16));
            agree(&(c as f32), &(a as f32));
        }

        #[test]
        fn texts_sort_and_come_back(a in any::<String>(), b in "[\u{0}\u{1}ab\u{ff}]{0,4}") {
            agree(&a, &b);
            let both = format!("{b}{a}");
            prop_assert!(bytes(&both).starts_with(&text_prefix(&b)));
            prop_assert_eq!(bytes(&a).starts_with(&text_prefix(&b)), a.starts_with(&b));
            prop_assert_eq!(text_of(&bytes(&both)), Some(both));
        }

        #[test]
        fn ids_and_uuids_sort(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
            agree(&uuid::Uuid::from_bytes(a), &uuid::Uuid::from_bytes(b));
        }
    }

    #[test]
    fn enums_sort_by_stored_name() {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Status {
            Pending,
            Done,
        }
        assert_eq!(bytes(&Status::Done), bytes("done"));
        assert!(bytes(&Status::Done) < bytes(&Status::Pending));
    }

    #[test]
    fn maps_are_equal_in_any_order() {
        let map = std::collections::BTreeMap::from([("a", 1), ("b", 2)]);
        let hashed: std::collections::HashMap<_, _> = map.clone().into_iter().collect();
        assert_eq!(bytes(&map), bytes(&hashed));
    }

    #[test]
    fn a_nan_has_no_place() {
        assert!(encode(&mut Vec::new(), &f64::NAN).is_err());
        assert!(encode(&mut Vec::new(), &Some([f32::NAN])).is_err());
    }
}

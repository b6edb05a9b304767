//! What serde writes, as those bytes.

use serde::ser::{self, Serialize};

use super::bytes::{
    BYTES, END, FALSE, FLOAT, MAP, NONE, NoOrder, SEQUENCE, SOME, TEXT, TEXT_END, TRUE, ZERO,
    encode, escape,
};

/// Writes the bytes of a value.
pub(super) struct Encoder<'b> {
    bytes: &'b mut Vec<u8>,
}

impl<'b> Encoder<'b> {
    pub(super) fn new(bytes: &'b mut Vec<u8>) -> Self {
        Self { bytes }
    }
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

    pub(super) fn text(&mut self, tag: u8, text: &[u8]) {
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
pub(super) struct Sequence<'b> {
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
pub(super) struct Map<'b> {
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

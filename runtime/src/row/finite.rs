//! Finds what JSON would swallow: serde_json writes NaN and infinities as `null`.

use std::fmt;

use serde::ser::{self, Serialize};

/// Walks a value without writing it and fails on a number that JSON cannot hold.
///
/// Its `Ok` tells whether the value is `None` at the top, which is how an `Option<Option<_>>` tells
/// absent from `null`.
pub(super) struct Finite;

/// Whether the value is a `None`.
pub(super) type IsNone = bool;

#[derive(Debug)]
pub(super) struct NotFinite(String);

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFinite {}

impl ser::Error for NotFinite {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn number(value: f64) -> Result<IsNone, NotFinite> {
    if value.is_finite() {
        Ok(false)
    } else {
        Err(NotFinite(format!("{value} is a number that JSON cannot hold")))
    }
}

macro_rules! plain {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, _: $type) -> Result<IsNone, NotFinite> {
            Ok(false)
        })*
    };
}

impl ser::Serializer for Finite {
    type Ok = IsNone;
    type Error = NotFinite;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plain! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_i128(i128) serialize_u128(u128) serialize_unit_struct(&'static str)
    }

    fn serialize_f32(self, value: f32) -> Result<IsNone, NotFinite> {
        number(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<IsNone, NotFinite> {
        number(value)
    }

    fn serialize_none(self) -> Result<IsNone, NotFinite> {
        Ok(true)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<IsNone, NotFinite> {
        value.serialize(self).map(|_| false)
    }

    fn serialize_unit(self) -> Result<IsNone, NotFinite> {
        Ok(false)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<IsNone, NotFinite> {
        Ok(false)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<IsNone, NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<IsNone, NotFinite> {
        value.serialize(self).map(|_| false)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }
}

macro_rules! compound {
    ($($trait:ident { $($method:ident($($name:ident: $type:ty),*))* })*) => {
        $(impl ser::$trait for Finite {
            type Ok = IsNone;
            type Error = NotFinite;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)*
                value: &T,
            ) -> Result<(), NotFinite> {
                $(let _ = $name;)*
                value.serialize(Finite).map(|_| ())
            })*

            fn end(self) -> Result<IsNone, NotFinite> {
                Ok(false)
            }
        })*
    };
}

compound! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(name: &'static str) }
    SerializeStructVariant { serialize_field(name: &'static str) }
}

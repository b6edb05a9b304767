//! Finds what JSON would swallow: it has `null` for `None`, for `()`, for `Some(())`, and serde_json
//! writes NaN and infinities as `null` as well.

use std::fmt;

use serde::ser::{self, Serialize};

/// Walks a value without writing it, notes what its nulls are, and fails on a number that JSON cannot
/// hold.
pub(super) struct Walk<'n> {
    /// The nulls inside the value that are not just a `None`.
    pub(super) nulls: &'n mut Vec<Null>,
}

/// The kind of a value that is written as `null`: 0 for `None`, 1 for `()`, and 2 more for each
/// `Some` around it.
pub(super) type Null = u8;

/// The null that a value is, if it is one.
pub(super) type IsNull = Option<Null>;

impl Walk<'_> {
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        let null = value.serialize(Walk { nulls: self.nulls })?;
        self.nulls.extend(null.filter(|&null| null != 0));
        Ok(())
    }
}

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

fn number(value: f64) -> Result<IsNull, NotFinite> {
    if value.is_finite() {
        Ok(None)
    } else {
        Err(NotFinite(format!("{value} is a number that JSON cannot hold")))
    }
}

macro_rules! plain {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, _: $type) -> Result<IsNull, NotFinite> {
            Ok(None)
        })*
    };
}

impl ser::Serializer for Walk<'_> {
    type Ok = IsNull;
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
        serialize_i128(i128) serialize_u128(u128)
    }

    fn serialize_f32(self, value: f32) -> Result<IsNull, NotFinite> {
        number(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<IsNull, NotFinite> {
        number(value)
    }

    fn serialize_none(self) -> Result<IsNull, NotFinite> {
        Ok(Some(0))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<IsNull, NotFinite> {
        Ok(value.serialize(self)?.map(|null| null.saturating_add(2)))
    }

    fn serialize_unit(self) -> Result<IsNull, NotFinite> {
        Ok(Some(1))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<IsNull, NotFinite> {
        Ok(Some(1))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<IsNull, NotFinite> {
        Ok(None)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<IsNull, NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<IsNull, NotFinite> {
        self.inside(value).map(|()| None)
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
        $(impl ser::$trait for Walk<'_> {
            type Ok = IsNull;
            type Error = NotFinite;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)*
                value: &T,
            ) -> Result<(), NotFinite> {
                $(let _ = $name;)*
                self.inside(value)
            })*

            fn end(self) -> Result<IsNull, NotFinite> {
                Ok(None)
            }
        })*
    };
}

compound! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeStruct { serialize_field(name: &'static str) }
    SerializeStructVariant { serialize_field(name: &'static str) }
}

impl ser::SerializeMap for Walk<'_> {
    type Ok = IsNull;
    type Error = NotFinite;

    /// Keys are text.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        self.inside(value)
    }

    fn end(self) -> Result<IsNull, NotFinite> {
        Ok(None)
    }
}

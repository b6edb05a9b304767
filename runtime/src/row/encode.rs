//! A typed value to JSON text, refusing what JSON would swallow.

use std::cell::Cell;
use std::fmt;
use std::io;

use serde::ser::{self, Impossible, Serialize};
use serde_json::ser::{CompactFormatter, Formatter};

use super::Record;
use super::finite::Finite;
use crate::schema::descriptor::FieldDef;

/// Why a value cannot be stored, and in which field.
#[derive(Debug)]
pub(crate) struct EncodeError {
    pub(crate) field: Option<&'static str>,
    pub(crate) message: String,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EncodeError {}

impl ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { field: None, message: message.to_string() }
    }
}

/// The JSON object of a record.
pub(crate) fn encode_record<R: Record>(record: &R) -> Result<String, EncodeError> {
    into_text(encode_fields(record, 256)?)
}

/// [`encode_record`] where this record, or one much like it, is known to take some bytes.
pub(crate) fn encode_record_sized<R: Record>(
    record: &R,
    bytes: usize,
) -> Result<String, EncodeError> {
    into_text(encode_fields(record, bytes + bytes / 4)?)
}

/// Whether this text is the JSON object of a record.
pub(crate) fn encodes_as<R: Record>(record: &R, json: &str) -> Result<bool, EncodeError> {
    Ok(encode_fields(record, json.len())? == json.as_bytes())
}

fn encode_fields<R: Record>(record: &R, capacity: usize) -> Result<Vec<u8>, EncodeError> {
    let json = Vec::with_capacity(capacity);
    record.serialize(Fields { json, defs: R::FIELDS })
}

/// The JSON text of any value.
pub(crate) fn encode_value<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    let mut json = Vec::with_capacity(32);
    write_value(&mut json, value)?;
    into_text(json)
}

/// Whether a value is `None`, which an `Option<Option<_>>` stores by being absent.
pub(crate) fn is_none<T: Serialize + ?Sized>(value: &T) -> Result<bool, EncodeError> {
    value.serialize(Finite).map_err(ser::Error::custom)
}

fn into_text(json: Vec<u8>) -> Result<String, EncodeError> {
    String::from_utf8(json).map_err(ser::Error::custom)
}

fn write_value<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) -> Result<(), EncodeError> {
    let nulls = Cell::new(false);
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *json, NullWatch { nulls: &nulls });
    value.serialize(&mut serializer).map_err(ser::Error::custom)?;
    // A null is a `None`, or a number that became one: only then is the second look worth it.
    if nulls.get() {
        is_none(value)?;
    }
    Ok(())
}

/// Notes whether a `null` was written.
struct NullWatch<'a> {
    nulls: &'a Cell<bool>,
}

impl Formatter for NullWatch<'_> {
    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.nulls.set(true);
        CompactFormatter.write_null(writer)
    }
}

/// Serializes a struct field by field, so that an error names its field and an outer `None` of an
/// `Option<Option<_>>` is left out.
struct Fields {
    json: Vec<u8>,
    defs: &'static [FieldDef],
}

impl ser::SerializeStruct for Fields {
    type Ok = Vec<u8>;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let in_field = |error: EncodeError| EncodeError { field: Some(name), ..error };
        let nullable = self.defs.iter().any(|def| def.nullable && def.name == name);
        if nullable && is_none(value).map_err(in_field)? {
            return Ok(());
        }
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.json, name).map_err(ser::Error::custom)?;
        self.json.push(b':');
        write_value(&mut self.json, value).map_err(in_field)
    }

    fn end(mut self) -> Result<Vec<u8>, EncodeError> {
        if self.json.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
        Ok(self.json)
    }
}

/// What a `Serialize` written by hand may call instead of `serialize_struct`.
fn no_struct() -> EncodeError {
    EncodeError {
        field: None,
        message: "it does not serialize as a struct with named fields; derive `Serialize`".into(),
    }
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok, EncodeError> {
            Err(no_struct())
        })*
    };
}

type Never = Impossible<Vec<u8>, EncodeError>;

impl ser::Serializer for Fields {
    type Ok = Vec<u8>;
    type Error = EncodeError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Self;
    type SerializeStructVariant = Never;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, EncodeError> {
        Ok(self)
    }

    refuse! {
        serialize_bool(bool) -> Vec<u8>;
        serialize_i8(i8) -> Vec<u8>;
        serialize_i16(i16) -> Vec<u8>;
        serialize_i32(i32) -> Vec<u8>;
        serialize_i64(i64) -> Vec<u8>;
        serialize_u8(u8) -> Vec<u8>;
        serialize_u16(u16) -> Vec<u8>;
        serialize_u32(u32) -> Vec<u8>;
        serialize_u64(u64) -> Vec<u8>;
        serialize_f32(f32) -> Vec<u8>;
        serialize_f64(f64) -> Vec<u8>;
        serialize_char(char) -> Vec<u8>;
        serialize_str(&str) -> Vec<u8>;
        serialize_bytes(&[u8]) -> Vec<u8>;
        serialize_none() -> Vec<u8>;
        serialize_unit() -> Vec<u8>;
        serialize_unit_struct(&'static str) -> Vec<u8>;
        serialize_unit_variant(&'static str, u32, &'static str) -> Vec<u8>;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Vec<u8>, EncodeError> {
        Err(no_struct())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Vec<u8>, EncodeError> {
        Err(no_struct())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Vec<u8>, EncodeError> {
        Err(no_struct())
    }
}

//! A typed value to JSON text, refusing what JSON would swallow.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io;

use serde::ser::{self, Impossible, Serialize};
use serde_json::ser::{CompactFormatter, Formatter};

use super::canonical::canonical;
use super::finite::{IsNull, Null, Walk};
use super::shape::{Known, Shape};
use super::{Object, Record};
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

/// A value as JSON text, with what JSON does not tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The JSON text.
    pub(crate) json: String,
    /// The nulls in it that are not just a `None`, with the names of the fields they are in.
    nulls: Vec<(&'static str, Null)>,
}

impl Encoded {
    fn new(json: Vec<u8>, mut nulls: Vec<(&'static str, Null)>) -> Result<Self> {
        nulls.sort_unstable();
        Ok(Self { json: String::from_utf8(json).map_err(ser::Error::custom)?, nulls })
    }

    /// The value in canonical form. One that is nested too deep stays as it is: reading it back says in which
    /// field.
    pub(crate) fn canonical(mut self, known: &Known<'_>) -> Self {
        if let Some(Cow::Owned(json)) = canonical(&self.json, known) {
            self.json = json;
        }
        self
    }

    /// Returns whether a field is the same in both.
    pub(crate) fn is_same_in(&self, field: &str, other: &Self) -> bool {
        let value = |of: &Self| {
            let object = Object::parse(&of.json)?;
            object.get(field).map(str::to_owned)
        };
        let nulls = |of: &Self| -> Vec<Null> {
            of.nulls.iter().filter(|(name, _)| *name == field).map(|(_, null)| *null).collect()
        };
        value(self) == value(other) && nulls(self) == nulls(other)
    }

    /// The field of a null that the other does not have.
    pub(crate) fn other_null(&self, other: &Self) -> Option<&'static str> {
        let has = |of: &Self, null: &_| of.nulls.iter().filter(|&is| is == null).count();
        let mut nulls = self.nulls.iter().chain(&other.nulls);
        nulls.find(|null| has(self, null) != has(other, null)).map(|(field, _)| *field)
    }
}

type Result<T, E = EncodeError> = std::result::Result<T, E>;

/// Room for most records.
pub(crate) const USUAL_BYTES: usize = 320;

/// Encodes a record as the JSON object that is stored.
pub(crate) fn encode<R: Record>(record: &R) -> Result<Encoded> {
    encode_sized(record, USUAL_BYTES)
}

/// [`encode`], with room for so many bytes, which are taken as they are if they are enough.
pub(crate) fn encode_sized<R: Record>(record: &R, bytes: usize) -> Result<Encoded> {
    let json = Vec::with_capacity(bytes);
    let fields = Fields { json, nulls: Vec::new(), defs: R::FIELDS };
    finish(record.serialize(fields), R::shape())
}

fn finish(written: Result<Written>, shape: &Shape) -> Result<Encoded> {
    let (json, nulls) = written?;
    Ok(Encoded::new(json, nulls)?.canonical(&shape.whole()))
}

/// The JSON object of a record, in canonical form.
pub(crate) fn encode_record<R: Record>(record: &R) -> Result<String> {
    encode(record).map(|encoded| encoded.json)
}

/// Encodes any value, as serde gives it.
pub(crate) fn encode_any<T: Serialize + ?Sized>(value: &T) -> Result<Encoded> {
    let (mut json, mut nulls) = (Vec::with_capacity(32), Vec::new());
    if let Some(null) = write_value(&mut json, value, &mut nulls)? {
        nulls.extend((null != 0).then_some(null));
    }
    Encoded::new(json, nulls.into_iter().map(|null| ("", null)).collect())
}

/// The JSON text of any value, as serde gives it.
pub(crate) fn encode_value<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    encode_any(value).map(|encoded| encoded.json)
}

/// Whether a value is `None`, which an `Option<Option<_>>` stores by being absent.
pub(crate) fn is_none<T: Serialize + ?Sized>(value: &T) -> Result<bool> {
    let null = value.serialize(Walk { nulls: &mut Vec::new() }).map_err(ser::Error::custom)?;
    Ok(null == Some(0))
}

/// Writes a value, notes the nulls in it, and tells whether it is one itself.
fn write_value<T: Serialize + ?Sized>(
    json: &mut Vec<u8>,
    value: &T,
    nulls: &mut Vec<Null>,
) -> Result<IsNull> {
    let has_nulls = Cell::new(false);
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *json, NullWatch { nulls: &has_nulls });
    value.serialize(&mut serializer).map_err(ser::Error::custom)?;
    // A null is a `None`, or a number that became one: only then is the second look worth it.
    if has_nulls.get() {
        return value.serialize(Walk { nulls }).map_err(ser::Error::custom);
    }
    Ok(None)
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

type Written = (Vec<u8>, Vec<(&'static str, Null)>);

/// Serializes a struct field by field, so that an error names its field and an outer `None` of an
/// `Option<Option<_>>` is left out.
struct Fields {
    json: Vec<u8>,
    nulls: Vec<(&'static str, Null)>,
    defs: &'static [FieldDef],
}

impl ser::SerializeStruct for Fields {
    type Ok = Written;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let in_field = |error: EncodeError| EncodeError { field: Some(name), ..error };
        let nullable = self.defs.iter().any(|def| def.nullable && def.name == name);
        if nullable && is_none(value).map_err(in_field)? {
            return Ok(());
        }
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.json, name).map_err(ser::Error::custom)?;
        self.json.push(b':');
        let mut nulls = Vec::new();
        let null = write_value(&mut self.json, value, &mut nulls).map_err(in_field)?;
        nulls.extend(null.filter(|&null| null != 0));
        self.nulls.extend(nulls.into_iter().map(|null| (name, null)));
        Ok(())
    }

    fn end(mut self) -> Result<Written> {
        if self.json.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
        Ok((self.json, self.nulls))
    }
}

/// The error of a `Serialize` written by hand that calls something else than `serialize_struct`.
fn no_struct() -> EncodeError {
    EncodeError {
        field: None,
        message: "it does not serialize as a struct with named fields; derive `Serialize`".into(),
    }
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok> {
            Err(no_struct())
        })*
    };
}

type Never = Impossible<Written, EncodeError>;

impl ser::Serializer for Fields {
    type Ok = Written;
    type Error = EncodeError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Self;
    type SerializeStructVariant = Never;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    refuse! {
        serialize_bool(bool) -> Written;
        serialize_i8(i8) -> Written;
        serialize_i16(i16) -> Written;
        serialize_i32(i32) -> Written;
        serialize_i64(i64) -> Written;
        serialize_u8(u8) -> Written;
        serialize_u16(u16) -> Written;
        serialize_u32(u32) -> Written;
        serialize_u64(u64) -> Written;
        serialize_f32(f32) -> Written;
        serialize_f64(f64) -> Written;
        serialize_char(char) -> Written;
        serialize_str(&str) -> Written;
        serialize_bytes(&[u8]) -> Written;
        serialize_none() -> Written;
        serialize_unit() -> Written;
        serialize_unit_struct(&'static str) -> Written;
        serialize_unit_variant(&'static str, u32, &'static str) -> Written;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Written> {
        Err(no_struct())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Written> {
        Err(no_struct())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Written> {
        Err(no_struct())
    }
}

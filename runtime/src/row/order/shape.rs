//! How a type compares that is not [`Comparable`](super::Comparable): by what serde writes.
//!
//! A type that derives `PartialOrd` compares field by field, and variants in the order of their
//! declaration; and whatever derives `Serialize` tells serde just that. Texts are the exception:
//! [`probe`](super::probe) refuses types that would compare by one.

use std::any::type_name;
use std::fmt;
use std::path::Path;

use serde::ser::{self, Serialize};

use super::bytes::{
    BYTES, END, FALSE, MAP, NONE, SEQUENCE, SOME, TEXT, TRUE, float, integer, text,
};
use super::sort_key::{self, NoOrder};

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

/// Adds a value to `bytes`; after an error they hold a part of it.
pub(crate) fn encode_shape<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), NoOrder> {
    let start = bytes.len();
    value.serialize(Encoder { bytes, is_path: is_path::<T> })?;
    // An empty struct ends somewhere, too.
    if bytes.len() == start {
        bytes.push(NONE);
    }
    Ok(())
}

/// Returns whether items come from a type that is equal in any order of them: a set of std's, of
/// hashbrown's or of indexmap's, or an iterator over one.
///
/// Sets hand themselves to [`collect_seq`](ser::Serializer::collect_seq), and so does a type around one
/// that writes nothing of its own.
fn is_set<I: ?Sized>() -> bool {
    const MODULES: [&str; 3] =
        ["std::collections::hash::set::", "hashbrown::set::", "indexmap::set::"];
    let name = type_name::<I>().trim_start_matches('&');
    MODULES.iter().any(|module| name.starts_with(module))
}

/// Returns whether values are equal if their components as paths are.
fn is_path<T: ?Sized>() -> bool {
    const WRAPPERS: [&str; 6] = [
        "&",
        "alloc::borrow::Cow<'_, ",
        "alloc::boxed::Box<",
        "alloc::rc::Rc<",
        "alloc::sync::Arc<",
        "core::cell::RefCell<",
    ];
    // A wrapper around the type writes nothing of its own.
    let mut name = type_name::<T>();
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = inner;
    }
    matches!(name.split('>').next(), Some("std::path::PathBuf" | "std::path::Path"))
}

/// Writes the bytes of a value.
struct Encoder<'b> {
    bytes: &'b mut Vec<u8>,
    /// Asked of texts alone.
    is_path: fn() -> bool,
}

macro_rules! integers {
    ($($method:ident($type:ty) as $signed:expr;)*) => {
        $(fn $method(self, value: $type) -> Result<(), NoOrder> {
            let (is_negative, magnitude) = $signed(value);
            integer(self.bytes, is_negative, magnitude);
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
    type SerializeSeq = Items<'b>;
    type SerializeTuple = Fields<'b>;
    type SerializeTupleStruct = Fields<'b>;
    type SerializeTupleVariant = Fields<'b>;
    type SerializeMap = Items<'b>;
    type SerializeStruct = Fields<'b>;
    type SerializeStructVariant = Fields<'b>;

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
        float(self.bytes, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NoOrder> {
        text(self.bytes, TEXT, value.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), NoOrder> {
        if (self.is_path)() {
            return sort_key::encode(Path::new(value), self.bytes);
        }
        text(self.bytes, TEXT, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NoOrder> {
        text(self.bytes, BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), NoOrder> {
        self.bytes.push(NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoOrder> {
        self.bytes.push(SOME);
        encode_shape(value, self.bytes)
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
        index: u32,
        _: &'static str,
    ) -> Result<(), NoOrder> {
        self.serialize_u32(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoOrder> {
        encode_shape(value, self.bytes)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoOrder> {
        integer(self.bytes, false, index.into());
        encode_shape(value, self.bytes)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'b>, NoOrder> {
        self.bytes.push(SEQUENCE);
        Ok(Items { bytes: self.bytes, unsorted: None })
    }

    fn collect_seq<I>(self, items: I) -> Result<(), NoOrder>
    where
        I: IntoIterator<Item: Serialize>,
    {
        let mut all = if is_set::<I>() {
            self.bytes.push(MAP);
            Items { bytes: self.bytes, unsorted: Some(Vec::new()) }
        } else {
            self.serialize_seq(None)?
        };
        items.into_iter().try_for_each(|item| all.add(&item))?;
        all.close();
        Ok(())
    }

    fn serialize_tuple(self, _: usize) -> Result<Fields<'b>, NoOrder> {
        Ok(Fields { bytes: self.bytes })
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Fields<'b>, NoOrder> {
        Ok(Fields { bytes: self.bytes })
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Fields<'b>, NoOrder> {
        integer(self.bytes, false, index.into());
        Ok(Fields { bytes: self.bytes })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'b>, NoOrder> {
        self.bytes.push(MAP);
        Ok(Items { bytes: self.bytes, unsorted: Some(Vec::new()) })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'b>, NoOrder> {
        Ok(Fields { bytes: self.bytes })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Fields<'b>, NoOrder> {
        integer(self.bytes, false, index.into());
        Ok(Fields { bytes: self.bytes })
    }
}

/// As many values as the type has.
struct Fields<'b> {
    bytes: &'b mut Vec<u8>,
}

macro_rules! fields {
    ($($trait:ident::$method:ident($($name:ident: $type:ty)?) $($skip:ident)?;)*) => {
        $(impl ser::$trait for Fields<'_> {
            type Ok = ();
            type Error = NoOrder;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)?
                value: &T,
            ) -> Result<(), NoOrder> {
                encode_shape(value, self.bytes)
            }

            $(fn $skip(&mut self, _: &'static str) -> Result<(), NoOrder> {
                self.bytes.push(NONE);
                Ok(())
            })?

            fn end(self) -> Result<(), NoOrder> {
                Ok(())
            }
        })*
    };
}

fields! {
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(_name: &'static str) skip_field;
    SerializeStructVariant::serialize_field(_name: &'static str) skip_field;
}

/// Any number of values, or pairs of them.
struct Items<'b> {
    bytes: &'b mut Vec<u8>,
    /// Those that come in any order.
    unsorted: Option<Vec<Vec<u8>>>,
}

impl Items<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
        match &mut self.unsorted {
            None => encode_shape(value, self.bytes),
            Some(items) => {
                let mut item = Vec::new();
                encode_shape(value, &mut item)?;
                items.push(item);
                Ok(())
            }
        }
    }

    fn close(self) {
        let mut items = self.unsorted.unwrap_or_default();
        items.sort_unstable();
        self.bytes.extend(items.into_iter().flatten());
        self.bytes.push(END);
    }
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = NoOrder;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
        self.add(value)
    }

    fn end(self) -> Result<(), NoOrder> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = NoOrder;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoOrder> {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoOrder> {
        let pair = self.unsorted.as_mut().and_then(|pairs| pairs.last_mut()).ok_or(NoOrder)?;
        encode_shape(value, pair)
    }

    fn end(self) -> Result<(), NoOrder> {
        self.close();
        Ok(())
    }
}

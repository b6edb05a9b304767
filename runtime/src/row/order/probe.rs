//! Refuses, in the compiler, to compare by text what is not one.
//!
//! A serializer that is never run. Building it for a type builds all that the type's `Serialize` may
//! call, and if that is a text, a constant panics. This is why such a mistake is an error of `cargo
//! build` and `cargo test`, and not of `cargo check`, which builds nothing.

use std::marker::PhantomData;

use serde::ser::{self, Serialize};

use super::sort_key::NoOrder;

/// The column that is to be compared, for the compiler's message.
#[doc(hidden)]
pub trait Compared {
    /// The whole message.
    const REFUSED: &'static str;
    /// Whether the type is written as a tuple or an array, maybe in an `Option`.
    const IS_TUPLE: bool;
}

/// Compares `T` for a column `C`.
///
/// `IS_TOP` if `T` is the type of the column itself; `HAS_ORDER` if that has an order, and not
/// equality alone.
pub(super) struct Probe<C, T: ?Sized, const IS_TOP: bool, const HAS_ORDER: bool>(
    PhantomData<C>,
    PhantomData<T>,
);

/// Fields and items of a value.
pub(super) struct Inside<C, const HAS_ORDER: bool>(PhantomData<C>);

/// Builds, and never runs, the serializer for a type.
pub(super) fn probe<C: Compared, T: Serialize, const HAS_ORDER: bool>() {
    let _: fn(&T, Probe<C, T, true, HAS_ORDER>) -> Result<(), NoOrder> = T::serialize;
}

impl<C: Compared, T: ?Sized, const IS_TOP: bool, const HAS_ORDER: bool>
    Probe<C, T, IS_TOP, HAS_ORDER>
{
    /// Text has an order of its own. Inside of a value that has none it is compared as text, if it may
    /// be a `String`: a type that owns no memory is not.
    const TEXT: () = {
        if HAS_ORDER || IS_TOP || !std::mem::needs_drop::<T>() {
            panic!("{}", C::REFUSED);
        }
    };
    /// A type that serde sees as a tuple may be anything, such as a time with its offset.
    const TUPLE: () = {
        if IS_TOP && !C::IS_TUPLE {
            panic!("{}", C::REFUSED);
        }
    };
    const BYTES: () = {
        if HAS_ORDER {
            panic!("{}", C::REFUSED);
        }
    };
}

impl<C: Compared, const HAS_ORDER: bool> Inside<C, HAS_ORDER> {
    /// A field that is left out at times takes a place in the order that its value may not have.
    const SKIPPED: () = {
        if HAS_ORDER {
            panic!("{}", C::REFUSED);
        }
    };

    fn look<T: Serialize + ?Sized>(value: &T) -> Result<(), NoOrder> {
        value.serialize(Probe::<C, T, false, HAS_ORDER>(PhantomData, PhantomData))
    }

    /// Collections show references to their items, and of what is behind one nothing is known: it may
    /// be a `String`.
    fn look_at_item<T: Serialize>(value: &T) -> Result<(), NoOrder> {
        value.serialize(Probe::<C, String, false, HAS_ORDER>(PhantomData, PhantomData))
    }
}

macro_rules! plain {
    ($($method:ident($($type:ty),*))*) => {
        $(fn $method(self, $(_: $type),*) -> Result<(), NoOrder> {
            Ok(())
        })*
    };
}

macro_rules! compound {
    ($($method:ident($($type:ty),*) -> $of:ident;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<Self::$of, NoOrder> {
            Ok(Inside(PhantomData))
        })*
    };
}

impl<C: Compared, T: ?Sized, const IS_TOP: bool, const HAS_ORDER: bool> ser::Serializer
    for Probe<C, T, IS_TOP, HAS_ORDER>
{
    type Ok = ();
    type Error = NoOrder;
    type SerializeSeq = Inside<C, HAS_ORDER>;
    type SerializeTuple = Inside<C, HAS_ORDER>;
    type SerializeTupleStruct = Inside<C, HAS_ORDER>;
    type SerializeTupleVariant = Inside<C, HAS_ORDER>;
    type SerializeMap = Inside<C, HAS_ORDER>;
    type SerializeStruct = Inside<C, HAS_ORDER>;
    type SerializeStructVariant = Inside<C, HAS_ORDER>;

    plain! {
        serialize_bool(bool) serialize_char(char) serialize_f32(f32) serialize_f64(f64)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_i128(i128) serialize_u128(u128) serialize_none() serialize_unit()
        serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn serialize_str(self, _: &str) -> Result<(), NoOrder> {
        let () = Self::TEXT;
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NoOrder> {
        let () = Self::BYTES;
        Ok(())
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), NoOrder> {
        value.serialize(Probe::<C, V, IS_TOP, HAS_ORDER>(PhantomData, PhantomData))
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &V,
    ) -> Result<(), NoOrder> {
        Inside::<C, HAS_ORDER>::look(value)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &V,
    ) -> Result<(), NoOrder> {
        Inside::<C, HAS_ORDER>::look(value)
    }

    compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn collect_seq<I>(self, items: I) -> Result<(), NoOrder>
    where
        I: IntoIterator<Item: Serialize>,
    {
        items.into_iter().try_for_each(|item| Inside::<C, HAS_ORDER>::look_at_item(&item))
    }

    fn collect_map<K, V, I>(self, pairs: I) -> Result<(), NoOrder>
    where
        K: Serialize,
        V: Serialize,
        I: IntoIterator<Item = (K, V)>,
    {
        pairs.into_iter().try_for_each(|(key, value)| {
            Inside::<C, HAS_ORDER>::look_at_item(&key)?;
            Inside::<C, HAS_ORDER>::look_at_item(&value)
        })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NoOrder> {
        let () = Self::TUPLE;
        Ok(Inside(PhantomData))
    }
}

macro_rules! inside {
    ($($trait:ident { $($method:ident($($name:ident: $type:ty)?))* $(, $skip:ident)? })*) => {
        $(impl<C: Compared, const HAS_ORDER: bool> ser::$trait for Inside<C, HAS_ORDER> {
            type Ok = ();
            type Error = NoOrder;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)?
                value: &T,
            ) -> Result<(), NoOrder> {
                Self::look(value)
            })*

            $(fn $skip(&mut self, _: &'static str) -> Result<(), NoOrder> {
                let () = Self::SKIPPED;
                Ok(())
            })?

            fn end(self) -> Result<(), NoOrder> {
                Ok(())
            }
        })*
    };
}

inside! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(_name: &'static str), skip_field }
    SerializeStructVariant { serialize_field(_name: &'static str), skip_field }
}

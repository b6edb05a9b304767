//! In which order the variants of an enum are declared: a JSON Schema lists unit variants first.

use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// The variants that a field of a struct may be, in the order of their declaration; nothing if its
/// type is not an enum, or an `Option`, a newtype or a list of one.
pub(super) fn variants_of<R: DeserializeOwned>(field: &str) -> &'static [&'static str] {
    let mut variants: &'static [&'static str] = &[];
    // Always fails, having been told.
    let _ = R::deserialize(Struct { field: Some(field), variants: &mut variants });
    variants
}

/// There is nothing to read.
#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for Nothing {}

impl de::Error for Nothing {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A struct of which one field is asked for.
struct Struct<'v, 'f> {
    field: Option<&'f str>,
    variants: &'v mut &'static [&'static str],
}

impl<'de> de::Deserializer<'de> for Struct<'_, '_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Struct<'_, '_> {
    type Error = Nothing;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Nothing> {
        let Some(field) = self.field.take() else { return Ok(None) };
        seed.deserialize(field.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Nothing> {
        seed.deserialize(Value { variants: self.variants })
    }
}

/// A value that is asked for.
struct Value<'v> {
    variants: &'v mut &'static [&'static str],
}

impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Nothing> {
        *self.variants = variants;
        Err(Nothing)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Nothing> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        visitor.visit_seq(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for Value<'_> {
    type Error = Nothing;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Nothing> {
        seed.deserialize(Value { variants: self.variants }).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only read")]
    struct Row {
        id: u32,
        shape: Option<Shape>,
        shapes: Vec<Wrapped>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only read")]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Circle(u8),
        Dot,
        Square { side: u8 },
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only read")]
    struct Wrapped(Shape);

    #[test]
    fn variants_come_as_they_are_declared() {
        let all = ["circle", "dot", "square"];
        assert_eq!(variants_of::<Row>("shape"), all);
        assert_eq!(variants_of::<Row>("shapes"), all);
        assert!(variants_of::<Row>("id").is_empty());
        assert!(variants_of::<Row>("none").is_empty());
    }
}

//! Reading an enum, and telling a variant that it does not know from data that it cannot read.
//!
//! serde reports an unknown variant where it reads the variant's name, and nothing else does. The
//! deserializers here hand everything on but that name, in each of the three ways of tagging:
//! `"A"` and `{"A": …}` come through `deserialize_enum`, `{"tag": "A", …}` through a map in which
//! the tag is read as an identifier, and `{"tag": "A", "content": …}` through a struct in which it
//! is read as an enum of the same name. Data inside the variant is read without them, so that an
//! unknown variant of an enum further in is not taken for one of this enum.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    Visitor,
};

/// Decodes a value; `None` if it is a variant that `T` does not know.
pub(super) fn decode<T: DeserializeOwned>(json: &str) -> Result<Option<T>, String> {
    let is_unknown = Cell::new(false);
    let mut text = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(Value { inner: &mut text, is_unknown: &is_unknown });
    match value.and_then(|value| text.end().map(|()| value)) {
        Ok(value) => Ok(Some(value)),
        Err(_) if is_unknown.get() => Ok(None),
        Err(error) => {
            // The position in this piece of text says nothing about the position in the row.
            let error = error.to_string();
            Err(error.split(" at line ").next().unwrap_or_default().to_owned())
        }
    }
}

macro_rules! hand_on {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V)
            -> Result<V::Value, D::Error>
        {
            self.inner.$method($($name,)* visitor)
        })*
    };
}

macro_rules! hand_on_plain {
    () => {
        hand_on! {
            deserialize_bool();
            deserialize_i8();
            deserialize_i16();
            deserialize_i32();
            deserialize_i64();
            deserialize_i128();
            deserialize_u8();
            deserialize_u16();
            deserialize_u32();
            deserialize_u64();
            deserialize_u128();
            deserialize_f32();
            deserialize_f64();
            deserialize_char();
            deserialize_str();
            deserialize_string();
            deserialize_bytes();
            deserialize_byte_buf();
            deserialize_option();
            deserialize_unit();
            deserialize_unit_struct(name: &'static str);
            deserialize_newtype_struct(name: &'static str);
            deserialize_seq();
            deserialize_tuple(len: usize);
            deserialize_tuple_struct(name: &'static str, len: usize);
            deserialize_map();
            deserialize_ignored_any();
        }
    };
}

/// The value of the enum.
struct Value<'f, D> {
    inner: D,
    is_unknown: &'f Cell<bool>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Value<'_, D> {
    type Error = D::Error;

    hand_on_plain!();

    hand_on! { deserialize_identifier(); }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Variant { visitor, name: "", is_unknown: self.is_unknown })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Variant { visitor, name, is_unknown: self.is_unknown };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Variant { visitor, name, is_unknown: self.is_unknown };
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

/// The visitor of the enum, or of its map or its variant.
struct Variant<'f, V> {
    visitor: V,
    /// The name of the enum, if it is known.
    name: &'static str,
    is_unknown: &'f Cell<bool>,
}

macro_rules! visit_on {
    ($($method:ident($type:ty);)*) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Variant<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit_on! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { visitor, name, is_unknown } = self;
        visitor.visit_map(Access { inner: map, name, is_unknown })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let Self { visitor, name, is_unknown } = self;
        visitor.visit_enum(Access { inner: variant, name, is_unknown })
    }
}

/// The map of a tagged enum, or the variant of one that is not.
struct Access<'f, A> {
    inner: A,
    name: &'static str,
    is_unknown: &'f Cell<bool>,
}

impl<'f, A> Access<'f, A> {
    fn seed<S>(&self, inner: S) -> Access<'f, S> {
        Access { inner, name: self.name, is_unknown: self.is_unknown }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Access<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.seed(seed);
        self.inner.next_value_seed(seed)
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Access<'_, A> {
    type Error = A::Error;
    type Variant = A::Variant;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, A::Variant), A::Error> {
        let seed = self.seed(seed);
        self.inner.variant_seed(seed)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Access<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, name, is_unknown } = self;
        inner.deserialize(Name { inner: deserializer, name, is_unknown })
    }
}

/// The name of a variant, perhaps: in a map it may also be any other value.
struct Name<'f, D> {
    inner: D,
    name: &'static str,
    is_unknown: &'f Cell<bool>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Name<'_, D> {
    type Error = D::Error;

    hand_on_plain!();

    hand_on! {
        deserialize_any();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(NameVisitor { visitor, is_unknown: self.is_unknown })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if name != self.name {
            return self.inner.deserialize_enum(name, variants, visitor);
        }
        let visitor = Variant { visitor, name, is_unknown: self.is_unknown };
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

/// The visitor of a variant's name.
struct NameVisitor<'f, V> {
    visitor: V,
    is_unknown: &'f Cell<bool>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for NameVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_u64<E: de::Error>(self, index: u64) -> Result<V::Value, E> {
        self.visitor.visit_u64(index)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.visitor.visit_str(name).map_err(|NameError { message, is_unknown }| {
            self.is_unknown.set(is_unknown);
            E::custom(message)
        })
    }
}

/// Why a name is not that of a variant.
#[derive(Debug)]
struct NameError {
    message: String,
    is_unknown: bool,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NameError {}

impl de::Error for NameError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), is_unknown: false }
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self { message: format!("unknown variant `{variant}`"), is_unknown: true }
    }
}

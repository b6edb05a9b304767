//! A deserializer that records which fields a stored object has and supplies those it lacks.

use std::cell::Cell;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Error;

use super::fill::Defaults;
use crate::row::Record;
use crate::schema::descriptor::{DefaultKind, FieldDef};

/// How one pass over the text ended.
pub(super) enum Tracked<R> {
    Done(R),
    Failed(Error),
    /// A field with a computed default is missing: what it reads must be decoded first.
    NeedsComputing,
}

/// Decodes `json` in one pass, constants filled in as it goes.
pub(super) fn track<R: Record>(json: &str) -> Tracked<R> {
    if R::FIELDS.len() > u128::BITS as usize {
        return Tracked::NeedsComputing;
    }
    let needs_computing = Cell::new(false);
    let mut text = serde_json::Deserializer::from_str(json);
    let tracker = Tracker {
        fields: R::FIELDS,
        defaults: Defaults::of::<R>(),
        needs_computing: &needs_computing,
        seen: 0,
        current: None,
        expected: 0,
    };
    match R::deserialize(Object { text: &mut text, tracker })
        .and_then(|row| text.end().map(|()| row))
    {
        Ok(record) => Tracked::Done(record),
        Err(_) if needs_computing.get() => Tracked::NeedsComputing,
        Err(error) => Tracked::Failed(error),
    }
}

/// Decodes the stored value of an `Option<Option<_>>`, of which `null` is `Some(None)`.
pub(crate) fn decode_present<T: de::DeserializeOwned>(json: &str) -> Result<T, Error> {
    let mut text = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(PresentText(&mut text))?;
    text.end().map(|()| value)
}

/// The fields of one record while they come.
struct Tracker<'a> {
    fields: &'static [FieldDef],
    defaults: Defaults,
    needs_computing: &'a Cell<bool>,
    /// A bit for each field that came.
    seen: u128,
    /// The field whose value comes next.
    current: Option<usize>,
    /// The field that comes next if they come in declaration order, as they mostly do.
    expected: usize,
}

impl Tracker<'_> {
    #[inline]
    fn came(&mut self, name: &str) {
        let in_order = self.fields.get(self.expected).is_some_and(|field| field.name == name);
        self.current = if in_order {
            Some(self.expected)
        } else {
            self.fields.iter().position(|field| field.answers_to(name))
        };
        if let Some(index) = self.current {
            self.seen |= 1 << index;
            self.expected = index + 1;
        }
    }

    /// The next field that did not come and has a default of ours.
    #[inline]
    fn next_missing(&mut self) -> Option<&'static FieldDef> {
        let seen = self.seen;
        let missing = (0..self.fields.len())
            .find(|&index| self.fields[index].default.is_evolve() && seen & (1 << index) == 0)?;
        self.seen |= 1 << missing;
        self.current = Some(missing);
        Some(&self.fields[missing])
    }
}

/// The stored object.
struct Object<'a, D> {
    text: D,
    tracker: Tracker<'a>,
}

impl<'de, D: Deserializer<'de, Error = Error>> Deserializer<'de> for Object<'_, D> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text.deserialize_map(Watched { visitor, tracker: self.tracker })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.text.deserialize_struct(name, fields, Watched { visitor, tracker: self.tracker })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The visitor of the object.
struct Watched<'a, V> {
    visitor: V,
    tracker: Tracker<'a>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Fields { map, tracker: self.tracker, stored: true })
    }
}

/// The fields of the object: the stored ones, then those that are missing.
struct Fields<'a, A> {
    map: A,
    tracker: Tracker<'a>,
    /// Whether stored fields are still coming.
    stored: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        // At the end of the stored fields the seed is still there, for the first supplied one.
        let mut seed = Some(seed);
        if self.stored {
            let name = NameSeed { seed: &mut seed, tracker: &mut self.tracker };
            if let Some(key) = self.map.next_key_seed(name)? {
                return Ok(Some(key));
            }
            self.stored = false;
        }
        let Some((seed, field)) = seed.zip(self.tracker.next_missing()) else { return Ok(None) };
        if matches!(field.default, DefaultKind::Computed(_)) {
            self.tracker.needs_computing.set(true);
            return Err(de::Error::custom("a computed default is missing"));
        }
        seed.deserialize(BorrowedStrDeserializer::new(field.name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.tracker.current {
            Some(index) if !self.stored => {
                let json = self.tracker.defaults.constant(index).map_err(de::Error::custom)?;
                // Reading from bytes, the deserializer borrows nothing from this local text.
                let mut text = serde_json::Deserializer::from_reader(json.as_bytes());
                seed.deserialize(&mut text).map_err(de::Error::custom)
            }
            Some(index) if self.tracker.fields[index].nullable => {
                self.map.next_value_seed(Present(seed))
            }
            _ => self.map.next_value_seed(seed),
        }
    }
}

/// A field's name on its way to serde, recorded in passing.
struct NameSeed<'n, 'a, K> {
    seed: &'n mut Option<K>,
    tracker: &'n mut Tracker<'a>,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for NameSeed<'_, '_, K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K::Value, D::Error> {
        match self.seed.take() {
            Some(seed) => seed.deserialize(NameText { text: deserializer, tracker: self.tracker }),
            None => Err(de::Error::custom("a field name was asked for twice")),
        }
    }
}

struct NameText<'n, 'a, D> {
    text: D,
    tracker: &'n mut Tracker<'a>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for NameText<'_, '_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.text.deserialize_identifier(NameVisitor { visitor, tracker: self.tracker })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct NameVisitor<'n, 'a, V> {
    visitor: V,
    tracker: &'n mut Tracker<'a>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for NameVisitor<'_, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.tracker.came(name);
        self.visitor.visit_str(name)
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.tracker.came(name);
        self.visitor.visit_borrowed_str(name)
    }
}

/// The value of an `Option<Option<_>>` that is there: `Some`, even if it is `null`.
struct Present<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Present<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(PresentText(deserializer))
    }
}

struct PresentText<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for PresentText<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self.0)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

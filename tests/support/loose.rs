//! A strict table, and other code of the same schema that writes anything into it.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use heirloom::__private::{
    Above, DefaultError, FieldDef, HasSchema, KeyBytes, KeyKind, RefersWithin,
};
use heirloom::schema::Record;
use heirloom::{Key, Row, Store, Table};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    Good,
    Bad { why: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Town {
    pub name: String,
    pub zip: u32,
}

/// The row that the app expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
pub struct Strict {
    #[key]
    pub id: u32,
    pub title: String,
    pub count: u8,
    pub rate: f64,
    pub tags: Vec<String>,
    pub mood: Mood,
    pub town: Town,
    pub flag: Option<bool>,
    #[evolve(default = 3)]
    pub level: u8,
    #[evolve(default = |count, level| count.wrapping_add(level))]
    pub sum: u8,
}

#[derive(Store)]
#[store(name = "strict")]
pub struct App {
    pub rows: Table<Strict>,
}

/// A row of the table of `R`, and of the same schema, that writes what it is given: any fields, in
/// any order, even twice or not at all. It reads nothing, so that every row is listed as stored;
/// only what was just written is read back once, since that is asked before it is stored.
#[derive(Debug, Clone)]
pub struct Loose<R, K = u32> {
    pub key: K,
    pub fields: Vec<(String, Value)>,
    is_read_back: bool,
    row: PhantomData<fn() -> R>,
}

thread_local! {
    /// The key and the fields that were written last.
    static WRITTEN: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

impl<R, K> Loose<R, K> {
    pub fn new(key: K, fields: Vec<(String, Value)>) -> Self {
        Self { key, fields, is_read_back: false, row: PhantomData }
    }
}

impl<R, K: Clone + 'static> Serialize for Loose<R, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_read_back {
            let written = (self.key.clone(), self.fields.clone());
            WRITTEN.replace(Some(Box::new(written)));
        }
        let mut row = serializer.serialize_struct("Loose", self.fields.len())?;
        for (name, value) in &self.fields {
            // serde wants names that live for ever; a test's may.
            row.serialize_field(String::leak(name.clone()), value)?;
        }
        row.end()
    }
}

impl<'de, R, K: 'static> Deserialize<'de> for Loose<R, K> {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                // After what is stored come the defaults, which may fail for such a row.
                while let Ok(Some(_)) = map.next_entry::<IgnoredAny, IgnoredAny>() {}
                Ok(())
            }
        }

        text.deserialize_map(Members)?;
        let written = WRITTEN.take().and_then(|written| written.downcast().ok());
        let (key, fields) = *written.ok_or_else(|| D::Error::custom("it is only looked at"))?;
        Ok(Self { is_read_back: true, ..Self::new(key, fields) })
    }
}

impl<R: HasSchema, K> JsonSchema for Loose<R, K> {
    fn schema_name() -> Cow<'static, str> {
        type_name::<R>().into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        R::schema_in(generator)
    }
}

impl<R: Record, K: Clone + Send + 'static> Record for Loose<R, K> {
    const FIELDS: &'static [FieldDef] = R::FIELDS;

    fn default_of(index: usize, above: &Above<'_>) -> Result<String, DefaultError> {
        R::default_of(index, above)
    }
}

impl<R: Row, K: Key, S: Store> RefersWithin<S> for Loose<R, K> {}

impl<R: Row, K: Key> Row for Loose<R, K> {
    type Key = K;
    type Itself = Self;
    const TABLE: &'static str = R::TABLE;
    const KEY_FIELDS: &'static [usize] = R::KEY_FIELDS;

    fn key(&self) -> Cow<'_, K> {
        Cow::Borrowed(&self.key)
    }
}

/// Any text where a key of the kind of `K` belongs.
#[derive(Debug)]
pub struct AnyKey<K>(pub String, PhantomData<fn() -> K>);

impl<K> AnyKey<K> {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned(), PhantomData)
    }
}

impl<K> Clone for AnyKey<K> {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl<K> PartialEq for AnyKey<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for AnyKey<K> {}

impl<K> Hash for AnyKey<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Key> Key for AnyKey<K> {
    const KINDS: &'static [KeyKind] = K::KINDS;

    fn to_text(&self) -> String {
        self.0.clone()
    }

    fn from_text(text: &str) -> heirloom::Result<Self> {
        Ok(Self::new(text))
    }

    fn to_bytes(&self) -> KeyBytes<'_> {
        KeyBytes::Text(&self.0)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(Self::new)
    }
}

#[derive(Store)]
#[store(name = "strict")]
pub struct LooseApp {
    pub rows: Table<Loose<Strict>>,
}

pub fn valid(id: u32) -> Vec<(String, Value)> {
    let row = json!({
        "id": id, "title": "t", "count": 1, "rate": 0.5, "tags": ["a"], "mood": "good",
        "town": {"name": "Bern", "zip": 3000},
    });
    row.as_object().unwrap().clone().into_iter().collect()
}

pub fn loose(key: u32, change: impl FnOnce(&mut BTreeMap<String, Value>)) -> Loose<Strict> {
    let mut fields = valid(key).into_iter().collect();
    change(&mut fields);
    Loose::new(key, fields.into_iter().collect())
}

pub fn repaired(id: u32) -> Strict {
    serde_json::from_value(Value::Object(
        valid(id)
            .into_iter()
            .chain([("level".into(), 9.into()), ("sum".into(), 8.into())])
            .collect(),
    ))
    .unwrap()
}

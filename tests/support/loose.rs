//! A strict table, and other code for the same store that writes anything into it.

use std::collections::BTreeMap;

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
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

/// What the app expects.
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

/// What other code may write: any fields, in any order, even twice or not at all.
#[derive(Debug, Clone, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
pub struct Loose {
    #[key]
    pub key: u32,
    pub fields: Vec<(String, Value)>,
}

impl Serialize for Loose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Loose", self.fields.len())?;
        for (name, value) in &self.fields {
            // serde wants names that live for ever; a test's may.
            row.serialize_field(String::leak(name.clone()), value)?;
        }
        row.end()
    }
}

#[derive(Store)]
#[store(name = "strict")]
pub struct LooseApp {
    pub rows: Table<Loose>,
}

pub fn valid(id: u32) -> Vec<(String, Value)> {
    let row = json!({
        "id": id, "title": "t", "count": 1, "rate": 0.5, "tags": ["a"], "mood": "good",
        "town": {"name": "Bern", "zip": 3000},
    });
    row.as_object().unwrap().clone().into_iter().collect()
}

pub fn loose(key: u32, change: impl FnOnce(&mut BTreeMap<String, Value>)) -> Loose {
    let mut fields = valid(key).into_iter().collect();
    change(&mut fields);
    Loose { key, fields: fields.into_iter().collect() }
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

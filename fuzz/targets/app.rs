//! The store that the targets share.

use std::collections::BTreeMap;

use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    #[key]
    pub id: u32,
    #[index]
    pub title: String,
    pub count: u8,
    pub rate: f64,
    pub tags: Vec<String>,
    pub mood: Mood,
    pub flag: Option<bool>,
    pub more: BTreeMap<String, Option<i64>>,
    #[evolve(default = 3)]
    pub level: u8,
    #[evolve(default = |count, level| count.wrapping_add(level))]
    pub sum: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    Good,
    Bad {
        why: String,
    },
    #[serde(untagged)]
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
}

#[derive(Store)]
#[store(name = "notebook")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub settings: Kv<Settings>,
}
